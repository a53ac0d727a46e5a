"""Cost: what the faults of an answer cost in the user's own unit."""

from typing import ClassVar

import numpy as np
from pydantic import field_validator

from deepwright.core.errors import RecipeError
from deepwright.core.part import option
from deepwright.core.schema import Problem
from deepwright.core.text import text
from deepwright.evaluation.metric import MeanMetric


class Cost(MeanMetric, kind="cost"):
    """What a row costs on average, in the unit of the costs; with none given, the share of wrong answers.

    >>> target, answer = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> Cost(miss=60.0, false_alarm=5.0).value(target, answer)
    20.0
    >>> Cost(costs=("1>0=60", "1>1=1")).value(target, answer)
    20.333333333333332
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)
    decides: ClassVar[bool] = True

    miss: float = option(1.0, "of two levels: what answering the first costs where the second is true", low=0)
    false_alarm: float = option(1.0, "of two levels: what answering the second costs where the first is true", low=0)
    costs: tuple[str, ...] = option(
        (), "TRUE>ANSWERED=COST by the levels' numbers from 0, such as 2>0=60; others 1, and 0 for the true level"
    )

    @field_validator("costs")
    @classmethod
    def _costs_can_be_read(cls, costs: tuple[str, ...]) -> tuple[str, ...]:
        for entry in costs:
            _read(entry)
        return costs

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        return np.asarray(self.matrix(answer.shape[1])[target, answer.argmax(axis=1)])

    def matrix(self, num_classes: int) -> np.ndarray:
        """float64 [K, K]: true level by answered level. Raises RecipeError where the options do not fit the classes."""
        costs = 1.0 - np.eye(num_classes)
        if num_classes == 2:
            costs[1, 0], costs[0, 1] = self.miss, self.false_alarm
        elif (self.miss, self.false_alarm) != (1.0, 1.0):
            raise RecipeError("evaluate.cost_of_two", metric=self.name, classes=num_classes)
        for entry in self.costs:
            true, answered, cost = _read(entry)
            if max(true, answered) >= num_classes:
                raise RecipeError("evaluate.cost_class", metric=self.name, found=entry, highest=num_classes - 1)
            costs[true, answered] = cost
        return costs


def _read(entry: str) -> tuple[int, int, float]:
    """Raises ValueError for what is not TRUE>ANSWERED=COST with a cost from 0 up."""
    pair, _, cost = entry.partition("=")
    true, _, answered = pair.partition(">")
    try:
        found = int(true), int(answered), float(cost)
    except ValueError:
        raise ValueError(text("evaluate.cost_entry", found=entry)) from None
    if min(found) < 0 or not found[2] < np.inf:
        raise ValueError(text("evaluate.cost_entry", found=entry))
    return found
