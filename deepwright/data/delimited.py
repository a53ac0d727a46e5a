"""Delimited text (CSV, TSV ...): every cell as text, every width checked, nothing shifted and nothing filled in."""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.errors import AskError, DataError
from deepwright.core.report import Finding, finding
from deepwright.core.text import text
from deepwright.data import pieces as cutting
from deepwright.data.cells import kind_of
from deepwright.data.encoding import errors_of, is_one_byte, is_utf8_read_as
from deepwright.data.joined import refuse_joined_rows
from deepwright.data.names import check_names
from deepwright.data.pieces import AHEAD, Pieces, halves
from deepwright.data.plain import Column, PlainReader
from deepwright.data.raw import Asides, LazyCells, Raw
from deepwright.data.table import Table
from deepwright.data.tidy import Tidied, tidy

SPACE = " "
DELIMITERS = (",", "\t", ";", "|")
BLANK = " \t\r\n\f\v\ufeff"
"""Around a header; a byte order mark stands there where files were put one behind another."""
SAMPLE_ROWS = 200
SAMPLE_LINES = 2000
CELL_LIMIT = csv.field_size_limit()
"""Characters in one cell, at most: 131,072, so that an unclosed quote cannot swallow a file."""


@dataclass(frozen=True)
class Layout:
    """How the text is cut.

    width: fields a row must have. has_empty_tail: every row ends in a separator, and the field behind it is dropped.
    """

    names: tuple[str, ...]
    delimiter: str
    width: int
    skip_lines: int
    has_header: bool
    has_empty_tail: bool
    notes: tuple[Finding, ...]


def find_layout(sample: str, path: Path, options: Table, *, is_whole: bool) -> Layout:
    """The layout that the start of the text shows.

    Raises AskError where two readings fit (separator, comment lines, a first row that looks like data), DataError for
    header names that are empty or double, and for rows that are all wider than the header.
    """
    lines = sample.splitlines(keepends=True)
    skip = _comment_lines(lines, options.comment)
    lines = lines[skip:]
    if len(lines) < 2 and not is_whole:
        raise DataError("table.long_line", path=path, limit=len(sample))
    sample = "".join((lines if is_whole else lines[:-1])[:SAMPLE_LINES])
    delimiter, notes = _delimiter(sample, path, options)
    if options.comment is None and lines and lines[0].startswith("#"):
        _refuse_comment(sample, delimiter, path, options)
    rows = [row for row in _sample_rows(sample, delimiter, options) if not _is_blank(row)]
    if not rows:
        raise DataError("file.empty", path=path)
    has_header = not options.columns
    names = [name.strip() for name in (rows[0] if has_header else options.columns)]
    body = rows[1:] if has_header else rows
    widths = Counter(len(row) for row in body)
    common = widths.most_common(1)[0][0] if widths else len(names)
    has_empty_tail = common > 1 and all(len(row) != common or not row[-1].strip() for row in body) and bool(body)
    if has_empty_tail and (common == len(names) + 1 or (has_header and common == len(names) and not names[-1])):
        names = names[: common - 1]
        notes = (*notes, finding("trailing_separator", "note", str(path)))
    else:
        has_empty_tail = False
        _check_width(path, names, common, widths[common], len(body), has_header)
    if has_header:
        _refuse_data_as_header(path, names)
    check_names(path, tuple(names), options.max_columns)
    return Layout(tuple(names), delimiter, len(names) + has_empty_tail, skip, has_header, has_empty_tail, notes)


def read_delimited(
    pieces: Callable[[], Iterator[bytes]],
    layout: Layout,
    path: Path,
    options: Table,
    *,
    encoding: str,
    chunk: int,
    is_cut: bool = False,
    sha256: str = "",
) -> Iterator[Raw]:
    """The rows of a text in pieces, some of them at a time.

    Plain pieces are read by columns, the others row by row, `chunk` of them at a time.

    pieces: gives those of the whole text. encoding: theirs; one where ASCII characters are their own bytes.
    is_cut: the text does not end in a line break, so that a last row with too few fields was torn off.
    """
    plain = PlainReader(layout.names, layout.delimiter, layout.has_empty_tail, encoding, options, CELL_LIMIT)
    with ThreadPoolExecutor(AHEAD) as threads:
        given = Pieces(pieces(), plain.read, threads)
        lines = _Lines(given, encoding)
        for _ in range(layout.skip_lines):
            next(lines, None)
        cut = _cut(lines, layout.delimiter)
        reader = csv.reader(cut, strict=True, **_dialect(layout.delimiter, options))
        cutter = _Cutter(reader, lines, layout, path, pieces)
        if layout.has_header:
            cutter.take(1)
        first = True
        while True:
            found = given.worked() if lines.is_at_end else None
            if found is not None:
                piece, read = found
                is_torn = is_cut and given.is_at_end
                if read is not None and not is_torn:
                    yield _plain_raw(read, cutter, layout, path, options, sha256)
                    first = False
                    continue
                is_large = plain.is_able and not is_torn and len(piece) > cutting.SMALL_PIECE
                parts = halves(piece) if is_large else [piece]
                if len(parts) > 1:
                    given.push(parts)
                    continue
                lines.give(piece)
            before = cutter.number
            rows = cutter.take(chunk)
            is_last = lines.is_at_end and given.is_at_end
            if rows or first:
                yield _raw(rows, before, is_last and is_cut, layout, path, options, sha256, encoding)
            first = False
            if is_last:
                return


def _plain_raw(
    read: tuple[Mapping[str, Column], Tidied],
    cutter: "_Cutter",
    layout: Layout,
    path: Path,
    options: Table,
    sha256: str,
) -> Raw:
    columns, tidied = read
    before = cutter.number
    number = len(columns[layout.names[0]])
    cutter.pass_over(number)
    origin = np.arange(before + 1, before + number + 1)
    notes = layout.notes if before == 0 else ()
    return Raw(layout.names, LazyCells(columns), origin, str(path), sha256, options, (), tidied, notes)


class _Lines:
    """The lines of the pieces that are read row by row; a row that goes on behind its piece takes the next one too."""

    def __init__(self, pieces: Pieces[Any], encoding: str) -> None:
        self.pieces, self.encoding = pieces, encoding
        self.lines: list[str] = []
        self.place = 0

    @property
    def is_at_end(self) -> bool:
        return self.place == len(self.lines)

    def give(self, piece: bytes) -> None:
        text_ = piece.decode(self.encoding, errors_of(self.encoding))
        self.encoding = "utf-8" if self.encoding == "utf-8-sig" else self.encoding  # the mark stands once
        self.lines, self.place = list(io.StringIO(text_, newline="")), 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.place == len(self.lines):
            piece = self.pieces.take()
            if piece is None:
                raise StopIteration
            self.give(piece)
        self.place += 1
        return self.lines[self.place - 1]


class _Cutter:
    """Rows off a csv reader, blank lines left out; a quoting fault is told by the row where it began.

    number: of the last row. lines: those passed over, which the reader did not see.
    """

    def __init__(
        self, reader: Any, lines: _Lines, layout: Layout, path: Path, pieces: Callable[[], Iterator[bytes]]
    ) -> None:
        self.reader, self.lines, self.layout, self.path, self.pieces = reader, lines, layout, path, pieces
        self.number = -1 if layout.has_header else 0
        self.num_passed = layout.skip_lines

    def take(self, limit: int) -> list[list[str]]:
        """The next rows: so many, or those up to the end of the piece."""
        rows: list[list[str]] = []
        line = self.reader.line_num + 1
        try:
            for row in self.reader:
                line = self.reader.line_num + 1
                if row and (len(row) > 1 or row[0].strip()):
                    rows.append(row)
                    if len(rows) == limit:
                        break
                if self.lines.is_at_end:
                    break
        except csv.Error as error:
            self._refuse(error, self.number + len(rows) + 1, line + self.num_passed)
        self.number += len(rows)
        return rows

    def pass_over(self, rows: int) -> None:
        """Rows that were read by columns, a line each."""
        self.number += rows
        self.num_passed += rows

    def _refuse(self, error: csv.Error, row: int, line: int) -> None:
        if "field larger" in str(error):
            raise DataError("table.cell_too_large", path=self.path, row=row, line=line, limit=CELL_LIMIT) from None
        if _has_backslash_quote(self.pieces(), line):
            raise AskError("table.backslash_quote", path=self.path, row=row, line=line) from None
        if "unexpected end" in str(error):
            raise DataError("table.open_quote", path=self.path, row=row, line=line) from None
        raise DataError("table.stray_quote", path=self.path, row=row, line=line, why=error) from None


def _raw(
    rows: list[list[str]],
    before: int,
    is_cut: bool,
    layout: Layout,
    path: Path,
    options: Table,
    sha256: str,
    encoding: str,
) -> Raw:
    numbers = np.arange(before + 1, before + len(rows) + 1)
    widths = np.fromiter(map(len, rows), np.int64, len(rows))
    asides = Asides()
    if options.joined == "ask":
        refuse_joined_rows(rows, numbers, layout.width, layout.delimiter, path)
    keep = _right_widths(rows, widths, numbers, is_cut, layout, asides)
    if layout.has_empty_tail:
        tails = keep & np.array([bool(row[-1].strip()) for row in rows], dtype=bool)
        asides.add(text("aside.tail", width=len(layout.names)), numbers[tails])
        keep &= ~tails
    good = [row for row, ok in zip(rows, keep, strict=True) if ok]
    origin = numbers[keep]
    columns = [list(column) for column in zip(*good, strict=True)] or [[] for _ in layout.names]
    bad = _bad_cells(columns, origin, layout, encoding, asides)
    _refuse_quote_after_space(columns, origin, path, options)
    tidied = Tidied()
    named = zip(layout.names, columns, strict=False)  # not strict: an empty tail has no name
    cells = {name: tidy(name, column, options, tidied)[~bad] for name, column in named}
    notes = layout.notes if before == 0 else ()
    if is_cut and rows and keep[-1]:
        notes = (*notes, finding("no_line_end", "note", str(path), found=rows[-1][len(layout.names) - 1].strip()[:40]))
    return Raw(layout.names, cells, origin[~bad], str(path), sha256, options, asides.records(), tidied, notes)


def _right_widths(
    rows: list[list[str]], widths: np.ndarray, numbers: np.ndarray, is_cut: bool, layout: Layout, asides: Asides
) -> np.ndarray:
    """bool [N]: rows of the right width; the others are set aside, a torn last one by its own reason."""
    keep = widths == layout.width
    wrong = np.flatnonzero(~keep)
    if len(wrong) and wrong[-1] == len(rows) - 1:
        last = rows[-1]
        if "\0" in "".join(last):
            asides.add(text("aside.torn_tail"), numbers[-1:])
            wrong = wrong[:-1]
        elif is_cut and len(last) < layout.width:
            asides.add(text("aside.cut_row"), numbers[-1:])
            wrong = wrong[:-1]
    elif is_cut and len(rows) and _ends_within_a_word(rows, keep):
        asides.add(text("aside.cut_row"), numbers[-1:])
        keep[-1] = False
    for width in sorted(set(widths[wrong].tolist())):
        asides.add(text("aside.width", found=width, expected=layout.width), numbers[wrong[widths[wrong] == width]])
    return keep


def _ends_within_a_word(rows: list[list[str]], keep: np.ndarray) -> bool:
    """Whether the last cell is a word that no other row ends in, and the beginning of one that some rows end in."""
    last = rows[-1][-1].strip()
    others = Counter(row[-1].strip() for row, ok in zip(rows[:-1], keep[:-1], strict=True) if ok)
    if not last or last in others or kind_of(last) != "other":
        return False
    return any(count > 1 and word.startswith(last) for word, count in others.items())


def _bad_cells(
    columns: list[list[str]], origin: np.ndarray, layout: Layout, encoding: str, asides: Asides
) -> np.ndarray:
    """bool [N]: rows with a NUL or bytes of another encoding in a cell, and repeated headers; they are set aside."""
    bad = np.zeros(len(origin), dtype=bool)
    checks: list[tuple[str, Callable[[str], bool], Callable[[str], bool]]] = [
        (text("aside.nul"), lambda cell: "\0" in cell, lambda joined: "\0" in joined),
        (text("aside.not_utf8"), _has_surrogate, _has_surrogate),
    ]
    if is_one_byte(encoding):
        reason = text("aside.utf8", encoding=encoding)
        checks.append((reason, lambda cell: is_utf8_read_as(encoding, cell), lambda joined: not joined.isascii()))
    for reason, is_bad, suspects in checks:
        found = np.zeros(len(origin), dtype=bool)
        for column in columns:
            if suspects("".join(column)):
                found |= np.fromiter(map(is_bad, column), bool, len(column))
        asides.add(reason, origin[found & ~bad])
        bad |= found
    repeated = [i for i, cell in enumerate(columns[0]) if cell.strip(BLANK) == layout.names[0]]
    for i in repeated:
        row = tuple(column[i].strip(BLANK) for column in columns)
        if not bad[i] and row[: len(layout.names)] == layout.names and len(row) > 1:
            asides.add(text("aside.header"), origin[i : i + 1])
            bad[i] = True
    return bad


def _has_surrogate(cell: str) -> bool:
    if cell.isascii():
        return False
    try:
        cell.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _refuse_quote_after_space(columns: list[list[str]], origin: np.ndarray, path: Path, options: Table) -> None:
    """` "a,b"`: with a space before it, a quote encloses nothing, and fields may be cut at the wrong place."""
    if options.quote == "none":
        return
    mark = '"' if options.quote == "double" else "'"
    for column in columns:
        if mark in "".join(column):
            for row, cell in zip(origin, column, strict=True):
                if cell[:1].isspace() and cell.lstrip().startswith(mark):
                    raise DataError("table.space_quote", path=path, row=int(row), found=cell.strip()[:40])


def _dialect(delimiter: str, options: Table) -> dict[str, Any]:
    quote: dict[str, Any] = {"quotechar": '"' if options.quote == "double" else "'"}
    if options.quote == "none":
        quote = {"quoting": csv.QUOTE_NONE, "quotechar": None}
    escape = {"escapechar": "\\", "doublequote": False} if options.escape == "backslash" else {}
    return {"delimiter": delimiter, **quote, **escape}


def _cut(lines: Iterable[str], delimiter: str) -> Iterable[str]:
    """The lines as they are; where spaces separate, several are as one, and those around a line are none."""
    return map(_single_spaces, lines) if delimiter == SPACE else lines


def _single_spaces(line: str) -> str:
    if '"' in line or "'" in line:  # spaces within quotes are part of a cell
        return line
    body = line.rstrip("\r\n")
    return re.sub(r"[ \t]+", SPACE, body.strip(" \t")) + line[len(body) :]


def _sample_rows(sample: str, delimiter: str, options: Table) -> list[list[str]]:
    """The first rows, read leniently; the strict reading names faults by their row later."""
    rows: list[list[str]] = []
    try:
        lines = _cut(io.StringIO(sample, newline=""), delimiter)
        for row in csv.reader(lines, **_dialect(delimiter, options)):
            rows.append(row)
            if len(rows) == SAMPLE_ROWS:
                break
    except csv.Error:
        return rows
    return rows


def _delimiter(sample: str, path: Path, options: Table) -> tuple[str, tuple[Finding, ...]]:
    """The separator asked for, or the one by which the most rows are as wide as the first."""
    if options.delimiter is not None:
        named = {"tab": "\t", "\\t": "\t", "space": " "}.get(options.delimiter, options.delimiter)
        if len(named) != 1 or named in "\r\n\"'":
            raise DataError("table.delimiter", found=options.delimiter)
        return named, ()
    scores: dict[str, float] = {}
    for candidate in DELIMITERS:
        rows = [row for row in _sample_rows(sample, candidate, options) if not _is_blank(row)]
        if rows and len(rows[0]) > 1:
            scores[candidate] = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
    if not scores:
        _refuse_spaces(sample, path)
        return ",", ()
    best = max(scores.values())
    chosen = [candidate for candidate, score in scores.items() if score == best]
    if len(chosen) > 1:
        shown = ", ".join(_shown(c) for c in chosen)
        raise AskError("table.two_delimiters", path=path, found=shown, first=_flag(chosen[0]), second=_flag(chosen[1]))
    usual = "\t" if path.name.removesuffix(".gz").lower().endswith((".tsv", ".tab")) else ","
    if chosen[0] == usual:
        return chosen[0], ()
    return chosen[0], (finding("delimiter", "note", str(path), found=_shown(chosen[0]), share=f"{best:.0%}"),)


def _refuse_spaces(sample: str, path: Path) -> None:
    """Rows of numbers that spaces cut: without a separator they would be one column of texts."""
    lines = [line for line in sample.splitlines() if line.strip()][:SAMPLE_ROWS]
    cut = [line.split() for line in lines]
    body = [cell for row in cut[1:] for cell in row]
    numbers = sum(kind_of(cell) in ("whole", "decimal", "zeros") for cell in body)
    if body and len(cut[0]) > 1 and len({len(row) for row in cut}) == 1 and numbers > len(body) / 2:
        raise AskError("table.spaces", path=path, count=len(cut[0]), line=lines[1].strip()[:60])


def _shown(delimiter: str) -> str:
    return "tab" if delimiter == "\t" else f"'{delimiter}'"


def _flag(delimiter: str) -> str:
    return "tab" if delimiter == "\t" else f"'{delimiter}'"


def _comment_lines(lines: list[str], comment: str | None) -> int:
    count = 0
    while comment and count < len(lines) and lines[count].startswith(comment):
        count += 1
    return count


def _refuse_comment(sample: str, delimiter: str, path: Path, options: Table) -> None:
    """`# made by ...` first: as wide as the rows it is a header whose first name has a #, else perhaps a comment."""
    rows = [row for row in _sample_rows(sample, delimiter, options) if not _is_blank(row)]
    rest = Counter(len(row) for row in rows if not row[0].startswith("#"))
    if not rest or len(rows[0]) != rest.most_common(1)[0][0] or len(rows[0]) == 1:
        raise AskError("table.comment", path=path, line=sample.splitlines()[0][:60])


def _check_width(path: Path, names: list[str], common: int, count: int, rows: int, has_header: bool) -> None:
    """Most rows of another width than the header is no matter of single rows: the header itself does not fit."""
    if rows and common != len(names) and count > rows / 2:
        if has_header:
            raise DataError("table.header_width", path=path, header=len(names), rows=common, count=count, of=rows)
        raise DataError("table.columns_width", path=path, given=len(names), rows=common)


def _refuse_data_as_header(path: Path, names: list[str]) -> None:
    for name in names:
        if name and kind_of(name) in ("whole", "decimal", "zeros", "day", "time"):
            example = ",".join(f"c{i}" for i in range(1, min(len(names), 40) + 1)) + (",..." if len(names) > 40 else "")
            raise AskError("table.no_header", path=path, found=name, count=len(names), example=example)


def _is_blank(row: list[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip())


def _has_backslash_quote(pieces: Iterator[bytes], line: int) -> bool:
    """Whether that line of the text holds a quote after a backslash; the text is read from its start again."""
    lines = (content for piece in pieces for content in piece.splitlines())
    return re.search(rb'\\["\']', next(itertools.islice(lines, line - 1, None), b"")) is not None
