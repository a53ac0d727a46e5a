"""Raw: rows as they came, every cell a text, before anything is interpreted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from deepwright.core.report import Finding, SetAside
from deepwright.core.schema import Role
from deepwright.data.cells import PLAIN, kind_of
from deepwright.data.table import Table
from deepwright.data.tidy import Tidied

ROWS_SHOWN = 20


class Distinct:
    """A column as its distinct cells. values: each cell once, None for missing; codes: int64 [N] into values."""

    def __init__(self, cells: np.ndarray) -> None:
        self.values: list[str | None] = list(dict.fromkeys(cells))
        number = {value: index for index, value in enumerate(self.values)}
        self.codes = np.fromiter(map(number.__getitem__, cells), np.int64, len(cells))

    @classmethod
    def of(cls, values: list[str | None], codes: np.ndarray) -> "Distinct":
        """From cells that are known to differ."""
        found = cls.__new__(cls)
        found.values, found.codes = values, codes
        return found

    @cached_property
    def counts(self) -> np.ndarray:
        """int64 [V]: how often each distinct cell occurs."""
        return np.bincount(self.codes, minlength=len(self.values))

    @cached_property
    def kinds(self) -> list[str]:
        """What each distinct cell looks like, in the words of `cells.kind_of`; `missing` for None."""
        plain = PLAIN.fullmatch
        return [
            "missing" if v is None else ("decimal" if "." in v else "whole") if plain(v) else kind_of(v)
            for v in self.values
        ]


@dataclass(frozen=True)
class SourceFile:
    """One of the files (or tables, or archives) that rows came from. rows: those it held, set-aside ones too."""

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, eq=False)
class Raw:
    """Rows of one source.

    cells: column > object [N] of str (stripped, Unicode NFC), None where empty. origin: int64 [N], the number of each
    row in its source, from 1, header and blank lines not counted. sha256: of the file's bytes or the content handed
    over; empty for a chunk. options: how the cells are to be interpreted. forms: what each column's values are by the
    file itself (number, text, truth value, time, or document, image, series), where its format says so.

    files: where the rows came from, in order. file_of: int32 [N], the place of each row's file; None: there is one.
    part: int8 [N], the part that the data themselves give each row (0 train, 1 validation, 2 test, -1 none); None: the
    data give none. digests: column > object [N] of str, a hash of what a reference stands for; it counts as the cell
    where rows are compared. roles: of columns whose source knows them, as the time of a series.
    """

    names: tuple[str, ...]
    cells: Mapping[str, np.ndarray]
    origin: np.ndarray
    source: str
    sha256: str
    options: Table
    set_aside: tuple[SetAside, ...] = ()
    tidied: Tidied = field(default_factory=Tidied)
    notes: tuple[Finding, ...] = ()
    forms: Mapping[str, str] = field(default_factory=dict)
    files: tuple[SourceFile, ...] = ()
    file_of: np.ndarray | None = None
    part: np.ndarray | None = None
    digests: Mapping[str, np.ndarray] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    _distinct: dict[str, Distinct] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def rows_in(self) -> int:
        """Every row the source held: those here and those set aside."""
        return len(self.origin) + sum(entry.count for entry in self.set_aside)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What reading found and what it changed."""
        return self.notes + self.tidied.findings(self.source)

    def distinct(self, name: str) -> Distinct:
        if name not in self._distinct:
            self._distinct[name] = Distinct(self.cells[name])
        return self._distinct[name]

    def take(self, rows: np.ndarray) -> "Raw":
        """Some of the rows (indices or a mask); what was found and set aside while reading stays behind."""
        return replace(
            self,
            cells={name: cells[rows] for name, cells in self.cells.items()},
            origin=self.origin[rows],
            set_aside=(),
            tidied=Tidied(),
            notes=(),
            file_of=None if self.file_of is None else self.file_of[rows],
            part=None if self.part is None else self.part[rows],
            digests={name: hashes[rows] for name, hashes in self.digests.items()},
            _distinct={},
        )

    def with_cells(self, changed: Mapping[str, np.ndarray], notes: tuple[Finding, ...] = ()) -> "Raw":
        """The same rows with some columns' cells changed."""
        kept = {name: known for name, known in self._distinct.items() if name not in changed}
        return replace(self, cells={**self.cells, **changed}, notes=self.notes + notes, _distinct=kept)


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


def merge(chunks: Iterable[Raw]) -> Raw:
    """Chunks of one source as one; equal cells of a column become one object, so that memory holds each once."""
    index: dict[str, dict[str | None, int]] = {}
    codes: dict[str, list[np.ndarray]] = {}
    origins, notes, asides, tidied = [], [], Asides(), Tidied()
    for chunk in chunks:
        for name in chunk.names:
            known = index.setdefault(name, {})
            distinct = chunk.distinct(name)
            places = np.array([known.setdefault(value, len(known)) for value in distinct.values], np.int64)
            codes.setdefault(name, []).append(places[distinct.codes])
        origins.append(chunk.origin)
        notes += chunk.notes
        asides.add_all(chunk.set_aside)
        tidied.add(chunk.tidied)
    cells, whole = {}, {}
    for name, known in index.items():
        values = np.empty(len(known), dtype=object)
        values[:] = list(known)
        whole[name] = Distinct.of(list(known), np.concatenate(codes.pop(name)))
        cells[name] = values[whole[name].codes]
    return replace(
        chunk,
        cells=cells,
        origin=np.concatenate(origins),
        set_aside=asides.records(),
        tidied=tidied,
        notes=tuple(notes),
        _distinct=whole,
    )
