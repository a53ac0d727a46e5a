"""Decisions: from the probabilities of the classes to the class that is answered."""

from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np
from pydantic import field_validator

from deepwright.core.errors import RecipeError, did_you_mean
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
    of_labels: ClassVar[bool] = True

    value: float = option(0.5, "probability of the second level from which it is answered", above=0, below=1)

    def choose(self, target: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float | None:
        return float(np.float32(self.value))


class Threshold(Decision, kind="threshold"):
    """The second of the target's levels from the probability on at which a metric is best on validation; of several
    labels each of them from one such probability on.

    >>> Threshold().choose(np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.85, 0.15], [0.8, 0.2], [0.7, 0.3]]))
    0.25
    """

    of_labels: ClassVar[bool] = True

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
        score = probability if target.ndim == 2 else probability[:, 1]
        return _best(score, lambda answer: sign * self.metric.value(target, answer, weight))


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

        return _best(probability[:, 1], gain)


class Wanted(Decision, kind="wanted"):
    """The second of the target's levels from the probability on at which validation reaches a wanted recall, or
    precision: of all thresholds that reach it, the one that costs least of the other.

    A precision that no threshold reaches gives the one nearest to it; the report says what was reached.

    >>> score = np.array([0.1, 0.2, 0.3, 0.6])
    >>> Wanted(value=1.0).choose(np.array([0, 1, 0, 1]), np.stack([1 - score, score], axis=1))
    0.15000000596046448
    """

    metric: Literal["recall", "precision"] = option("recall", "of the second level: what is to reach the value")
    value: float = option(0.9, "what it is to reach on validation", above=0, high=1)

    def choose(self, target: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float | None:
        counts = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
        positive = counts * (target == 1)
        if not positive.sum() > 0:
            return None
        score, place = np.unique(probability[:, 1].astype(np.float32), return_inverse=True)
        found = np.bincount(place, positive, len(score))[::-1].cumsum()[::-1]  # positives from each score on
        answered = np.bincount(place, counts, len(score))[::-1].cumsum()[::-1]
        recall = found / positive.sum()
        precision = np.divide(found, answered, out=np.zeros(len(score)), where=answered > 0)
        wanted = self.value * (1 - 1e-12)  # sums of weights may miss a whole by their last bit
        if self.metric == "recall":
            best = int(np.flatnonzero(recall >= wanted)[-1])
        else:
            reached = np.flatnonzero(precision >= wanted)
            best = int(reached[0] if len(reached) else np.lexsort((recall, precision))[-1])
        return _between(score, best)


class CostMatrix(Decision, kind="cost_matrix"):
    """The level of the least expected cost, under costs of one's own for any number of levels; right where
    probabilities can be trusted. Nothing is chosen, so no number on validation is optimistic by it.

    >>> CostMatrix(costs=("ill>well=10",)).costs_of(("ill", "well"))
    ((0.0, 10.0), (1.0, 0.0))
    """

    is_chosen: ClassVar[bool] = False

    costs: tuple[str, ...] = option(
        (), "TRUE>ANSWERED=COST for pairs of levels, such as ill>well=10; others 1, and 0 where both are the same"
    )

    def costs_of(self, levels: tuple[str, ...]) -> tuple[tuple[float, ...], ...]:
        """Raises RecipeError for a level that is not there or a cost that is none."""
        matrix = 1.0 - np.eye(len(levels))
        for entry in self.costs:
            pair, _, number = entry.rpartition("=")
            truth, answered = _pair(pair, levels)
            cost = _cost(number)
            if truth is None or answered is None or cost is None:
                hint = did_you_mean(pair.partition(">")[0], list(levels))
                raise RecipeError("run.decision_costs", found=entry, levels=", ".join(levels), hint=hint)
            matrix[truth, answered] = cost
        return tuple(tuple(row) for row in matrix.tolist())

    def choose(self, target: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float | None:
        return None


def as_answer(decided: np.ndarray, num_classes: int) -> np.ndarray:
    """float64 [N, K]: 1 at the class (or the labels) decided for, so that metrics of classes judge the decision.

    decided: int64 [N] class numbers, or bool [N, L].

    >>> as_answer(np.array([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    return decided.astype(np.float64) if decided.ndim == 2 else np.eye(num_classes)[decided]


def _best(score: np.ndarray, gain: Callable[[np.ndarray], float]) -> float | None:
    """The threshold of the largest gain, of equals the nearest to a half; None where no gain is defined.

    score: the probability of the second class [N], or of every label [N, L].
    """
    gains = []
    for threshold in _candidates(score):
        answered = score >= np.float32(threshold)
        value = gain(as_answer(answered if score.ndim == 2 else answered.astype(np.int64), 2))
        gains.append((value if np.isfinite(value) else -np.inf, -abs(threshold - 0.5), threshold))
    best = max(gains)
    return float(np.float32(best[2])) if np.isfinite(best[0]) else None


def _candidates(score: np.ndarray) -> list[float]:
    """A half, and the middles between neighbouring scores."""
    distinct = np.unique(score.astype(np.float64))
    if len(distinct) > MOST_CANDIDATES:
        distinct = np.unique(np.quantile(score.astype(np.float64), np.linspace(0, 1, MOST_CANDIDATES)))
    return [0.5, *((distinct[1:] + distinct[:-1]) / 2).tolist()]


def _between(score: np.ndarray, place: int) -> float:
    """A threshold in the middle below the score at this place, where the next lower one stays out."""
    if place == 0:
        return float(score[0])
    middle = np.float32((np.float64(score[place]) + np.float64(score[place - 1])) / 2)
    return float(middle if middle > score[place - 1] else score[place])


def _pair(words: str, levels: tuple[str, ...]) -> tuple[int | None, int | None]:
    """The numbers of the two levels in TRUE>ANSWERED; a level's own name may hold a >."""
    number = {level: place for place, level in enumerate(levels)}
    pieces = words.split(">")
    for cut in range(1, len(pieces)):
        first, second = ">".join(pieces[:cut]), ">".join(pieces[cut:])
        if first in number and second in number:
            return number[first], number[second]
    return None, None


def _cost(words: str) -> float | None:
    try:
        value = float(words)
    except ValueError:
        return None
    return value if 0 <= value < np.inf else None
