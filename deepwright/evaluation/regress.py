"""Metrics of regression, equal to scikit-learn's where that one is defined."""

from typing import ClassVar

import numpy as np
from pydantic import field_validator

from deepwright.core.errors import RecipeError
from deepwright.core.part import option
from deepwright.core.schema import Problem
from deepwright.core.text import text
from deepwright.evaluation.metric import MeanMetric, RowMetric, Scale, Weigher, ratio


class Mse(MeanMetric, kind="mse"):
    """The mean squared error, in the target's unit squared.

    >>> Mse().value(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    1.6666666666666667
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        return np.square(target - answer)


class Rmse(MeanMetric, kind="rmse"):
    """The root of the mean squared error, in the target's unit.

    >>> round(Rmse().value(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0])), 4)
    1.291
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        return np.square(target - answer)

    def finish(self, mean: np.ndarray) -> np.ndarray:
        return np.sqrt(mean)


class Mae(MeanMetric, kind="mae"):
    """The mean absolute error, in the target's unit.

    >>> Mae().value(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    1.0
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        return np.abs(target - answer)


class Mape(MeanMetric, kind="mape"):
    """The mean of |error| / |target|, as a share; undefined where some target is 0.

    >>> Mape().value(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    0.3333333333333333
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        return ratio(np.abs(target - answer), np.abs(target), empty=np.nan)


class Smape(MeanMetric, kind="smape"):
    """The mean of 2 |error| / (|target| + |answer|), as a share from 0 to 2; a row of two zeros has no error.

    Reference: Makridakis 1993.

    >>> round(Smape().value(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0])), 4)
    0.3556
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        return ratio(2 * np.abs(target - answer), np.abs(target) + np.abs(answer), empty=0.0)


class Pinball(MeanMetric, kind="pinball"):
    """The mean loss of quantiles: an answer below the target counts `level` of the gap, one above the rest of it.

    answer: value [N] with one level, or quantiles [N, Q] with one level each, such as an interval's two ends.
    Reference: Koenker and Bassett 1978.

    >>> round(Pinball(levels=(0.9,)).value(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0])), 4)
    0.6333
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)

    levels: tuple[float, ...] = option((0.5,), "level of each answered quantile, above 0 and below 1")

    @field_validator("levels")
    @classmethod
    def _levels_lie_within(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if not (levels and all(0 < level < 1 for level in levels)):
            raise ValueError(text("train.quantile_levels"))
        return levels

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        quantiles = answer.reshape(len(answer), -1)
        if quantiles.shape[1] != len(self.levels):
            raise RecipeError(
                "evaluate.pinball_levels", metric=self.name, found=quantiles.shape[1], levels=len(self.levels)
            )
        gap, levels = target[:, np.newaxis] - quantiles, np.array(self.levels)
        return np.asarray(np.maximum(levels * gap, (levels - 1) * gap).mean(axis=1))


class MaxError(RowMetric, kind="max_error"):
    """The largest absolute error, in the target's unit. It grows with the number of rows, so it has no interval.

    >>> MaxError().value(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    2.0
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)
    greater_is_better: ClassVar[bool] = False
    has_interval: ClassVar[bool] = False

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        errors = np.abs(target - answer)
        return lambda weights: np.where(weights > 0, errors, 0.0).max(axis=1)


class MedianAbsoluteError(RowMetric, kind="median_absolute_error"):
    """The median of the absolute errors, in the target's unit; half-way between the middle two of an even number.

    >>> MedianAbsoluteError().value(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    1.0
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)
    greater_is_better: ClassVar[bool] = False

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        errors = np.abs(target - answer)
        order = np.argsort(errors, kind="stable")
        rising = errors[order]

        def weigh(weights: np.ndarray) -> np.ndarray:
            sums = np.cumsum(weights[:, order], axis=1)
            half = sums[:, -1:] / 2
            last = len(rising) - 1
            lower, upper = ((sums < half).sum(axis=1), (sums <= half).sum(axis=1))
            return (rising[np.minimum(lower, last)] + rising[np.minimum(upper, last)]) / 2

        return weigh


class R2(RowMetric, kind="r2"):
    """The share of the target's variance that is explained; undefined for a constant target.

    >>> round(R2().value(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0])), 4)
    -0.0714
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)
    scale: ClassVar[Scale] = "unexplained"

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        errors = np.square(target - answer)
        centred = target - np.median(target)  # exactly 0 everywhere when the target is constant
        squares = np.square(centred)

        def weigh(weights: np.ndarray) -> np.ndarray:
            mean_square = weights @ squares
            spread = mean_square - np.square(weights @ centred) / weights.sum(axis=1)
            spread = np.where(spread > 1e-12 * mean_square, spread, 0.0)  # what rounding leaves of one repeated value
            return 1 - ratio(weights @ errors, spread, empty=np.nan)

        return weigh
