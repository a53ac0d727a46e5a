"""Agreement of answered and true classes beyond what chance gives; undefined where there is nothing to agree on."""

from typing import ClassVar, Literal

import numpy as np

from deepwright.core.part import option
from deepwright.core.schema import Problem
from deepwright.evaluation.counts import confusion
from deepwright.evaluation.metric import RowMetric, Weigher, ratio


class Mcc(RowMetric, kind="mcc"):
    """Matthews' correlation of answered and true classes, from -1 to 1; 0 is chance.

    Undefined when all rows are of one class, or one class is always answered, where scikit-learn gives 0.
    References: Matthews 1975; Gorodkin 2004 (more than two classes).

    >>> round(Mcc().value(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])), 4)
    0.5774
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)
    decides: ClassVar[bool] = True

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        count = confusion(target, answer)

        def weigh(weights: np.ndarray) -> np.ndarray:
            rows_BKK = count(weights)
            true_BK, said_BK, total_B = rows_BKK.sum(axis=2), rows_BKK.sum(axis=1), rows_BKK.sum(axis=(1, 2))
            both_B = np.trace(rows_BKK, axis1=1, axis2=2) * total_B - (true_BK * said_BK).sum(axis=1)
            spread_B = _spread(true_BK, total_B) * _spread(said_BK, total_B)
            return ratio(both_B, np.sqrt(spread_B), empty=np.nan)

        return weigh


class Kappa(RowMetric, kind="kappa"):
    """Cohen's kappa: the share of the agreement beyond chance that is reached, 1 for all of it and 0 for chance.

    With weights a fault counts by how far apart the two classes stand in the order of the levels. Undefined when all
    rows are of the one class that is always answered. References: Cohen 1960, 1968 (weights).

    >>> round(Kappa().value(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])), 4)
    0.5
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)
    decides: ClassVar[bool] = True

    weights: Literal["linear", "quadratic"] | None = option(
        None, "what a fault counts, for ordered levels: linear or quadratic in the distance; none: every fault alike"
    )

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        count, fault_KK = confusion(target, answer), _faults(answer.shape[1], self.weights)

        def weigh(weights: np.ndarray) -> np.ndarray:
            rows_BKK = count(weights)
            true_BK, said_BK, total_B = rows_BKK.sum(axis=2), rows_BKK.sum(axis=1), rows_BKK.sum(axis=(1, 2))
            by_chance_B = np.einsum("bi,ij,bj->b", true_BK, fault_KK, said_BK)
            found_B = np.einsum("bij,ij->b", rows_BKK, fault_KK) * total_B
            return 1 - ratio(found_B, by_chance_B, empty=np.nan)

        return weigh


def _spread(counts_BK: np.ndarray, total_B: np.ndarray) -> np.ndarray:
    """total^2 - sum of squares, as a sum of products that is exactly 0 for one class alone."""
    return np.asarray((counts_BK * (total_B[:, np.newaxis] - counts_BK)).sum(axis=1))


def _faults(num_classes: int, weights: str | None) -> np.ndarray:
    """float64 [K, K]: what it counts to answer one class where another is true."""
    apart = np.abs(np.subtract.outer(np.arange(num_classes), np.arange(num_classes))).astype(np.float64)
    if weights is None:
        return np.sign(apart)
    return apart if weights == "linear" else np.square(apart)
