"""Metrics of regression, equal to scikit-learn's where that one is defined."""

from typing import ClassVar

import numpy as np

from deepwright.core.schema import Problem
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
