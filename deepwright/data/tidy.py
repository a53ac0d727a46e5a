"""Cells made plain: no space around them, one Unicode form, one way to write numbers and days as the options say."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from deepwright.core.report import Finding, finding
from deepwright.data.cells import DECIMAL_COMMA, SLASH_DAY
from deepwright.data.table import Table

POINTED = re.compile(r"[+-]?\d+\.\d+", re.ASCII)
GROUPED_BY_POINTS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+", re.ASCII)

ZERO_WIDTH = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))
"""Characters that cannot be seen and join nothing (the joiners of Persian and of emoji are not among them)."""

CONTROL = {ord(c): None for c in map(chr, [*range(9), 11, 12, *range(14, 32), 127])} | dict.fromkeys(
    map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
"""Control characters and overrides of the writing direction."""


@dataclass
class Tidied:
    """How many cells were changed, over all columns so far; pointed: per column a cell whose point cannot be a mark."""

    spaces: int = 0
    unicode: int = 0
    columns: dict[str, None] = field(default_factory=dict)
    pointed: dict[str, str] = field(default_factory=dict)

    def add(self, other: "Tidied") -> None:
        self.spaces += other.spaces
        self.unicode += other.unicode
        self.columns |= other.columns
        self.pointed = other.pointed | self.pointed

    def findings(self, source: str) -> tuple[Finding, ...]:
        found = []
        if self.spaces:
            found.append(finding("spaces", "note", source, count=self.spaces))
        if self.unicode:
            found.append(finding("unicode", "note", source, count=self.unicode, columns=", ".join(self.columns)))
        return tuple(found)


def tidy(
    name: str, cells: list[str | None], options: Table, tidied: Tidied, times: Sequence[int] | None = None
) -> np.ndarray:
    """object [N] of str, None where empty. times: how often each cell stands in its column; None: once."""
    plain = [cell and cell.strip() for cell in cells]
    joined = "".join(filter(None, plain))
    if times is None:
        tidied.spaces += len("".join(filter(None, cells))) - len(joined)
    else:
        tidied.spaces += sum((len(c) - len(p or "")) * n for c, p, n in zip(cells, plain, times, strict=True) if c)
    if not (joined.isascii() and joined.isprintable()):
        changed = {cell: one_form(cell).strip() for cell in set(filter(None, plain))}
        counted = zip(plain, repeat(1) if times is None else times, strict=False)
        count = sum(n for cell, n in counted if cell and changed[cell] != cell)
        if count:
            tidied.unicode += count
            tidied.columns[name] = None
        plain = [cell and changed[cell] for cell in plain]
    if options.decimal == "," and (point := _point(plain, options)):
        tidied.pointed.setdefault(name, point)
    for rewrite in rewrites(options):
        plain = [cell and rewrite(cell) for cell in plain]
    column = np.empty(len(plain), dtype=object)
    column[:] = [cell or None for cell in plain]
    return column


def rewrites(options: Table) -> list[Callable[[str], str]]:
    """What the options for marks and days do to a cell; a cell of another form stays as it is."""
    found: list[Callable[[str], str]] = []
    if options.thousands is not None:
        mark = re.escape(options.thousands)
        grouped = re.compile(rf"[+-]?\d{{1,3}}({mark}\d{{3}})+([.,]\d+)?", re.ASCII)
        found.append(lambda cell: cell.replace(options.thousands or "", "") if grouped.fullmatch(cell) else cell)
    if options.decimal == ",":
        found.append(lambda cell: cell.replace(".", "").replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell)
    if options.dates is not None:
        found.append(lambda cell: _iso_day(cell, options.dates == "day_first"))
    return found


def _point(cells: list[str | None], options: Table) -> str | None:
    """`1.234` beside `1,5`: where a comma is the decimal mark, a point can only stand between thousands."""
    for cell in cells:
        if cell and POINTED.fullmatch(cell) and not (options.thousands == "." and GROUPED_BY_POINTS.fullmatch(cell)):
            return cell
    return None


def one_form(text: str) -> str:
    """NFC, without characters that cannot be seen."""
    return unicodedata.normalize("NFC", text).translate(ZERO_WIDTH).translate(CONTROL)


def _iso_day(cell: str, is_day_first: bool) -> str:
    if not SLASH_DAY.fullmatch(cell):
        return cell
    first, second, year = re.split(r"[/.-]", cell)
    day, month = (first, second) if is_day_first else (second, first)
    return f"{year}-{int(month):02d}-{int(day):02d}"
