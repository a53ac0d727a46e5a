"""Prepare: from input columns to the tensors that a network or a baseline takes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError, did_you_mean
from deepwright.core.families import Form, Tensor
from deepwright.core.operations import (
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
from deepwright.data.narrow import narrowed
from deepwright.data.raw import Asides
from deepwright.data.rules import breaks, fit_rules, require_numbers, rule_findings

STEPS: dict[str, tuple[Type, ...]] = {
    "outliers": ("number",),
    "imputer": ("number", "timestamp", "category"),
    "dates": ("timestamp",),
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

    Each step learns from the training part as the steps before it left it. Columns of long text are not used.
    Raises DataError when no input column can be used, RecipeError for a choice of a column that is not there, LeakError
    on any part but train.
    """
    require_part(train, "train", "prepare")
    require_columns(train.schema, prepare)
    fitted = fit_rules(train, prepare.rules)
    for walked in _walk(train, prepare, for_trees=form == "ordinal"):
        fitted = fitted.then(walked.fitted)
    applied = fitted.apply(train.inputs)
    codes = {name: count for name, count in _codes(fitted).items() if name in applied}
    numbers = tuple(name for name, column in applied.items() if column.dtype == np.float64 and name not in codes)
    if not numbers and not codes:
        raise DataError("prepare.no_inputs", columns=", ".join(f"{f.name} ({f.type})" for f in train.schema.inputs))
    if form == "ordinal":
        columns = (*numbers, *codes)
        return fitted.then(Fitted((Stack(columns=columns, output="x"),))), (Tensor("x", len(columns)),)
    last, tensors = _mixed(numbers, codes) if form == "mixed" else _flat(numbers, codes)
    return fitted.then(Fitted(last)), tensors


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


def _walk(train: Dataset, prepare: Prepare, *, for_trees: bool = False, last: str = "features") -> Iterator[Walked]:
    """Every step in order, each on the columns that it is chosen for, fitted to what the steps before it left."""
    require_numbers(train, prepare.rules)
    data = _after(train, fit_rules(train, prepare.rules))
    for name, types in STEPS.items():
        if name == "scaler" and for_trees:
            return
        for step, columns in _groups(data.schema, prepare, name, types).items():
            here = narrowed(data, columns)
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


def _mixed(numbers: tuple[str, ...], codes: Mapping[str, int]) -> tuple[tuple[Operation, ...], tuple[Tensor, ...]]:
    operations: list[Operation] = []
    tensors: list[Tensor] = []
    if numbers:
        operations.append(Stack(columns=numbers, output="numbers"))
        tensors.append(Tensor("numbers", len(numbers)))
    if codes:
        operations.append(Stack(columns=tuple(codes), output="categories", dtype="int64"))
        tensors.append(Tensor("categories", len(codes), "int64", tuple(codes.values())))
    return tuple(operations), tuple(tensors)


def _flat(numbers: tuple[str, ...], codes: Mapping[str, int]) -> tuple[tuple[Operation, ...], tuple[Tensor, ...]]:
    num_levels = tuple(count - 1 for count in codes.values())
    columns = tuple(codes)
    x = (Tensor("x", len(numbers) + sum(num_levels)),)
    if not codes:
        return (Stack(columns=numbers, output="x"),), x
    if not numbers:
        return (OneHot(columns=columns, num_levels=num_levels, output="x"),), x
    names = _free_names({*numbers, *columns})
    return (
        Stack(columns=numbers, output=names[0]),
        OneHot(columns=columns, num_levels=num_levels, output=names[1]),
        Join(tensors=names, output="x"),
    ), x


def _free_names(taken: set[str]) -> tuple[str, str]:
    """Names for the two tensors between columns and `x` that no column has."""
    mark = ""
    while {f"numbers{mark}", f"one_hot{mark}"} & taken:
        mark += "'"
    return f"numbers{mark}", f"one_hot{mark}"
