"""Schema: what each feature is, which role it plays and what was seen of it in the training part."""

from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from deepwright.core.conformal import Conformal
from deepwright.core.errors import DataError, did_you_mean

Type = Literal["number", "category", "text", "timestamp", "image", "series"]
Role = Literal["input", "target", "weight", "group", "time", "ignore", "helper"]
"""helper: an input that a step may read and does not change; only inside of preparing."""
Problem = Literal["classification", "regression", "multi-label"]

Columns = dict[str, np.ndarray]
"""number, timestamp: float64 [N], NaN where missing; category, text: object [N] of str, None where missing.

image, series: object [N] of str, references that a step decodes (`data/media.py`).
"""


class Feature(BaseModel):
    """One column. low, high and levels are of the training part; timestamps are seconds since 1970 in UTC.

    separator: what stands between the labels in a cell of a target of several labels, which are its levels; None: a
    cell is one level.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: Type
    role: Role = "input"
    known_at: Literal["prediction", "afterwards"] = "prediction"
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] = ()
    can_be_missing: bool = True
    reason: str = ""
    separator: str | None = None

    def labels_of(self, cell: str) -> tuple[str, ...]:
        """The labels in a cell; none in an empty one."""
        assert self.separator is not None, f"a cell of {self.name} is one level"
        return tuple(cell.split(self.separator)) if cell else ()


class Schema(BaseModel):
    """The single source for cleaning rules, network inputs and heads, request validation and drift.

    threshold: of two classes the second is answered from this probability on; None: the more probable one.
    costs: [K][K], what answering each level (inner) costs where each (outer) is true: the level of the least expected
    cost is answered; None: all faults cost the same.
    conformal: what gives each answer its interval or set; None: neither.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[Feature, ...]
    threshold: float | None = None
    costs: tuple[tuple[float, ...], ...] | None = None
    conformal: Conformal | None = None

    def __getitem__(self, name: str) -> Feature:
        for feature in self.features:
            if feature.name == name:
                return feature
        known = [f.name for f in self.features]
        raise DataError("schema.no_column", column=name, known=", ".join(known), hint=did_you_mean(name, known))

    def __contains__(self, name: object) -> bool:
        return any(f.name == name for f in self.features)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.features)

    @property
    def inputs(self) -> tuple[Feature, ...]:
        return tuple(f for f in self.features if f.role == "input")

    @property
    def has_target(self) -> bool:
        return any(f.role == "target" for f in self.features)

    @property
    def target(self) -> Feature:
        for feature in self.features:
            if feature.role == "target":
                return feature
        raise DataError("schema.no_target", known=", ".join(self.names))

    def of_role(self, role: Role) -> Feature | None:
        """The first feature of that role, if there is one."""
        return next((f for f in self.features if f.role == role), None)

    @property
    def problem(self) -> Problem:
        if self.target.separator is not None:
            return "multi-label"
        return "classification" if self.target.type == "category" else "regression"

    def with_feature(self, name: str, **changes: Any) -> "Schema":
        """This schema with one feature changed."""
        changed = (Feature(**{**f.model_dump(), **changes}) if f.name == name else f for f in self.features)
        return Schema(features=tuple(changed), threshold=self.threshold, costs=self.costs)

    def columns(self, rows: list[dict[str, Any]]) -> Columns:
        """Rows as JSON has them (one mapping each) to columns of the inputs, strictly typed.

        Raises DataError naming row and field: a missing or extra field, a number where a text stands, NaN, infinity.
        A level or a number never seen in training is no error here; `out_of_range` flags it.
        """
        inputs = self.inputs
        known = {f.name for f in self.features}
        for index, row in enumerate(rows):
            if not isinstance(row, dict):
                raise DataError("rows.not_a_mapping", row=index, found=type(row).__name__)
            for name in row:
                if name not in known:
                    raise DataError("rows.unknown_field", row=index, field=name, hint=did_you_mean(name, sorted(known)))
        return {f.name: _column(f, rows) for f in inputs}

    def out_of_range(self, columns: Columns) -> np.ndarray:
        """bool [N]: rows in which some input lies outside what the training part showed."""
        names, lows_F1, highs_F1, may_miss_F1 = self._ranges
        size = len(columns[self.inputs[0].name]) if self.inputs else 0
        flags = np.zeros(size, dtype=bool)
        if names:
            x_FN = np.concatenate([columns[name] for name in names]).reshape(len(names), size)  # all columns at once
            inside = (x_FN >= lows_F1) & (x_FN <= highs_F1) | may_miss_F1 & np.isnan(x_FN)
            flags |= ~inside.all(axis=0)
        for name, seen in self._seen:
            flags |= np.fromiter((value not in seen for value in columns[name]), bool, size)
        return flags

    @cached_property
    def _ranges(self) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray]:
        """The number columns among the inputs; their lows, highs and whether they may be missing, each [F, 1]."""
        numbers = [f for f in self.inputs if f.type in ("number", "timestamp")]
        known = [f.low is not None and f.high is not None for f in numbers]
        lows = [f.low if is_known else -np.inf for f, is_known in zip(numbers, known, strict=True)]
        highs = [f.high if is_known else np.inf for f, is_known in zip(numbers, known, strict=True)]
        upright = (
            np.array(lows, np.float64)[:, None],
            np.array(highs, np.float64)[:, None],
            np.array([f.can_be_missing for f in numbers], bool)[:, None],
        )
        return (tuple(f.name for f in numbers), *upright)

    @cached_property
    def _seen(self) -> tuple[tuple[str, frozenset[str | None]], ...]:
        """What each category among the inputs may hold; None stands for missing."""
        return tuple(
            (f.name, frozenset([*f.levels, None] if f.can_be_missing else f.levels))
            for f in self.inputs
            if f.type == "category"
        )


def _column(feature: Feature, rows: list[dict[str, Any]]) -> np.ndarray:
    is_number = feature.type in ("number", "timestamp")
    column = np.empty(len(rows), dtype=np.float64 if is_number else object)
    for index, row in enumerate(rows):
        if feature.name not in row:
            raise DataError("rows.missing_field", row=index, field=feature.name)
        value = row[feature.name]
        if value is None:
            column[index] = np.nan if is_number else None
        elif is_number:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise DataError("rows.not_a_number", row=index, field=feature.name, found=_shown(value))
            if not abs(value) <= 1.7e308:
                raise DataError("rows.not_finite", row=index, field=feature.name, found=_shown(value))
            column[index] = value
        else:
            is_file = feature.type == "image" and isinstance(value, bytes)
            if not isinstance(value, str) and not is_file:
                raise DataError("rows.not_a_text", row=index, field=feature.name, found=_shown(value))
            column[index] = value
    return column


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
