"""Survey: what the columns of a table show when its rows are read through and not held."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from deepwright.core.report import Finding
from deepwright.data.distinct import Distinct
from deepwright.data.numbers import Numbers
from deepwright.data.raw import Asides, Column, LazyCells, Raw
from deepwright.data.tidy import Tidied

CELLS_HELD = 100_000
"""Different cells of a column that are held; further ones are counted by what they look like."""


COUNTED_ROWS = 500_000
"""Rows of numbers in whose chunks different values are counted; that there are many is known by then."""


class Survey:
    """Chunks of rows, counted; `raw()` stands for all of them where types are inferred, and holds no row."""

    def __init__(self) -> None:
        self.rows = 0
        self.tallies: dict[str, Tally] = {}
        self.notes: list[Finding] = []
        self.asides, self.tidied = Asides(), Tidied()
        self._last: Raw | None = None

    def add(self, chunk: Raw) -> None:
        for name in chunk.names:
            self.tallies.setdefault(name, Tally()).add(chunk.column(name))
        self.rows += len(chunk)
        self.notes += chunk.notes
        self.asides.add_all(chunk.set_aside)
        self.tidied.add(chunk.tidied)
        self._last = chunk

    def raw(self) -> Raw:
        """The table without its rows: as many as there are, and what each column shows."""
        last = self._last
        assert last is not None, "nothing has been surveyed"
        columns: dict[str, Column] = {name: tally.column() for name, tally in self.tallies.items()}
        numbers = np.broadcast_to(np.int64(0), self.rows)
        return Raw(
            last.names, LazyCells(columns), numbers, last.source, last.sha256, last.options,
            self.asides.records(), self.tidied, tuple(self.notes),
        )  # fmt: skip


class Counted(Distinct):
    """Distinct cells with their counts, and no rows."""

    def __init__(self, counts: dict[str | None, int], num_more: int) -> None:
        self.values = list(counts)
        self.codes = np.zeros(0, np.int32)
        self.num_more = num_more
        self._counts = np.array(list(counts.values()), np.int64)

    @property
    def counts(self) -> np.ndarray:
        return self._counts


class CountedNumbers(Numbers):
    """A column of numbers that was read through."""

    has_rows = False

    def __init__(self, tally: "Tally", others: Counted) -> None:
        object.__setattr__(self, "values", np.zeros(0))
        object.__setattr__(self, "decimals", np.zeros(0, np.int8))
        object.__setattr__(self, "others", others)
        object.__setattr__(self, "tally", tally)

    @property
    def num_whole(self) -> int:
        return self._tally.num_whole

    @property
    def num_plain(self) -> int:
        return self._tally.num_plain

    @property
    def _tally(self) -> "Tally":
        found: Tally = self.__dict__["tally"]
        return found

    def num_distinct(self) -> int:
        """As many as the widest chunk has; where no gap is left between whole numbers, each is another."""
        tally = self._tally
        is_count = tally.all_whole and tally.high - tally.low == tally.num_plain - 1
        return tally.num_plain if is_count else tally.most_distinct

    def is_whole(self) -> bool:
        return self._tally.all_whole

    def parts(self) -> Iterator[np.ndarray]:
        yield np.array([self._tally.low, self._tally.high])

    def first(self) -> str:
        return self._tally.example


class Tally:
    """One column over all chunks."""

    def __init__(self) -> None:
        self.counts: dict[str | None, int] = {}
        self.more: Counter[str] = Counter()
        self.shown: dict[str, str | None] = {}
        self.unseen_share = 0.0
        self.is_numbers = False
        self.num_plain = self.num_whole = self.most_distinct = 0
        self.all_whole, self.low, self.high, self.example = True, np.inf, -np.inf, ""

    def add(self, column: Column) -> None:
        if isinstance(column, Numbers) and not self.is_numbers:
            self.is_numbers = True
            before, self.counts = self.counts, {}
            if before:
                codes = np.repeat(np.arange(len(before)), list(before.values()))
                self.add(Numbers.of_cells(Distinct.of(list(before), codes)))
        if self.is_numbers:
            numbers = column if isinstance(column, Numbers) else Numbers.of_cells(column)
            self._add_numbers(numbers)
            self._add_cells(numbers.others)
        else:
            assert isinstance(column, Distinct)
            self._add_cells(column)

    def column(self) -> Column:
        counts = dict(self.counts)
        for kind, number in self.more.items():
            counts[self.shown[kind]] += number
        present = sum(n for cell, n in counts.items() if cell is not None)
        num_more = int(self.unseen_share * present) - len(counts) if self.more else 0
        counted = Counted(counts, max(num_more, 0))
        return CountedNumbers(self, counted) if self.is_numbers else counted

    def _add_numbers(self, numbers: Numbers) -> None:
        if not numbers.num_plain:
            return
        self.num_plain += numbers.num_plain
        self.num_whole += numbers.num_whole
        self.all_whole = self.all_whole and numbers.is_whole()
        for part in numbers.parts():
            self.low, self.high = min(self.low, float(part.min())), max(self.high, float(part.max()))
        if self.num_plain < COUNTED_ROWS:
            self.most_distinct = max(self.most_distinct, numbers.num_distinct())
        self.example = self.example or numbers.first()

    def _add_cells(self, distinct: Distinct) -> None:
        unseen = []
        for place, (value, number) in enumerate(zip(distinct.values, distinct.counts.tolist(), strict=True)):
            if value in self.counts:
                self.counts[value] += number
            elif len(self.counts) < CELLS_HELD:
                self.counts[value] = number
            else:
                unseen.append(place)
        if unseen:
            kinds = Distinct.of([distinct.values[place] for place in unseen], np.zeros(0, np.int32)).kinds
            for place, kind in zip(unseen, kinds, strict=True):
                self.more[kind] += int(distinct.counts[place])
                if kind not in self.shown:
                    self.shown[kind] = distinct.values[place]
                    self.counts[distinct.values[place]] = 0
        if self.more:
            self.unseen_share = sum(int(distinct.counts[place]) for place in unseen) / max(len(distinct), 1)
