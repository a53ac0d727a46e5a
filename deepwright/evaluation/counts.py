"""How many rows of each class are found, true and answered, under many weightings of the rows at once."""

from collections.abc import Callable

import numpy as np

from deepwright.evaluation.metric import ratio, sums_by

Counter = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""weights float64 [B, N] to the rows found, true and answered of each class (or label), each [B, K]."""

LABEL_THRESHOLD = 0.5
"""A label is answered from this probability on, where nothing else was decided."""


def counter(target: np.ndarray, answer: np.ndarray) -> Counter:
    """target: int64 [N] classes, or bool [N, L] labels; answer: probability [N, K] or [N, L]."""
    if target.ndim == 2:
        true, answered = target.astype(np.float64), answered_labels(answer).astype(np.float64)
        return lambda weights: (weights @ (true * answered), weights @ true, weights @ answered)
    num_classes, said = answer.shape[1], answer.argmax(axis=1)
    hits = np.flatnonzero(said == target)
    add_found, add_true = sums_by(target[hits], num_classes), sums_by(target, num_classes)
    add_said = sums_by(said, num_classes)
    return lambda weights: (add_found(weights[:, hits]), add_true(weights), add_said(weights))


def confusion(target: np.ndarray, answer: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function from weights [B, N] to the weight of rows true of one class and answered as another, [B, K, K]."""
    num_classes = answer.shape[1]
    add = sums_by(target * num_classes + answer.argmax(axis=1), num_classes**2)
    return lambda weights: add(weights).reshape(len(weights), num_classes, num_classes)


def answered_labels(answer: np.ndarray) -> np.ndarray:
    """bool [N, L]: the labels answered for each row."""
    return np.asarray(answer >= LABEL_THRESHOLD)


def of_class(target: np.ndarray, number: int) -> np.ndarray:
    """bool [N]: whether each row is of one class, or has one label."""
    return np.asarray(target[:, number] > 0 if target.ndim == 2 else target == number)


def mean_of_present(above: np.ndarray, below: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The mean of above / below over the last axis, weighted by share; a ratio with an empty denominator counts 0."""
    return ratio((ratio(above, below, empty=0.0) * share).sum(axis=-1), share.sum(axis=-1), empty=np.nan)
