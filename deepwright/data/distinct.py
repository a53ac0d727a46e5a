"""Distinct: a column as its different cells, and which of them each row has."""

from functools import cached_property

import numpy as np

from deepwright.data.cells import PLAIN, kind_of


class Distinct:
    """values: each cell once, None for missing; codes: whole numbers [N] into values.

    num_more: different cells beyond those, where they were only counted.
    """

    num_more: int = 0

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

    def __len__(self) -> int:
        return len(self.codes)

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

    def cells(self) -> np.ndarray:
        """object [N] of str, None where missing."""
        values = np.empty(len(self.values), dtype=object)
        values[:] = self.values
        return np.asarray(values[self.codes])

    def take(self, rows: np.ndarray | slice) -> "Distinct":
        """Some of the rows; cells that none of them has are gone."""
        codes = np.asarray(self.codes[rows])
        is_present = np.zeros(len(self.values), dtype=bool)
        is_present[codes] = True
        if is_present.all():
            return Distinct.of(self.values, codes)
        rank = np.cumsum(is_present, dtype=codes.dtype) - 1
        return Distinct.of([self.values[place] for place in np.flatnonzero(is_present)], rank[codes])
