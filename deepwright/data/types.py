"""Types of columns, inferred with the reason on record, and cells decoded by them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np

from deepwright.core.errors import AskError, DataError, RecipeError, did_you_mean
from deepwright.core.report import Finding, SetAside, finding
from deepwright.core.schema import Columns, Feature, Problem, Role, Schema, Type
from deepwright.core.text import text
from deepwright.data.cells import canonical, level_text, seconds_of
from deepwright.data.evidence import Evidence, type_of
from deepwright.data.labels import ask_for_labels, decoded_labels, require_labels
from deepwright.data.raw import Asides, Distinct, Raw
from deepwright.data.relabel import relabel
from deepwright.data.roles import missing_reason, require_weights, type_of_role

FEW_CLASSES = 20
"""Up to so many whole numbers in the target are classes."""

ROWS_PER_CLASS = 5
NUMBERS = frozenset({"whole", "decimal", "zeros", "big"})
"""Kinds of cells that are numbers (see `cells.kind_of`)."""

MEDIA: Mapping[str, Type] = {"document": "text", "image": "image", "series": "series"}
"""Types of columns whose source says what they hold, whatever their cells look like."""

VANISHING = re.compile(r"[+-]?[0.]*[1-9][\d.]*[eE]-\d{2}|[+-]?0?\.0{300}")
"""The forms of a number so small that float64 makes it 0 although it is not."""

MIXED_SHARE = 0.5
"""Share of numbers from which a column of texts is told to hold them."""

UNIQUE_SHARE = 0.98
UNIQUE_ROWS = 20
"""In fewer rows, differing everywhere says nothing."""


@dataclass(frozen=True)
class Inferred:
    """class_numbers: the target's classes are numbers, so a text among them is a fault and no class."""

    schema: Schema
    findings: tuple[Finding, ...]
    class_numbers: bool


@dataclass(frozen=True)
class Decoded:
    """columns: [K] of the kept rows. kept: bool [N] over the raw rows."""

    columns: Columns
    kept: np.ndarray
    set_aside: tuple[SetAside, ...]


def infer(
    raw: Raw,
    *,
    target: str | None,
    problem: Problem | None = None,
    labels: str | None = None,
    ignore: tuple[str, ...] = (),
    known_afterwards: tuple[str, ...] = (),
    roles: Mapping[str, Role] = MappingProxyType({}),
) -> Inferred:
    """The schema of a table: each column's type, its role and the reason for both.

    target: None for a table that is only looked at. labels: what stands between several labels in its cells; None: a
    cell is one class. roles: columns of weight, group or time.

    Raises DataError for a column that is not there and a target that cannot be learned, AskError for a column that can
    be read in two ways.
    """
    for column in (target, *ignore, *known_afterwards, *roles):
        if column is not None and column not in raw.names:
            hint = did_you_mean(column, raw.names)
            known = ", ".join(raw.names)
            raise DataError("types.column_absent", source=raw.source, column=column, known=known, hint=hint)
    forced = forced_types(raw)
    missing = frozenset(raw.options.missing)
    features: list[Feature] = []
    findings: list[Finding] = []
    class_numbers = False
    for name in raw.names:
        evidence = Evidence.read(raw, name, missing)
        kept_out = name in ignore or name in known_afterwards
        if name in forced:
            type_, reason = forced[name], text("why.forced")
        elif raw.forms.get(name) in MEDIA:
            type_, reason = MEDIA[raw.forms[name]], text("why.media", form=raw.forms[name])
        else:
            type_, reason = type_of(name, evidence, may_ask=not kept_out and roles.get(name) != "group")
        role: Role = "ignore" if kept_out else "input"
        if name == target:
            role = "target"
            if labels is not None:
                require_labels(name, labels, evidence)
                type_, reason = "category", text("why.labels", separator=labels)
            else:
                if problem is None and type_ in ("category", "text"):
                    ask_for_labels(name, evidence)
                type_, reason, class_numbers = _target_type(name, type_, reason, evidence, len(raw), problem)
        elif name in roles:
            role = roles[name]
            type_ = type_of_role(name, role, type_)
            reason = text("why.role", role=role)
        elif not kept_out and name not in forced and raw.forms.get(name) not in MEDIA:
            useless = _useless(name, evidence, type_, len(raw))
            if useless is not None:
                role = "ignore"
                findings.append(useless)
        findings += _cell_findings(name, evidence)
        if name not in forced:
            findings += _mixed_findings(name, type_, evidence)
        known_at: Literal["prediction", "afterwards"] = "afterwards" if name in known_afterwards else "prediction"
        separator = labels if role == "target" else None
        features.append(
            Feature(name=name, type=type_, role=role, known_at=known_at, reason=reason, separator=separator)
        )
    schema = Schema(features=tuple(features))
    if not schema.inputs and target is not None:
        raise DataError("types.no_inputs", source=raw.source, columns=", ".join(raw.names), target=target)
    return Inferred(schema, tuple(findings), class_numbers)


def forced_types(raw: Raw) -> dict[str, Type]:
    """What `--types 'zip=category'` says. Raises RecipeError for another type, DataError for a column not there."""
    found: dict[str, Type] = {}
    for entry in raw.options.types:
        name, mark, type_ = entry.rpartition("=")
        if not mark or type_ not in get_args(Type):
            allowed = ", ".join(get_args(Type))
            raise RecipeError("types.bad_entry", found=entry, allowed=allowed, hint=did_you_mean(type_, get_args(Type)))
        if name not in raw.names:
            hint = did_you_mean(name, raw.names)
            known = ", ".join(raw.names)
            raise DataError("types.column_absent", source=raw.source, column=name, known=known, hint=hint)
        found[name] = type_  # type: ignore[assignment]
    return found


def decode(raw: Raw, schema: Schema, *, inputs_only: bool = False, class_numbers: bool = False) -> Decoded:
    """Cells by the schema's types; a row with a cell that is not of its column's type is set aside with the reason.

    A cell of an ignored column never sets a row aside; a missing target does. inputs_only: the target is not needed.
    Raises DataError when a column of the schema is not there, AskError for a point that cannot be a decimal mark.
    """
    features = schema.inputs if inputs_only else schema.features
    missing = frozenset(raw.options.missing)
    bad = np.zeros(len(raw), dtype=bool)
    asides = Asides()
    columns: Columns = {}
    for feature in sorted(features, key=lambda f: f.role != "target"):
        if feature.name not in raw.names:
            hint = did_you_mean(feature.name, raw.names)
            raise DataError(
                "types.column_absent", source=raw.source, column=feature.name, known=", ".join(raw.names), hint=hint
            )
        is_class_number = class_numbers and feature.role == "target"
        is_number = feature.type == "number" and not is_class_number
        evidence = Evidence.read(raw, feature.name, missing)
        if evidence.numbers is not None and not is_number:
            evidence = Evidence(raw.distinct(feature.name), missing, raw.source)
        if feature.type == "number" and feature.role != "ignore" and feature.name in raw.tidied.pointed:
            found = raw.tidied.pointed[feature.name]
            raise AskError("types.ask_point", source=raw.source, column=feature.name, found=found)
        if feature.separator is not None:
            values, faults = decoded_labels(evidence, feature), {}
        else:
            values, faults = _decoded(feature.type, evidence, is_class_number)
        columns[feature.name] = evidence.spread(values)
        if feature.role == "ignore":
            continue
        if feature.role == "weight":
            require_weights(columns[feature.name], raw, feature.name)
        for key, cells in faults.items():
            reason = _reason(key, feature.name, evidence.distinct, cells)
            found = evidence.rows_of(cells) & ~bad
            asides.add_rows(reason, raw, found)
            bad |= found
        if feature.role in ("target", "group", "time"):
            gone = missing_rows(columns[feature.name]) & ~bad
            asides.add_rows(missing_reason(feature), raw, gone)
            bad |= gone
    kept = ~bad
    rows = slice(None) if kept.all() else kept  # no copy where no row is gone
    return Decoded({f.name: columns[f.name][rows] for f in features}, kept, asides.records())


def decode_inputs(raw: Raw, schema: Schema) -> tuple[Columns, np.ndarray, tuple[SetAside, ...]]:
    """The input columns of rows to be answered, their origin and what was set aside; no target is needed."""
    (raw,) = relabel([raw], must_occur=False)
    decoded = decode(raw, schema, inputs_only=True)
    return decoded.columns, raw.origin[decoded.kept], decoded.set_aside


def _target_type(
    name: str, type_: Type, reason: str, evidence: Evidence, rows: int, problem: Problem | None
) -> tuple[Type, str, bool]:
    """Category for classes, number for values. Raises DataError for a target that cannot be learned."""
    present, levels = evidence.present, evidence.num_distinct
    if present < 0.1 * rows or not present:
        raise DataError("target.missing", source=evidence.source, column=name, present=present, of=rows)
    if levels == 1:
        only = evidence.example(*set(evidence.distinct.kinds))
        raise DataError("target.one_value", source=evidence.source, column=name, value=only, of=present)
    if problem == "regression":
        if type_ != "number":
            found = evidence.example("other", "zeros", "big", "day")
            raise DataError("target.no_numbers", source=evidence.source, column=name, found=found)
        return "number", text("why.asked", problem=problem), False
    if type_ in ("timestamp", "text") and problem is None:
        raise DataError("target.wrong_type", source=evidence.source, column=name, type=type_, distinct=levels)
    class_numbers = type_ == "number"
    if class_numbers and problem is None:
        few = min(FEW_CLASSES, max(2, present // ROWS_PER_CLASS))
        if not evidence.is_whole or levels > few:
            return "number", text("why.values", distinct=levels, limit=few), False
        reason = text("why.few_numbers", distinct=levels, limit=FEW_CLASSES)
    elif problem is not None:
        reason = text("why.asked", problem=problem)
    if levels > max(2, present // 2):
        raise DataError("target.too_many_classes", source=evidence.source, column=name, classes=levels, rows=present)
    return "category", reason, class_numbers


def _useless(name: str, evidence: Evidence, type_: Type, rows: int) -> Finding | None:
    """Why a column cannot help a model, if it cannot: it is empty, an identifier, or the row's number."""
    if not evidence.present:
        return finding("all_missing", "warning", name, rows=rows)
    if rows < UNIQUE_ROWS or evidence.present < rows:
        return None
    if type_ == "category" and evidence.num_distinct >= UNIQUE_SHARE * rows:
        return finding("unique", "note", name, distinct=evidence.num_distinct, rows=rows)
    if type_ == "number" and _is_count(evidence) and evidence.num_distinct == rows:
        return finding("row_number", "note", name, rows=rows)
    return None


def _is_count(evidence: Evidence) -> bool:
    """Whether all-different whole numbers leave no gap: 1, 2, 3 ... in any order."""
    if evidence.of("whole", "decimal") != evidence.present or not evidence.is_whole:
        return False
    values = [np.array([float(value) for value in evidence.distinct.values if value is not None])]
    values += [] if evidence.numbers is None else evidence.numbers.parts()
    ends = [(part.min(), part.max()) for part in values if len(part)]
    return bool(max(high for _, high in ends) - min(low for low, _ in ends) == evidence.present - 1)


def _cell_findings(name: str, evidence: Evidence) -> list[Finding]:
    distinct = evidence.distinct
    questions, vanished = 0, 0
    for value, kind, count in zip(distinct.values, distinct.kinds, distinct.counts.tolist(), strict=True):
        if kind == "question":
            questions += count
        elif kind == "decimal" and value is not None and VANISHING.match(value) and float(value) == 0:
            vanished += count
    found = [finding("question_mark", "note", name, count=questions)] if questions else []
    return found + ([finding("underflow", "note", name, count=vanished)] if vanished else [])


def _mixed_findings(name: str, type_: Type, evidence: Evidence) -> list[Finding]:
    """Columns of numbers that are no column of numbers, and numbers that lose their last digits."""
    numbers, others = evidence.of("whole", "decimal"), evidence.of("other", "not_finite", "overflow", "no_day")
    if type_ in ("category", "text") and others and numbers >= MIXED_SHARE * evidence.present:
        found = evidence.example("other", "not_finite", "overflow", "no_day")
        return [finding("mixed", "warning", name, count=numbers, of=evidence.present, found=found)]
    if type_ == "number" and evidence.of("big"):
        return [finding("rounded", "note", name, count=evidence.of("big"), found=evidence.example("big"))]
    return []


def _decoded(type_: Type, evidence: Evidence, is_class_number: bool) -> tuple[np.ndarray, dict[str, list[int]]]:
    """Each distinct cell's value, and the distinct cells that have none, by kind of fault."""
    distinct = evidence.distinct
    if type_ == "number" and not is_class_number:
        return _decoded_numbers(evidence)
    is_number = type_ == "timestamp"
    values = np.full(len(distinct.values), np.nan) if is_number else np.full(len(distinct.values), None, dtype=object)
    faults: dict[str, list[int]] = {}
    for place, (cell, kind) in enumerate(zip(distinct.values, distinct.kinds, strict=True)):
        if cell is None or evidence.is_missing(cell):
            continue
        value = _value(cell, kind, type_, is_class_number)
        if isinstance(value, _Fault):
            faults.setdefault(value.key, []).append(place)
        else:
            values[place] = value
    return values, faults


def _decoded_numbers(evidence: Evidence) -> tuple[np.ndarray, dict[str, list[int]]]:
    distinct = evidence.distinct
    pairs = zip(distinct.values, distinct.kinds, strict=True)
    values = np.array([float(cell) if kind in NUMBERS else np.nan for cell, kind in pairs])  # type: ignore[arg-type]
    faults: dict[str, list[int]] = {}
    for place, kind in enumerate(distinct.kinds):
        if kind not in NUMBERS and not evidence.is_missing(distinct.values[place]):
            faults.setdefault(kind if kind in ("overflow", "not_finite") else "not_number", []).append(place)
    for text_ in evidence.missing & set(distinct.values):
        values[distinct.values.index(text_)] = np.nan
    return values, faults


@dataclass(frozen=True)
class _Fault:
    key: str


def _value(cell: str, kind: str, type_: Type, is_class_number: bool) -> str | float | _Fault:
    if is_class_number:
        if kind in NUMBERS:
            return canonical(cell, kind)
        return _Fault("overflow" if kind == "overflow" else "not_finite" if kind == "not_finite" else "not_number")
    if type_ == "timestamp":
        seconds = seconds_of(cell) if kind in ("day", "time") else None
        return _Fault("no_day" if kind == "no_day" else "not_time") if seconds is None else seconds
    return level_text(cell) if type_ == "category" else cell


def _reason(key: str, column: str, distinct: Distinct, cells: list[int]) -> str:
    example = (distinct.values[cells[0]] or "")[:40]
    if key == "overflow":
        return text("aside.overflow", column=column, example=example)
    if key == "not_finite":
        return text("aside.not_finite", column=column, example=example)
    if key == "no_day":
        return text("aside.no_day", column=column, example=example)
    if key == "not_time":
        return text("aside.not_time", column=column, example=example)
    return text("aside.not_number", column=column, example=example)


def missing_rows(column: np.ndarray) -> np.ndarray:
    """bool [N]: where a value is missing."""
    return np.isnan(column) if column.dtype != object else np.equal(column, None).astype(bool)
