"""Decisions: from the probabilities of two classes to the class that is answered."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from pydantic import field_validator

from deepwright.core.families import Decision, Metric
from deepwright.core.part import option
from deepwright.core.text import text
from deepwright.evaluation.classify import BalancedAccuracy

MOST_CANDIDATES = 256
"""Thresholds that are tried: all between few rows, evenly many rows apart between many."""


class MostProbable(Decision, kind="most_probable"):
    """The more probable class; right where every fault costs the same and probabilities can be trusted.

    >>> MostProbable().choose(np.array([0, 1]), np.array([[0.9, 0.1], [0.7, 0.3]])) is None
    True
    """

    is_chosen: ClassVar[bool] = False

    def choose(self, target: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float | None:
        return None


class Fixed(Decision, kind="fixed"):
    """The second of the target's levels from a given probability on.

    >>> Fixed(value=0.25).choose(np.array([0, 1]), np.array([[0.9, 0.1], [0.7, 0.3]]))
    0.25
    """

    is_chosen: ClassVar[bool] = False

    value: float = option(0.5, "probability of the second level from which it is answered", above=0, below=1)

    def choose(self, target: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float | None:
        return float(np.float32(self.value))


class Threshold(Decision, kind="threshold"):
    """The second of the target's levels from the probability on at which a metric is best on validation.

    >>> Threshold().choose(np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.85, 0.15], [0.8, 0.2], [0.7, 0.3]]))
    0.25
    """

    metric: Metric = option(BalancedAccuracy, "what is to be best: a metric of answered classes, such as f1")

    @field_validator("metric")
    @classmethod
    def _metric_judges_classes(cls, metric: Metric) -> Metric:
        if not metric.decides:
            allowed = ", ".join(sorted(kind for kind, other in Metric.kinds.items() if other.decides))  # type: ignore[attr-defined]
            raise ValueError(text("evaluate.decision_metric", kind=metric.kind, allowed=allowed))
        return metric

    def choose(self, target: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float | None:
        sign = 1.0 if self.metric.greater_is_better else -1.0
        return _best(probability, lambda answer: sign * self.metric.value(target, answer, weight))


class Cost(Decision, kind="cost"):
    """The second of the target's levels from the probability on at which faults cost least on validation.

    >>> round(Cost(miss=9.0).choose(np.array([0, 1, 0]), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])), 4)
    0.15
    """

    miss: float = option(1.0, "what answering the first level costs where the second is true", above=0)
    false_alarm: float = option(1.0, "what answering the second level costs where the first is true", above=0)

    def choose(self, target: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float | None:
        counts = np.ones(len(target)) if weight is None else weight
        costs = np.where(target == 1, self.miss, self.false_alarm) * counts

        def gain(answer: np.ndarray) -> float:
            return -float(costs @ (answer.argmax(axis=1) != target))

        return _best(probability, gain)


def as_answer(decided: np.ndarray, num_classes: int) -> np.ndarray:
    """float64 [N, K]: 1 at the class decided for, so that metrics of classes judge the decision.

    >>> as_answer(np.array([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    return np.eye(num_classes)[decided]


def _best(probability: np.ndarray, gain: Callable[[np.ndarray], float]) -> float | None:
    """The threshold of the largest gain, of equals the nearest to a half; None where no gain is defined."""
    score = probability[:, 1]
    gains = []
    for threshold in _candidates(score):
        value = gain(as_answer((score >= np.float32(threshold)).astype(np.int64), 2))
        gains.append((value if np.isfinite(value) else -np.inf, -abs(threshold - 0.5), threshold))
    best = max(gains)
    return float(np.float32(best[2])) if np.isfinite(best[0]) else None


def _candidates(score: np.ndarray) -> list[float]:
    """A half, and the middles between neighbouring scores."""
    distinct = np.unique(score.astype(np.float64))
    if len(distinct) > MOST_CANDIDATES:
        distinct = np.unique(np.quantile(score.astype(np.float64), np.linspace(0, 1, MOST_CANDIDATES)))
    return [0.5, *((distinct[1:] + distinct[:-1]) / 2).tolist()]
