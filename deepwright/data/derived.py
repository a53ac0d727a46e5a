"""Derived: numbers that only count what a text column holds: its characters, words or punctuation marks."""

import string
from collections.abc import Callable

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.report import Finding, finding
from deepwright.core.text import text

ROWS = 5000
"""The first so many rows are looked at."""

LEAST_ROWS = 30
ALIKE = 0.99
"""Correlation from which a column is told to be derived: single cells may have been counted before they were tidied."""

MARKS = frozenset(string.punctuation)


def derived_findings(whole: Dataset) -> tuple[Finding, ...]:
    """Number inputs that are a straight line of a count over a text input; no target is looked at."""
    texts = [f.name for f in whole.schema.inputs if f.type == "text"]
    numbers = [f.name for f in whole.schema.inputs if f.type == "number"]
    if not texts or not numbers:
        return ()
    found = []
    for name in texts:
        cells = whole.columns[name][:ROWS]
        has_text = np.array([cell is not None for cell in cells], dtype=bool)
        counted = {word: np.array([count(cell) for cell in cells[has_text]]) for word, count in _counts().items()}
        for number in numbers:
            word = _source(whole.columns[number][:ROWS][has_text].astype(np.float64), counted)
            if word is not None:
                found.append(finding("derived", "note", number, text=name, count=word))
    return tuple(found)


def _counts() -> dict[str, Callable[[str], float]]:
    """What may have been counted, by its words."""
    return {
        text("derived.characters"): len,
        text("derived.words"): lambda cell: len(cell.split()),
        text("derived.punctuation"): _marks,
        text("derived.punctuation_share"): lambda cell: _marks(cell) / max(len(cell) - cell.count(" "), 1),
        text("derived.capitals"): lambda cell: sum(c.isupper() for c in cell),
        text("derived.digits"): lambda cell: sum(c.isdigit() for c in cell),
    }


def _marks(cell: str) -> int:
    return sum(c in MARKS for c in cell)


def _source(column: np.ndarray, counted: dict[str, np.ndarray]) -> str | None:
    """The count that the column follows most closely, if it follows one."""
    known = ~np.isnan(column)
    if known.sum() < LEAST_ROWS or np.ptp(column[known]) == 0:
        return None
    best = {word: _correlation(column[known], count[known]) for word, count in counted.items()}
    word = max(best, key=lambda key: best[key])
    return word if best[word] >= ALIKE else None


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Of values, and of ranks where they stretch far: a few long texts alone must not decide."""
    if np.ptp(other) == 0:
        return 0.0
    ranks = [np.unique(values, return_inverse=True)[1] for values in (one, other)]
    return min(abs(float(np.corrcoef(one, other)[0, 1])), abs(float(np.corrcoef(ranks[0], ranks[1])[0, 1])))
