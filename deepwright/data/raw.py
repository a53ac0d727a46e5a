"""Raw: rows as they came, every cell a text, before anything is interpreted."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from deepwright.core.report import Finding, SetAside
from deepwright.core.schema import Role
from deepwright.core.text import text
from deepwright.data.distinct import Distinct
from deepwright.data.numbers import Numbers
from deepwright.data.table import Table
from deepwright.data.tidy import Tidied

Column = Distinct | Numbers

ROWS_SHOWN = 20


class LazyCells(Mapping[str, np.ndarray]):
    """Cells that are made of compact columns when they are asked for: column > object [N]."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = dict(columns)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name].cells()

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def take(self, rows: np.ndarray | slice) -> "LazyCells":
        return LazyCells({name: column.take(rows) for name, column in self.columns.items()})


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
        """The column as its different cells."""
        if name not in self._distinct:
            column = self.cells.columns[name] if isinstance(self.cells, LazyCells) else None
            self._distinct[name] = column if isinstance(column, Distinct) else Distinct(self.cells[name])
        return self._distinct[name]

    def column(self, name: str) -> Column:
        """The column in its most compact form."""
        if isinstance(self.cells, LazyCells) and name not in self._distinct:
            return self.cells.columns[name]
        return self.distinct(name)

    def take(self, rows: np.ndarray | slice) -> "Raw":
        """Some of the rows (a mask, a slice, or indices); what was found and set aside while reading stays behind."""
        if isinstance(self.cells, LazyCells):
            cells: Mapping[str, np.ndarray] = self.cells.take(rows)
        else:
            cells = {name: column[rows] for name, column in self.cells.items()}
        return replace(
            self,
            cells=cells,
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
        if isinstance(self.cells, LazyCells):
            columns = self.cells.columns | {name: Distinct(cells) for name, cells in changed.items()}
            cells: Mapping[str, np.ndarray] = LazyCells(columns)
        else:
            cells = {**self.cells, **changed}
        return replace(self, cells=cells, notes=self.notes + notes, _distinct=kept)


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

    def add_rows(self, reason: str, raw: Raw, rows: np.ndarray) -> None:
        """Rows of a source by their mask; where it has several files, the reason names theirs."""
        if raw.file_of is None:
            self.add(reason, raw.origin[rows])
            return
        for place in np.unique(raw.file_of[rows]):
            located = text("aside.in_file", file=raw.files[place].name, reason=reason)
            self.add(located, raw.origin[rows & (raw.file_of == place)])

    def add_all(self, entries: Iterable[SetAside]) -> "Asides":
        for entry in entries:
            self.add(entry.reason, entry.rows, entry.count)
        return self

    def records(self) -> tuple[SetAside, ...]:
        return tuple(
            SetAside(reason=reason, count=count, rows=tuple(self.rows[reason])) for reason, count in self.counts.items()
        )


def merge(chunks: Iterable[Raw]) -> Raw:
    """Chunks of one source as one; memory holds equal cells once, and columns of numbers as numbers."""
    merged: dict[str, Merged] = {}
    origins: list[np.ndarray] = []
    notes: list[Finding] = []
    asides, tidied = Asides(), Tidied()
    for chunk in chunks:
        for name in chunk.names:
            merged.setdefault(name, Merged(chunk.options.missing)).add(chunk.column(name))
        origins.append(chunk.origin)
        notes += chunk.notes
        asides.add_all(chunk.set_aside)
        tidied.add(chunk.tidied)
    return replace(
        chunk,
        cells=LazyCells({name: merged.pop(name).column() for name in chunk.names}),
        origin=np.concatenate(origins),
        set_aside=asides.records(),
        tidied=tidied,
        notes=tuple(notes),
        _distinct={},
    )


class Merged:
    """One column out of those of chunks. missing: texts that mean a missing value."""

    def __init__(self, missing: Collection[str]) -> None:
        self.missing = missing
        self.known: dict[str | None, int] = {}
        self.codes: list[np.ndarray] = []
        self.values: list[np.ndarray] = []
        self.decimals: list[np.ndarray] = []
        self.is_numbers = False

    def add(self, column: Column) -> None:
        if isinstance(column, Numbers) and not self.is_numbers:
            before = self._distinct()
            self.is_numbers, self.known, self.codes = True, {}, []
            if len(before):
                self._add_numbers(Numbers.of_cells(before, self.missing))
        if self.is_numbers:
            numbers = column if isinstance(column, Numbers) else Numbers.of_cells(column, self.missing)
            self._add_numbers(numbers)
        else:
            assert isinstance(column, Distinct)
            self._add_codes(column)

    def column(self) -> Column:
        if not self.is_numbers:
            return self._distinct()
        return Numbers(np.concatenate(self.values), np.concatenate(self.decimals), self._distinct())

    def _distinct(self) -> Distinct:
        codes = np.concatenate(self.codes) if self.codes else np.zeros(0, np.int32)
        return Distinct.of(list(self.known), codes)

    def _add_numbers(self, column: Numbers) -> None:
        self.values.append(column.values)
        self.decimals.append(column.decimals)
        self._add_codes(column.others)

    def _add_codes(self, distinct: Distinct) -> None:
        known = self.known
        places = np.array([known.setdefault(value, len(known)) for value in distinct.values], np.int32)
        self.codes.append(places[distinct.codes])
