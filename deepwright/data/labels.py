"""Several labels in one cell of the target: read, brought into one form, and recognised where nobody said so."""

import numpy as np

from deepwright.core.errors import AskError, DataError
from deepwright.core.schema import Feature
from deepwright.data.evidence import Evidence

SEPARATORS = ("|", ";", ",")
"""What may stand between labels."""
LEAST_SEVERAL = 0.1
"""Share of cells with several pieces from which a column may hold labels."""
LEAST_SHARED = 0.9
"""Share of the pieces in such cells that occur in another cell too: words of a text or parts of a name do not."""


def one_form(cell: str, separator: str) -> str:
    """The labels of a cell, each once, sorted, without blanks around.

    >>> one_form("red | blue|red|", "|")
    'blue|red'
    """
    return separator.join(sorted({piece.strip() for piece in cell.split(separator)} - {""}))


def decoded_labels(evidence: Evidence, feature: Feature) -> np.ndarray:
    """object [K]: each distinct cell in one form; an empty one has no label, one that is marked missing gives None."""
    separator = feature.separator
    assert separator is not None, f"cells of {feature.name} are one level"
    cells = evidence.distinct.values
    values = np.full(len(cells), None, dtype=object)
    for place, cell in enumerate(cells):
        if cell is None or not evidence.is_missing(cell):
            values[place] = one_form(cell or "", separator)
    return values


def require_labels(name: str, separator: str, evidence: Evidence) -> None:
    """Raises DataError for a target of fewer than two labels."""
    found = {label for cell in cells_of(evidence) for label in one_form(cell, separator).split(separator)} - {""}
    if len(found) < 2:
        shown = ", ".join(sorted(found)) or "-"
        raise DataError("target.few_labels", source=evidence.source, column=name, separator=separator, found=shown)


def ask_for_labels(name: str, evidence: Evidence) -> None:
    """Raises AskError for a target whose cells look like several labels each."""
    cells = cells_of(evidence)
    for separator in SEPARATORS:
        several = [cell for cell in cells if separator in cell]
        if len(several) < max(2, LEAST_SEVERAL * len(cells)):
            continue
        pieces = [one_form(cell, separator).split(separator) for cell in cells]
        counts: dict[str, int] = {}
        for labels in pieces:
            for label in labels:
                counts[label] = counts.get(label, 0) + 1
        shared = [counts[label] > 1 for labels in pieces if len(labels) > 1 for label in labels]
        if len(counts) < len(cells) and shared and np.mean(shared) >= LEAST_SHARED:
            raise AskError(
                "target.ask_labels",
                source=evidence.source,
                column=name,
                example=several[0],
                labels=len(counts),
                separator=separator,
            )


def cells_of(evidence: Evidence) -> list[str]:
    """The distinct cells that are there."""
    return [cell for cell in evidence.distinct.values if cell is not None and not evidence.is_missing(cell)]
