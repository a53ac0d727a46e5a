"""Plain: pieces of delimited text that are proven to need no rules of quoting, read column by column.

A piece is plain when splitting it at separators and line ends is all that there is to reading it. What is not proven
goes to the reader of rows in `delimited`, which is the definition of right.
"""

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from deepwright.data.distinct import Distinct
from deepwright.data.numbers import Numbers, buffers_of, read_numbers, tidy_distinct
from deepwright.data.tidy import Tidied

if TYPE_CHECKING:
    import pyarrow as pa

    from deepwright.data.table import Table

Column = Distinct | Numbers

FEW_CELLS = 1000
"""Columns of so few different cells in a piece are kept as codes, numbers too."""

MOST = 0.9
"""Share of a column's cells that must be plain numbers for it to be kept as numbers."""

NEWLINE, RETURN = b"\n\r"


@dataclass
class PlainReader:
    """Reads plain pieces. names: of all columns of a row. cell_limit: bytes of a cell, at most.

    is_tailed: every row ends in a separator, and what is behind it is no column.
    """

    names: tuple[str, ...]
    delimiter: str
    is_tailed: bool
    encoding: str
    options: "Table"
    cell_limit: int
    _numbers: set[str] | None = field(default=None, repr=False)

    @property
    def is_able(self) -> bool:
        """Whether there is a fast way at all for such a table."""
        return len(self.names) > 1 and len(self.delimiter) == 1 and self.delimiter.isascii() and self.delimiter != " "

    def read(self, piece: bytes) -> tuple[dict[str, Column], Tidied] | None:
        """The columns of a piece, which begins where a row begins and ends where a line ends, and what was made plain.

        None where it is not proven to be plain.
        """
        if not self.is_able or not self._is_plain(piece):
            return None
        table = self._cut(piece)
        if table is None or not table.num_rows:
            return None
        arrays = [_one(column) for column in table.columns]
        if self.is_tailed and len(buffers_of(_texts(arrays.pop()))[1]):
            return None
        if any(_longest(array) > self.cell_limit for array in arrays):
            return None
        if _has_empty(arrays[0]) and _has_blank_line(piece):  # Arrow makes a row of empty cells of it
            return None
        found = Tidied()
        columns: dict[str, Column] = {}
        numbers = set() if self._numbers is None else self._numbers
        for name, array in zip(self.names, arrays, strict=False):
            if self._numbers is None:
                columns[name] = self._first(name, array, found)
                if isinstance(columns[name], Numbers):
                    numbers.add(name)
            elif name in numbers:
                columns[name] = read_numbers(name, array, self.options, found)
            else:
                columns[name] = tidy_distinct(name, array, self.options, found)
        if self._has_header(columns[self.names[0]]):
            return None
        self._numbers = numbers
        return columns, found

    def _is_plain(self, piece: bytes) -> bool:
        if b"\0" in piece or (b"\r" in piece and piece.count(b"\r") != piece.count(b"\r\n")):
            return False
        if self.options.escape == "backslash" and b"\\" in piece:
            return False
        if not piece.isascii():
            if not self.encoding.startswith("utf-8"):
                return False
            try:
                piece.decode("utf-8")
            except UnicodeDecodeError:
                return False
        mark = {"double": b'"', "single": b"'", "none": b""}[self.options.quote]
        return not mark or mark not in piece or _encloses_fields(piece, mark, self.delimiter.encode())

    def _cut(self, piece: bytes) -> "pa.Table | None":
        """The piece as Arrow's reader cuts it, which refuses rows of another width."""
        import pyarrow as pa
        import pyarrow.csv as reading

        coded = pa.dictionary(pa.int32(), pa.string())
        names = [*self.names, ""] if self.is_tailed else list(self.names)
        is_text = {name: self._numbers is None or name in self._numbers for name in names}
        is_quoted = self.options.quote != "none"
        try:
            return reading.read_csv(
                pa.py_buffer(piece),
                read_options=reading.ReadOptions(use_threads=False, column_names=names, block_size=len(piece) + 1),
                parse_options=reading.ParseOptions(
                    delimiter=self.delimiter,
                    quote_char=("'" if self.options.quote == "single" else '"') if is_quoted else False,
                    double_quote=False,
                    newlines_in_values=False,
                    ignore_empty_lines=False,
                ),
                convert_options=reading.ConvertOptions(
                    column_types={name: pa.string() if is_text[name] else coded for name in names},
                    null_values=[],
                    strings_can_be_null=False,
                    quoted_strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None

    def _first(self, name: str, array: "pa.StringArray", tidied: Tidied) -> Column:
        """A column of the first plain piece; it shows how the column is kept."""
        coded = array.dictionary_encode()
        marks = self.options.decimal == "," or self.options.thousands is not None
        forced = any(entry.rpartition("=")[0] == name and not entry.endswith("=number") for entry in self.options.types)
        if len(coded.dictionary) > FEW_CELLS and not marks and not forced:
            found = Tidied()
            numbers = read_numbers(name, array, self.options, found)
            others = numbers.others
            present = len(numbers) - sum(
                int(n) for cell, n in zip(others.values, others.counts, strict=True) if cell is None
            )
            if numbers.num_plain >= MOST * max(present, 1):
                tidied.add(found)
                return numbers
        return tidy_distinct(name, coded, self.options, tidied)

    def _has_header(self, first: Column) -> bool:
        """Whether the first column's name stands among its cells: rows may be the header once more."""
        texts = first.others.values if isinstance(first, Numbers) else first.values
        return any(name in texts for name in {self.names[0], unicodedata.normalize("NFC", self.names[0])})


def is_ascii_based(encoding: str) -> bool:
    """Whether ASCII characters are their own bytes there, and no state stands between them."""
    if encoding.startswith(("utf-7", "utf_7", "hz", "iso2022")):
        return False
    ascii_ = bytes(range(128))
    return ascii_.decode(encoding, "replace") == ascii_.decode("ascii")


def _encloses_fields(piece: bytes, mark: bytes, delimiter: bytes) -> bool:
    """Whether every quote opens a field at its start or closes it at its end, within one line, with none inside."""
    bytes_ = np.frombuffer(piece, np.uint8)
    quotes = np.flatnonzero(bytes_ == mark[0])
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = bytes_[opening - 1]
    starts = (before == delimiter[0]) | (before == NEWLINE) | (opening == 0)
    behind = np.append(bytes_, np.uint8(NEWLINE))[closing + 1]
    ends = (behind == delimiter[0]) | (behind == NEWLINE) | (behind == RETURN)
    if not (starts.all() and ends.all()):
        return False
    line_ends = np.flatnonzero(bytes_ == NEWLINE)
    return bool((np.searchsorted(line_ends, opening) == np.searchsorted(line_ends, closing)).all())


def _one(column: "pa.ChunkedArray") -> "pa.Array":
    import pyarrow as pa

    merged = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return merged.chunk(0) if isinstance(merged, pa.ChunkedArray) else merged


def _texts(array: "pa.Array") -> "pa.StringArray":
    import pyarrow as pa

    return array.dictionary if pa.types.is_dictionary(array.type) else array


def _has_empty(array: "pa.Array") -> bool:
    return bool((np.diff(buffers_of(_texts(array))[0]) == 0).any())


def _has_blank_line(piece: bytes) -> bool:
    return piece.startswith((b"\n", b"\r")) or b"\n\n" in piece or b"\n\r" in piece


def _longest(array: "pa.Array") -> int:
    return int(np.diff(buffers_of(_texts(array))[0]).max(initial=0))
