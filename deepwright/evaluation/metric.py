"""The bases of our metrics: numbers that can be judged under many weightings of the same rows at once."""

from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np

from deepwright.core.families import Metric

Weigher = Callable[[np.ndarray], np.ndarray]
"""weights float64 [B, N], how often each row counts, to the metric's values float64 [B] (NaN where undefined)."""

Scale = Literal["share", "unexplained", "plain"]
"""Where a resampled value is nearly normal. share: the logit of a number in [0, 1]; unexplained: log(1 - value)."""


class RowMetric(Metric):
    """A metric of rows that sorts and counts once and then takes any number of weightings.

    has_interval: resamples say how far it may move; not so of extremes and of what chance shifts to one side.
    """

    scale: ClassVar[Scale] = "plain"
    has_interval: ClassVar[bool] = True

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        """The metric of these rows as a function of weights. Shapes as in `Metric.value`."""
        raise NotImplementedError

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float] | None:
        """A closed-form 95 % interval, where there is one that covers better than resampling."""
        return None

    def value(self, target: np.ndarray, answer: np.ndarray, weight: np.ndarray | None = None) -> float:
        weights = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
        return float(self.weigher(target, answer)(weights[np.newaxis])[0])


class MeanMetric(RowMetric):
    """A metric that is the mean of one loss per row, or a rising function of that mean."""

    greater_is_better: ClassVar[bool] = False

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        """float64 [N]: what each row adds to the mean."""
        raise NotImplementedError

    def finish(self, mean: np.ndarray) -> np.ndarray:
        """From the mean loss to the metric."""
        return mean

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        losses = self.losses(target, answer)

        def weigh(weights: np.ndarray) -> np.ndarray:
            return self.finish(ratio(weights @ losses, weights.sum(axis=1), empty=np.nan))

        return weigh


def weigher_of(metric: Metric, target: np.ndarray, answer: np.ndarray) -> Weigher:
    """Any metric as a function of weights; one that only has `value` is called once per weighting."""
    if isinstance(metric, RowMetric):
        return metric.weigher(target, answer)
    return lambda weights: np.array([metric.value(target, answer, weight) for weight in weights])


def ratio(numerator: np.ndarray, denominator: np.ndarray, *, empty: float) -> np.ndarray:
    """numerator / denominator, and `empty` where the denominator is 0."""
    filled = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), empty, dtype=np.float64)
    return np.divide(numerator, denominator, out=filled, where=denominator > 0)


def sums_by(groups: np.ndarray, num_groups: int) -> Weigher:
    """A function from weights [B, N] to the sum of weights in each group [B, num_groups]; groups: int [N]."""
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)

    def add(weights: np.ndarray) -> np.ndarray:
        sums = np.zeros((len(weights), num_groups))
        if len(present):
            sums[:, present] = np.add.reduceat(weights[:, order], starts, axis=1)
        return sums

    return add
