"""Prepare: from input columns to the tensors that a network or a baseline takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError, did_you_mean
from deepwright.core.families import Form, Tensor, Texts
from deepwright.core.operations import (
    DecodeImage,
    Fill,
    HashBucket,
    Join,
    Level,
    LinearFill,
    MissingFlag,
    NearestFill,
    OneHot,
    Operation,
    Stack,
)
from deepwright.core.prepare import Prepare
from deepwright.core.report import Finding, SetAside
from deepwright.core.schema import Schema, Type
from deepwright.core.step import Fitted, Step, require_part
from deepwright.core.text import text
from deepwright.data.image_size import choose_decode, flatten
from deepwright.data.narrow import narrowed
from deepwright.data.raw import Asides
from deepwright.data.rules import breaks, fit_rules, require_numbers, rule_findings

STEPS: dict[str, tuple[Type, ...]] = {
    "outliers": ("number",),
    "imputer": ("number", "timestamp", "category"),
    "dates": ("timestamp",),
    "texts": ("text",),
    "encoder": ("category",),
    "scaler": ("number", "timestamp"),
}
"""The steps in their order, after the rules and before the features, and the types of columns that each works on."""

FILLING = (Fill, LinearFill, MissingFlag, NearestFill)
"""What trees do not need: they take missing numbers as they are."""


@dataclass(frozen=True)
class Walked:
    """One step for some columns. data: the training part as the steps before left it; fitted: what it learned."""

    name: str
    step: Step
    data: Dataset
    fitted: Fitted


def fit_prepare(train: Dataset, prepare: Prepare, form: Form) -> tuple[Fitted, tuple[Tensor, ...]]:
    """The operations from the input columns to the tensors of `form` (see `families.Form`), and those tensors.

    Each step learns from the training part as the steps before it left it.
    Raises DataError when no input column can be used, RecipeError for a choice of a column that is not there, LeakError
    on any part but train.
    """
    require_part(train, "train", "prepare")
    require_columns(train.schema, prepare)
    if any(feature.type == "image" for feature in train.schema.inputs):
        return _fit_images(train, prepare, form)
    fitted = fit_rules(train, prepare.rules)
    for walked in _walk(train, prepare, form=form):
        fitted = fitted.then(walked.fitted)
    applied = fitted.apply({name: column[:1] for name, column in train.inputs.items()})
    codes = {name: count for name, count in _codes(fitted).items() if name in applied}
    numbers = tuple(name for name, column in applied.items() if column.dtype == np.float64 and name not in codes)
    blocks = {name: column.shape[1] for name, column in applied.items() if column.ndim == 2}
    if not numbers and not codes and not blocks:
        raise DataError("prepare.no_inputs", columns=", ".join(f"{f.name} ({f.type})" for f in train.schema.inputs))
    join = {"mixed": _mixed, "flat": _flat, "wide": _flat, "ordinal": _ordinal}[form]
    last, tensors = join(numbers, codes, blocks)
    return fitted.then(Fitted(last)), tensors


def _fit_images(train: Dataset, prepare: Prepare, form: Form) -> tuple[Fitted, tuple[Tensor, ...]]:
    """Images alone: their pixels, or a few numbers of them for what takes rows of numbers."""
    (feature,) = train.schema.inputs
    known = train.decoded.get(feature.name)
    decode = choose_decode(train, feature.name, prepare.images)[0] if known is None else known.by
    assert isinstance(decode, DecodeImage), "images are decoded by this operation alone"
    if form == "image":
        shape = decode.form.shape
        return Fitted((decode,)), (Tensor(feature.name, shape[2], "uint8", shape=shape),)
    numbers = flatten(decode, to_one=form == "ordinal")
    return Fitted((decode, numbers)), (Tensor("x", numbers.rows * numbers.columns * decode.channels),)


def prepare_findings(train: Dataset, prepare: Prepare) -> tuple[Finding, ...]:
    """What each step chose and learned here, with its reason."""
    require_part(train, "train", "prepare_findings")
    require_columns(train.schema, prepare)
    found = list(rule_findings(train, prepare.rules))
    for walked in _walk(train, prepare):
        found += walked.step.findings(walked.data)
    return tuple(found)


def clean_rows(train: Dataset, prepare: Prepare) -> tuple[Dataset, tuple[SetAside, ...]]:
    """The training part without the rows that a step deletes, and those rows with the reason.

    Raises DataError when no row would be left.
    """
    require_part(train, "train", "clean_rows")
    require_columns(train.schema, prepare)
    asides, gone = Asides(), np.zeros(len(train), dtype=bool)
    for rule in prepare.rules:
        if rule.treat == "delete":
            broken = breaks(dict(train.columns), rule) & ~gone
            asides.add(text("aside.rule", rule=rule.rule), train.origin[broken])
            gone |= broken
    for walked in _walk(train, prepare, last="imputer"):
        unusable = walked.step.unusable(walked.data) & ~gone
        columns = ", ".join(feature.name for feature in walked.data.schema.inputs[:5])
        asides.add(
            text("aside.step", step=f"{walked.name} {walked.step.kind}", columns=columns), train.origin[unusable]
        )
        gone |= unusable
    if gone.all():
        raise DataError("prepare.no_rows", rows=len(train))
    return (train.take(~gone) if gone.any() else train), asides.records()


def require_columns(schema: Schema, prepare: Prepare) -> None:
    """Raises RecipeError for a choice of a column that is not there, is no input, has another type or has that step
    chosen already; DataError for a rule on such a column."""
    known = [feature.name for feature in schema.inputs]
    chosen: set[tuple[str, str]] = set()
    for choice in prepare.columns:
        for name in choice.columns:
            if name not in known:
                hint = did_you_mean(name, known)
                raise RecipeError("columns.unknown", column=name, known=", ".join(known), hint=hint)
            for step, types in STEPS.items():
                if getattr(choice, step) is None:
                    continue
                if schema[name].type not in types:
                    allowed = ", ".join(types)
                    raise RecipeError("columns.type", column=name, type=schema[name].type, step=step, allowed=allowed)
                if (name, step) in chosen:
                    raise RecipeError("columns.twice", column=name, step=step)
                chosen.add((name, step))


def _walk(train: Dataset, prepare: Prepare, *, form: Form | None = None, last: str = "features") -> Iterator[Walked]:
    """Every step in order, each on the columns that it is chosen for, fitted to what the steps before it left.

    form: None where tensors are not wanted; then nothing is learned of texts, which no later step sees.
    """
    for_trees = form == "ordinal"
    require_numbers(train, prepare.rules)
    data = _after(train, fit_rules(train, prepare.rules))
    for name, types in STEPS.items():
        if name == "scaler" and for_trees:
            return
        for step, columns in _groups(data.schema, prepare, name, types).items():
            here = narrowed(data, columns)
            if isinstance(step, Texts):
                yield Walked(name, step, here, _fit_texts(step, here, form))
                data = _without(data, columns)
                continue
            fitted = step.fit(here)
            if name == "imputer" and for_trees:
                fitted = Fitted(tuple(op for op in fitted.operations if not isinstance(op, FILLING)))
            yield Walked(name, step, here, fitted)
            data = _after(data, fitted)
        if name == last:
            return
    for extractor in prepare.features:
        here = narrowed(data, [f.name for f in data.schema.inputs if f.type in ("number", "timestamp")])
        fitted = extractor.fit(here)
        yield Walked("features", extractor, here, fitted)
        data = _after(data, fitted)


def _fit_texts(step: Texts, here: Dataset, form: Form | None) -> Fitted:
    if form is None:
        return Fitted()
    return (step.wide() if form == "wide" else step).fit(here)


def _without(data: Dataset, gone: Sequence[str]) -> Dataset:
    columns = {name: column for name, column in data.columns.items() if name not in gone}
    schema = Schema(features=tuple(f for f in data.schema.features if f.name in columns))
    return Dataset(columns, schema, data.part, data.origin, data.hashes, data.source)


def _groups(schema: Schema, prepare: Prepare, name: str, types: tuple[Type, ...]) -> dict[Step, list[str]]:
    """The columns that each chosen step works on, in the order of the schema."""
    own = {column: getattr(choice, name) for choice in prepare.columns for column in choice.columns}
    groups: dict[Step, list[str]] = {}
    for feature in schema.inputs:
        if feature.type in types:
            step = own.get(feature.name) or getattr(prepare, name)
            groups.setdefault(step, []).append(feature.name)
    return groups


def _after(data: Dataset, fitted: Fitted) -> Dataset:
    """The training part as a step leaves it; a column that it dropped is gone."""
    if not fitted.operations:
        return data
    columns = fitted.apply(data.columns)
    schema = Schema(features=tuple(f for f in data.schema.features if f.name in columns))
    return Dataset(columns, schema, data.part, data.origin, data.hashes, data.source)


def _codes(fitted: Fitted) -> dict[str, int]:
    """Columns of level numbers, and how many numbers each has: one more than levels, for missing, unseen and rare."""
    codes = {}
    for operation in fitted.operations:
        if isinstance(operation, Level):
            codes[operation.column] = len(operation.levels) + 1
        elif isinstance(operation, HashBucket):
            codes[operation.column] = operation.num_buckets + 1
    return codes


Joined = tuple[tuple[Operation, ...], tuple[Tensor, ...]]
"""The operations that end in tensors, and these."""


def _mixed(numbers: tuple[str, ...], codes: Mapping[str, int], blocks: Mapping[str, int]) -> Joined:
    operations: list[Operation] = []
    tensors: list[Tensor] = []
    if numbers or blocks:
        (name,) = _free_names(("numbers",), {*numbers, *codes, *blocks}) if numbers and blocks else ("numbers",)
        stacked = (Stack(columns=numbers, output=name),) if numbers else ()
        operations += stacked
        if blocks:
            operations.append(Join(tensors=(*((name,) if numbers else ()), *blocks), output="numbers"))
        tensors.append(Tensor("numbers", len(numbers) + sum(blocks.values())))
    if codes:
        operations.append(Stack(columns=tuple(codes), output="categories", dtype="int64"))
        tensors.append(Tensor("categories", len(codes), "int64", tuple(codes.values())))
    return tuple(operations), tuple(tensors)


def _flat(numbers: tuple[str, ...], codes: Mapping[str, int], blocks: Mapping[str, int]) -> Joined:
    num_levels = tuple(count - 1 for count in codes.values())
    x = (Tensor("x", len(numbers) + sum(num_levels) + sum(blocks.values())),)
    names = _free_names(("numbers", "one_hot"), {*numbers, *codes, *blocks})
    made: dict[str, Operation] = {}
    if numbers:
        made[names[0]] = Stack(columns=numbers, output=names[0])
    if codes:
        made[names[1]] = OneHot(columns=tuple(codes), num_levels=num_levels, output=names[1])
    return _joined(made, blocks), x


def _ordinal(numbers: tuple[str, ...], codes: Mapping[str, int], blocks: Mapping[str, int]) -> Joined:
    columns = (*numbers, *codes)
    (name,) = _free_names(("numbers",), {*columns, *blocks})
    made: dict[str, Operation] = {name: Stack(columns=columns, output=name)} if columns else {}
    return _joined(made, blocks), (Tensor("x", len(columns) + sum(blocks.values())),)


def _joined(made: Mapping[str, Operation], blocks: Mapping[str, int]) -> tuple[Operation, ...]:
    """What makes tensors, and what joins these and the blocks to `x`; one alone is `x` at once."""
    if len(made) == 1 and not blocks:
        (only,) = made.values()
        return (only.replace(output="x"),)
    return (*made.values(), Join(tensors=(*made, *blocks), output="x"))


def _free_names(wanted: tuple[str, ...], taken: set[str]) -> tuple[str, ...]:
    """Names for the tensors between columns and the last ones that no column has."""
    mark = ""
    while {f"{name}{mark}" for name in wanted} & taken:
        mark += "'"
    return tuple(f"{name}{mark}" for name in wanted)
