"""Shares of several labels at once: rows are dealt to the parts so that each gets its share of every label.

Shapes: N rows, L labels, P parts.
"""

import numpy as np

from deepwright.core.schema import Feature
from deepwright.data.shares import Shares


def label_columns(cells: np.ndarray, target: Feature) -> np.ndarray:
    """bool [N, L + 1]: which labels each cell holds, in alphabetical order; the last column says that it holds none."""
    distinct, place = np.unique(cells.astype(str), return_inverse=True)
    held = [target.labels_of(cell) for cell in distinct.tolist()]
    number = {label: i for i, label in enumerate(sorted({label for labels in held for label in labels}))}
    columns = np.zeros((len(distinct), len(number) + 1), bool)
    for row, labels in enumerate(held):
        columns[row, [number[label] for label in labels] or [-1]] = True
    return np.asarray(columns[place])


def dealt(columns: np.ndarray, counts: np.ndarray, order: np.ndarray, shares: Shares) -> np.ndarray:
    """int8 [N]: the part of each row: of the label with the fewest rows left every row goes where most of that label
    is still due, and of equals where most rows are due.

    columns: bool [N, L], each row with one at least. counts: int [N], how often each row stands in the table.
    order: int [N], in which rows of a label come.

    Reference: Sechidis, Tsoumakas and Vlahavas (2011), On the stratification of multi-label data.

    >>> columns = np.array([[True, False]] * 10 + [[True, True]] * 10)
    >>> parts = dealt(columns, np.ones(20, int), np.arange(20), (0.7, 0.2, 0.1))
    >>> np.bincount(parts[:10]).tolist(), np.bincount(parts[10:]).tolist()
    ([7, 2, 1], [7, 2, 1])
    """
    shares_P = np.asarray(shares)
    weighted = columns * counts[:, np.newaxis]
    left_L = columns.sum(axis=0)
    due_LP = weighted.sum(axis=0)[:, np.newaxis] * shares_P
    due_P = counts.sum() * shares_P
    closed = np.where(shares_P > 0, 0.0, -np.inf)  # a part without a share gets no row
    parts = np.full(len(columns), -1, np.int8)
    while (left_L > 0).any():
        label = int(np.where(left_L > 0, left_L, len(columns) + 1).argmin())
        for row in order[columns[order, label] & (parts[order] < 0)].tolist():
            own = due_LP[label] + closed
            most = np.flatnonzero(own >= own.max() - 1e-9)
            part = int(most[due_P[most].argmax()])
            parts[row] = part
            due_LP[:, part] -= weighted[row]
            due_P[part] -= counts[row]
            left_L -= columns[row]
    return parts
