"""Folds: parts of the training part on which a baseline chooses among its own penalties."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

NUM_FOLDS = 5


def folds(target: np.ndarray, is_classes: bool, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(rows to learn from, rows to judge on), five times; each class in every fold where it has rows enough.

    A class with one row gives no folds at all.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    if not is_classes:
        splitter: Any = KFold(min(NUM_FOLDS, len(target)), shuffle=True, random_state=seed)
    else:
        num = min(NUM_FOLDS, int(np.unique(target, return_counts=True)[1].min()))
        if num < 2:
            return []
        splitter = StratifiedKFold(num, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(target)), target))


def best_of(
    values: Sequence[float],
    make: Callable[[float], Any],
    x: np.ndarray,
    target: np.ndarray,
    *,
    is_classes: bool,
    weight: np.ndarray | None,
    seed: int,
) -> float:
    """The value whose models have the smallest mean loss on the folds (log loss or squared error); of equals the first.

    Where there are no folds, the middle value.
    """
    parts = folds(target, is_classes, seed)
    if not parts:
        return values[len(values) // 2]
    losses = [sum(_losses(make(value), x, target, parts, is_classes, weight)) for value in values]
    return values[int(np.argmin(losses))]


def _losses(
    model: Any,
    x: np.ndarray,
    target: np.ndarray,
    parts: list[tuple[np.ndarray, np.ndarray]],
    is_classes: bool,
    weight: np.ndarray | None,
) -> Iterator[float]:
    counts = np.ones(len(target)) if weight is None else weight
    for learn, judge in parts:
        model.fit(x[learn], target[learn], counts[learn])
        if is_classes:
            own = model.predict_proba(x[judge])[np.arange(len(judge)), np.searchsorted(model.classes_, target[judge])]
            loss = -np.log(np.maximum(own, 1e-15))
        else:
            loss = np.square(model.predict(x[judge]) - target[judge])
        yield float(counts[judge] @ loss)
