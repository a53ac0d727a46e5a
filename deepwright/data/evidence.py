"""What a column's cells look like, counted; from it the type, with the reason on record."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deepwright.core.errors import AskError
from deepwright.core.schema import Type
from deepwright.core.text import text
from deepwright.data.distinct import Distinct
from deepwright.data.numbers import OTHER, Numbers
from deepwright.data.raw import Raw

MOST = 0.9
"""Share of a column's cells that must be numbers (or times) for the others to count as faults."""

TEXT_CHARACTERS = 30
TEXT_DISTINCT_SHARE = 0.5

BOOLEAN_STYLES = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("1", "0"))


@dataclass(frozen=True)
class Evidence:
    """counts: cells per kind of `cells.kind_of`, missing ones left out. source: the file, as errors name it.

    distinct: the cells to be looked at one by one. numbers: beside them, a column kept as numbers; its `others` are
    `distinct` then.
    """

    distinct: Distinct
    missing: frozenset[str]
    source: str = ""
    numbers: Numbers | None = None

    @classmethod
    def read(cls, raw: Raw, name: str, missing: frozenset[str]) -> "Evidence":
        """A column's, in the most compact form that shows its type: numbers only where nearly all cells are some."""
        column = raw.column(name)
        if isinstance(column, Numbers):
            found = cls(column.others, missing, raw.source, column)
            if not column.has_rows or column.num_plain >= MOST * found.present:
                return found
        return cls(raw.distinct(name), missing, raw.source)

    @cached_property
    def counts(self) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        if self.numbers is not None:
            found["whole"] = self.numbers.num_whole
            found["decimal"] = self.numbers.num_plain - found["whole"]
        counts = self.distinct.counts.tolist()
        for kind, count in zip(self.distinct.kinds, counts, strict=True):
            found[kind] += count
        for place in [self.distinct.values.index(value) for value in self.missing & set(self.distinct.values)]:
            found[self.distinct.kinds[place]] -= counts[place]
        return {kind: count for kind, count in found.items() if count and kind not in ("missing", "question")}

    def is_missing(self, value: str | None) -> bool:
        """An empty cell, a lone ?, or a text that the options call missing."""
        return value is None or value == "?" or value in self.missing

    @cached_property
    def present(self) -> int:
        return sum(self.counts.values())

    @cached_property
    def values(self) -> list[str]:
        """The distinct cells that are not missing."""
        missing = self.missing | {"?"}
        return [value for value in self.distinct.values if value is not None and value not in missing]

    @cached_property
    def num_distinct(self) -> int:
        return len(self.values) + self.distinct.num_more + (0 if self.numbers is None else self.numbers.num_distinct())

    def spread(self, values: np.ndarray) -> np.ndarray:
        """[N]: for each row the value of its distinct cell, or its number."""
        if self.numbers is None:
            return np.asarray(values[self.distinct.codes])
        column = np.array(self.numbers.values)
        column[self.numbers.decimals == OTHER] = values[self.distinct.codes]
        return column

    def rows_of(self, places: list[int]) -> np.ndarray:
        """bool [N]: the rows that have one of these distinct cells."""
        is_one = np.zeros(len(self.distinct.values), dtype=bool)
        is_one[places] = True
        if self.numbers is None:
            return np.asarray(is_one[self.distinct.codes])
        rows: np.ndarray = self.numbers.decimals == OTHER
        rows[rows] = is_one[self.distinct.codes]
        return rows

    def of(self, *kinds: str) -> int:
        return sum(self.counts.get(kind, 0) for kind in kinds)

    def example(self, *kinds: str) -> str:
        """The first cell of one of these kinds."""
        if self.numbers is not None and {"whole", "decimal"} & set(kinds) and self.numbers.num_plain:
            return self.numbers.first()
        for value, kind in zip(self.distinct.values, self.distinct.kinds, strict=True):
            if kind in kinds and value is not None and not self.is_missing(value):
                return value[:40]
        return ""

    @cached_property
    def is_whole(self) -> bool:
        """Whether every number is whole, as 3 or 3.0."""
        if self.numbers is not None and not self.numbers.is_whole():
            return False
        return all(
            float(value) == int(float(value))
            for value, kind in zip(self.distinct.values, self.distinct.kinds, strict=True)
            if kind in ("whole", "decimal") and value is not None and not self.is_missing(value)
        )


def type_of(column: str, evidence: Evidence, *, may_ask: bool = True) -> tuple[Type, str]:
    """The column's type and why. may_ask: an ambiguous column is asked about, else it is a category.

    Raises AskError for decimal commas, thousands, 01/02/2024, mixed words for true and false, and texts among numbers
    that may mean missing.
    """
    numbers = evidence.of("whole", "decimal", "overflow")
    base = evidence.present - evidence.of("maybe_missing", "not_finite")
    if not base:
        return "category", text("why.empty")
    if evidence.of("zeros") and evidence.of("zeros", "whole", "big") >= MOST * base:
        return "category", text("why.zeros", example=evidence.example("zeros"))
    if evidence.of("big") and not evidence.of("decimal") and evidence.of("whole", "big") >= MOST * base:
        return "category", text("why.big", example=evidence.example("big"))
    if numbers + evidence.of("zeros", "big") >= MOST * base:
        _ask_missing(column, evidence, may_ask)
        return "number", text("why.number", count=numbers, of=evidence.present)
    if evidence.of("day", "time", "no_day") >= MOST * base:
        _ask_missing(column, evidence, may_ask)
        return "timestamp", text("why.timestamp", example=evidence.example("day", "time"))
    if may_ask:
        _ask_form(column, evidence, numbers, base)
    if _is_text(evidence):
        return "text", text("why.text", distinct=evidence.num_distinct, of=evidence.present)
    return "category", text("why.category", distinct=evidence.num_distinct, example=evidence.values[0][:40])


def _ask_missing(column: str, evidence: Evidence, may_ask: bool) -> None:
    if may_ask and evidence.of("maybe_missing"):
        found = evidence.example("maybe_missing")
        count = evidence.of("maybe_missing")
        raise AskError("types.ask_missing", source=evidence.source, column=column, found=found, count=count)


def _ask_form(column: str, evidence: Evidence, numbers: int, base: int) -> None:
    commas = evidence.of("thousands", "decimal_comma")
    if commas and numbers + commas >= MOST * base:
        kind = "thousands" if evidence.of("thousands") else "decimal_comma"
        raise AskError("types.ask_comma", source=evidence.source, column=column, found=evidence.example(kind))
    if evidence.of("slash_day", "no_day", "day", "time") >= MOST * base:
        raise AskError("types.ask_day", source=evidence.source, column=column, found=evidence.example("slash_day"))
    words = {value.lower() for value in evidence.values}
    styles = [style for style in BOOLEAN_STYLES if words & set(style)]
    if len(styles) > 1 and words <= {word for style in BOOLEAN_STYLES for word in style}:
        truths = {
            value: str(any(value.lower() == style[0] for style in BOOLEAN_STYLES)).lower() for value in evidence.values
        }
        line = f"{column}:" + ",".join(f"{value}={truth}" for value, truth in truths.items() if value != truth)
        found = ", ".join(evidence.values)
        raise AskError("types.ask_boolean", source=evidence.source, column=column, found=found, line=line)


def _is_text(evidence: Evidence) -> bool:
    """Long and mostly unique; a character of Chinese, Japanese or Korean says about as much as two others."""
    if evidence.num_distinct < TEXT_DISTINCT_SHARE * evidence.present:
        return False
    total = sum(
        (len(value) if value.isascii() else sum(2 if c >= "\u2e80" else 1 for c in value)) * count
        for value, count in zip(evidence.distinct.values, evidence.distinct.counts.tolist(), strict=True)
        if value is not None and not evidence.is_missing(value)
    )
    return bool(total >= TEXT_CHARACTERS * evidence.present)
