"""Raw: rows as they came, every cell a text, before anything is interpreted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from deepwright.core.report import Finding, SetAside
from deepwright.data.cells import kind_of
from deepwright.data.table import Table

ROWS_SHOWN = 20


class Distinct:
    """A column as its distinct cells. values: each cell once, None for missing; codes: int64 [N] into values."""

    def __init__(self, cells: np.ndarray) -> None:
        self.values: list[str | None] = list(dict.fromkeys(cells))
        number = {value: index for index, value in enumerate(self.values)}
        self.codes = np.fromiter(map(number.__getitem__, cells), np.int64, len(cells))

    @cached_property
    def counts(self) -> np.ndarray:
        """int64 [V]: how often each distinct cell occurs."""
        return np.bincount(self.codes, minlength=len(self.values))

    @cached_property
    def kinds(self) -> list[str]:
        """What each distinct cell looks like, in the words of `cells.kind_of`; `missing` for None."""
        return ["missing" if value is None else kind_of(value) for value in self.values]


@dataclass(frozen=True, eq=False)
class Raw:
    """Rows of one source.

    cells: column > object [N] of str (stripped, Unicode NFC), None where empty. origin: int64 [N], the number of each row
    in its source, from 1, header and blank lines not counted. sha256: of the file's bytes or the content handed over;
    empty for a chunk. options: how the cells are to be interpreted.
    """

    names: tuple[str, ...]
    cells: Mapping[str, np.ndarray]
    origin: np.ndarray
    source: str
    sha256: str
    options: Table
    set_aside: tuple[SetAside, ...] = ()
    findings: tuple[Finding, ...] = ()
    _distinct: dict[str, Distinct] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def rows_in(self) -> int:
        """Every row the source held: those here and those set aside."""
        return len(self.origin) + sum(entry.count for entry in self.set_aside)

    def distinct(self, name: str) -> Distinct:
        if name not in self._distinct:
            self._distinct[name] = Distinct(self.cells[name])
        return self._distinct[name]

    def with_cells(self, changed: Mapping[str, np.ndarray], findings: tuple[Finding, ...] = ()) -> "Raw":
        """The same rows with some columns' cells changed."""
        kept = {name: known for name, known in self._distinct.items() if name not in changed}
        return replace(self, cells={**self.cells, **changed}, findings=self.findings + findings, _distinct=kept)


class Asides:
    """Rows set aside so far, by reason; the first rows of each are kept by number."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.rows: dict[str, list[int]] = {}

    def add(self, reason: str, rows: Iterable[int], count: int | None = None) -> None:
        rows = [int(row) for row in rows]
        number = len(rows) if count is None else count
        if number:
            self.counts[reason] = self.counts.get(reason, 0) + number
            known = self.rows.setdefault(reason, [])
            known += rows[: ROWS_SHOWN - len(known)]

    def add_all(self, entries: Iterable[SetAside]) -> "Asides":
        for entry in entries:
            self.add(entry.reason, entry.rows, entry.count)
        return self

    def records(self) -> tuple[SetAside, ...]:
        return tuple(
            SetAside(reason=reason, count=count, rows=tuple(self.rows[reason])) for reason, count in self.counts.items()
        )
