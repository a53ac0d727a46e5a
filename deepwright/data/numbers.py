"""Numbers: a column of mostly plain numbers as float64, with what gives the text of every cell back."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deepwright.data.distinct import Distinct
from deepwright.data.tidy import Tidied, tidy

if TYPE_CHECKING:
    import pyarrow as pa

    from deepwright.data.table import Table

DIGITS = 15
"""Decimal digits that float64 gives back as they were written."""

OTHER = -1
SHORTEST = 100
"""In place of a number of decimals: the text is the shortest that means this float64, as Python and pandas write it."""

PART = 1 << 20
"""Rows looked at at a time."""

MINUS, ZERO, SPACE = b"-0 "
FORM = re.compile(r"-?(0|[1-9]\d{0,14})(?:\.(\d{1,99}))?", re.ASCII)


@dataclass(frozen=True, eq=False)
class Numbers:
    """Cells of one column: plain numbers such as -12.50 by their value, the others as texts.

    values: float64 [N], NaN where a cell is no plain number. decimals: int8 [N], the digits behind its point, SHORTEST
    for more digits than 15, OTHER where it is none. others: the cells there, codes [M] in the order of the rows.

    >>> column = Numbers.of_cells(Distinct(np.array(["1.50", None, "-0", "00501"], dtype=object)))
    >>> column.values.tolist()[::2], column.decimals.tolist(), column.cells().tolist()
    ([1.5, -0.0], [2, -1, 0, -1], ['1.50', None, '-0', '00501'])
    """

    has_rows: ClassVar[bool] = True

    values: np.ndarray
    decimals: np.ndarray
    others: Distinct

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of_cells(cls, distinct: Distinct, missing: Collection[str] = ()) -> "Numbers":
        """From cells that were read one by one. missing: numbers that mean a missing value; they stay texts."""
        known = [(np.nan, OTHER) if value in missing else _plain(value) for value in distinct.values]
        decimals = np.array([place for _, place in known], np.int8)[distinct.codes]
        values = np.array([value for value, _ in known], np.float64)[distinct.codes]
        return cls(values, decimals, distinct.take(decimals == OTHER))

    @property
    def num_whole(self) -> int:
        return int((self.decimals == 0).sum())

    @property
    def num_plain(self) -> int:
        return len(self) - len(self.others.codes)

    def take(self, rows: np.ndarray | slice) -> "Numbers":
        """Some of the rows: a mask, a slice or indices."""
        decimals = self.decimals[rows]
        is_other = decimals == OTHER
        others = self.others
        if isinstance(rows, slice):
            start = rows.indices(len(self))[0]
            before = int((self.decimals[:start] == OTHER).sum()) if len(others) and start else 0
            others = others.take(slice(before, before + int(is_other.sum())))
        elif len(others):
            places = np.cumsum(self.decimals == OTHER) - 1
            others = others.take(places[rows][is_other])
        return Numbers(self.values[rows], decimals, others)

    def cells(self) -> np.ndarray:
        """object [N] of str, None where empty: every cell as it was, without the space around it."""
        found = np.empty(len(self), dtype=object)
        pairs = zip(self.values.tolist(), self.decimals.tolist(), strict=True)
        found[:] = [_text(value, places) for value, places in pairs]
        found[self.decimals == OTHER] = self.others.cells()
        return found

    def num_distinct(self) -> int:
        """Different plain cells; `1` and `1.0` are two."""
        bits = self.values.view(np.uint64)
        return sum(len(np.unique(bits[self.decimals == place])) for place in self._places())

    def _places(self) -> list[int]:
        counts = np.bincount(self.decimals.view(np.uint8), minlength=256)
        return [int(place) for place in np.flatnonzero(counts) if place != np.uint8(np.int8(OTHER).view(np.uint8))]

    def is_whole(self) -> bool:
        """Whether every plain cell is a whole number, as 3 or 3.0."""
        return all(bool((part == np.floor(part)).all()) for part in self.parts())

    def parts(self) -> Iterator[np.ndarray]:
        """float64 [n]: the values of the plain cells, some rows at a time."""
        for start in range(0, len(self), PART):
            rows = slice(start, start + PART)
            yield self.values[rows][self.decimals[rows] != OTHER]

    def first(self) -> str:
        """The first plain cell."""
        place = int((self.decimals != OTHER).argmax())
        return _text(float(self.values[place]), int(self.decimals[place]))


def read_numbers(name: str, cells: "pa.StringArray", options: "Table", tidied: Tidied) -> Numbers:
    """A column of texts (none of them null) as numbers; what is no plain number becomes a cell as anywhere else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.ascii_trim(cells, " ") if _has_spaces(cells) else cells
    is_plain, decimals, is_long = _plain_forms(trimmed)
    texts = trimmed if is_plain.all() else pc.if_else(pa.array(is_plain), trimmed, "0")
    values = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
    if is_long.any():
        is_shortest = np.zeros(len(values), dtype=bool)
        is_shortest[is_long] = _are_shortest(values[is_long], trimmed.filter(pa.array(is_long)))
        is_plain &= ~is_long | is_shortest
        decimals[is_long] = SHORTEST
    for known in map(_plain, options.missing):
        is_plain &= ~((values == known[0]) & (decimals == known[1]))  # a number that means missing is a cell apart
    if trimmed is not cells:
        lost = pc.binary_length(cells).to_numpy() - pc.binary_length(trimmed).to_numpy()
        tidied.spaces += int(lost[is_plain].sum())
    if is_plain.all():
        return Numbers(values, decimals, Distinct.of([], np.zeros(0, np.int32)))
    values = np.where(is_plain, values, np.nan)
    decimals[~is_plain] = OTHER
    rest = cells.filter(pa.array(~is_plain)).dictionary_encode()
    return Numbers(values, decimals, tidy_distinct(name, rest, options, tidied))


def tidy_distinct(name: str, coded: "pa.DictionaryArray", options: "Table", tidied: Tidied) -> Distinct:
    """Coded texts as cells made plain; cells that became equal share one code."""
    texts: list[str | None] = coded.dictionary.to_pylist()
    codes = coded.indices.to_numpy(zero_copy_only=False)
    times = np.bincount(codes, minlength=len(texts)).tolist()
    cells = tidy(name, texts, options, tidied, times).tolist()
    number: dict[str | None, int] = {}
    places = np.array([number.setdefault(cell, len(number)) for cell in cells], np.int32)
    return Distinct.of(list(number), places[codes] if len(codes) else codes.astype(np.int32))


def _plain_forms(cells: "pa.StringArray") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """bool [N]: cells of the form FORM; int8 [N]: their decimals; bool [N]: more digits than 15.

    Every test is one pass over the bytes of the column or over its cells.
    """
    import pyarrow.compute as pc

    offsets, bytes_ = buffers_of(cells)
    starts, lengths = offsets[:-1], np.diff(offsets)
    point = pc.find_substring(cells, ".").to_numpy()
    padded = np.append(bytes_, np.zeros(3, np.uint8))  # an empty cell at the end has a first byte too
    sign = (padded[starts] == MINUS) & (lengths > 0)
    has_point = point >= 0
    whole_digits = np.where(has_point, point, lengths) - sign
    decimals = np.where(has_point, lengths - point - 1, 0)
    lead = padded[starts + sign]
    is_plain = (whole_digits >= 1) & ((lead != ZERO) | (whole_digits == 1)) & ((decimals > 0) | ~has_point)
    is_plain &= (whole_digits <= DIGITS) & (decimals <= SHORTEST - 1)
    is_digit = (bytes_ >= ZERO) & (bytes_ < ZERO + 10)
    if int(is_digit.sum()) != len(bytes_) - int(has_point.sum()) - int(sign.sum()):
        # Some cell has a byte more that is no digit: count them cell by cell.
        digits = np.concatenate([[0], np.cumsum(is_digit, dtype=np.int64)])
        is_plain &= digits[offsets[1:]] - digits[starts] == lengths - has_point - sign
    is_long = is_plain & (whole_digits + decimals > DIGITS)
    return is_plain, np.minimum(decimals, SHORTEST - 1).astype(np.int8), is_long


def buffers_of(cells: "pa.StringArray") -> tuple[np.ndarray, np.ndarray]:
    """int32 [N + 1]: where each text begins; uint8: the bytes of all texts, end to end."""
    _, offsets, data = cells.buffers()
    places = np.frombuffer(offsets, np.int32)[cells.offset : cells.offset + len(cells) + 1]
    bytes_ = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)
    return places - places[0], bytes_[places[0] : places[-1]]


def _has_spaces(cells: "pa.StringArray") -> bool:
    return bool((buffers_of(cells)[1] == SPACE).any())


def shortest_texts(values: np.ndarray) -> list[str]:
    """`repr` of each float64 [N], many at once where Rust writes as Python does."""
    import polars as pl

    texts = pl.Series(values).cast(pl.String).to_list()
    size = np.abs(values)
    for place in np.flatnonzero(~((size >= 1e-4) & (size < 1e16) | (size == 0))).tolist():
        texts[place] = repr(float(values[place]))
    return texts


def _are_shortest(values: np.ndarray, texts: "pa.StringArray") -> np.ndarray:
    return np.fromiter(map(str.__eq__, shortest_texts(values), texts.to_pylist()), bool, len(values))


def _plain(cell: str | None) -> tuple[float, int]:
    """The value and the decimals of a cell; NaN and OTHER for one whose text these would not give back."""
    match = FORM.fullmatch(cell or "")
    if cell is None or match is None:
        return np.nan, OTHER
    value, digits, decimals = float(cell), match[1], match[2] or ""
    if len(digits) + len(decimals) <= DIGITS:
        return value, len(decimals)
    return (value, SHORTEST) if decimals and repr(value) == cell else (np.nan, OTHER)


def _text(value: float, decimals: int) -> str:
    return repr(value) if decimals == SHORTEST else f"{value:.{decimals}f}" if decimals != OTHER else ""


def canonical_texts(column: Numbers) -> list[str]:
    """The canonical text of each plain cell (see `cells.canonical`), empty for the others."""
    plain = column.decimals != OTHER
    values = np.where(plain, column.values, 0.0)
    size = np.abs(values)
    is_whole = (values == np.floor(values)) & (size < 1e15)
    texts = shortest_texts(np.where(is_whole, 0.5, values))
    whole = np.flatnonzero(is_whole)
    for place, text in zip(whole.tolist(), map(str, values[whole].astype(np.int64).tolist()), strict=True):
        texts[place] = text
    for place in np.flatnonzero(~plain).tolist():
        texts[place] = ""
    return texts
