"""Metrics of intervals: how often the truth lies inside, and how wide they are. Their answer is [N, 2]: low, high."""

from typing import ClassVar

import numpy as np

from deepwright.evaluation.interval import proportion
from deepwright.evaluation.metric import MeanMetric, RowMetric, Scale, Weigher, ratio


class Coverage(RowMetric, kind="coverage"):
    """The share of rows whose value lies inside its interval, ends included.

    >>> Coverage().value(np.array([1.0, 2.0, 4.0]), np.array([[0.0, 1.0], [2.5, 3.0], [3.0, 5.0]]))
    0.6666666666666666
    """

    scale: ClassVar[Scale] = "share"

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        inside = _inside(target, answer).astype(np.float64)
        return lambda weights: ratio(weights @ inside, weights.sum(axis=1), empty=np.nan)

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float]:
        return proportion(int(_inside(target, answer).sum()), len(target))


class IntervalWidth(MeanMetric, kind="interval_width"):
    """The mean width of the intervals, in the target's unit: of intervals that cover alike the narrower are better.

    >>> IntervalWidth().value(np.array([1.0, 2.0, 4.0]), np.array([[0.0, 1.0], [2.5, 3.0], [3.0, 5.0]]))
    1.1666666666666667
    """

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        return np.asarray(answer[:, 1] - answer[:, 0])


def _inside(target: np.ndarray, answer: np.ndarray) -> np.ndarray:
    return np.asarray((answer[:, 0] <= target) & (target <= answer[:, 1]))
