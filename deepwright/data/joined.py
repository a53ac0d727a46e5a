"""Rows that a quote has joined although each of their lines looks like a row of its own."""

import re
from pathlib import Path

import numpy as np

from deepwright.core.errors import AskError
from deepwright.data.cells import NUMBER

MOST = 0.9
LINE_BREAK = re.compile(r"\r\n|\n|\r")


def refuse_joined_rows(rows: list[list[str]], numbers: np.ndarray, width: int, delimiter: str, path: Path) -> None:
    """Raises AskError for the first row whose quoted cell holds line breaks between what looks like whole rows.

    A quote that stands as a plain character at the start of a field opens a quoted cell, which takes in whole rows up
    to the next such quote, often without a fault in the number of fields. Two readings fit then, and only one of
    them loses no row. Lines look like rows when nearly all of them are as wide as the table, and nearly all begin as
    the first column does, or end as the last column does; or when each begins with a word that the first column
    repeats.
    """
    joined = [place for place, row in enumerate(rows) if any("\n" in cell or "\r" in cell for cell in row)]
    if not joined:
        return
    others = set(range(len(rows))) - set(joined)
    whole = [rows[place] for place in others if len(rows[place]) == width]
    first, last = Column([row[0] for row in whole]), Column([row[-1] for row in whole])
    for place in joined:
        lines = [line for line in LINE_BREAK.split(delimiter.join(rows[place])) if line.strip()]
        cut = [line.split(delimiter) for line in lines]
        fitting = [line for line in cut if len(line) == width]
        if first.begins_all(cut[1:]):  # rows of fewer fields: the others came to this file after the rows were joined
            raise AskError("table.joined", path=path, row=int(numbers[place]), lines=len(lines), line=lines[1][:60])
        if len(fitting) < max(2, MOST * len(lines)):
            continue
        if first.has_most([line[0] for line in fitting[1:]]) or last.has_most([line[-1] for line in fitting[:-1]]):
            shown = lines[1][:60]
            raise AskError("table.joined", path=path, row=int(numbers[place]), lines=len(lines), line=shown)


class Column:
    """What the cells of a column look like: the words that repeat, and whether they are numbers."""

    def __init__(self, cells: list[str]) -> None:
        stripped = [cell.strip() for cell in cells]
        self.size = len(cells)
        self.known = set(stripped) - {""}
        self.is_number = bool(cells) and sum(map(_is_number, stripped)) >= MOST * len(cells)

    def begins_all(self, lines: list[list[str]]) -> bool:
        """Whether each of these lines is cut, and begins with a word that the column repeats."""
        repeats = len(self.known) <= self.size / 2
        return repeats and bool(lines) and all(len(line) > 1 and line[0].strip() in self.known for line in lines)

    def has_most(self, cells: list[str]) -> bool:
        found = sum(cell.strip() in self.known or (self.is_number and _is_number(cell.strip())) for cell in cells)
        return bool(cells) and found >= MOST * len(cells)


def _is_number(cell: str) -> bool:
    return NUMBER.fullmatch(cell) is not None
