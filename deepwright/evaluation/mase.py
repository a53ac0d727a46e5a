"""MASE: the error of values in time, measured by how far the training part moves by itself."""

from typing import ClassVar

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.part import option
from deepwright.core.schema import Problem
from deepwright.core.step import require_part
from deepwright.evaluation.metric import MeanMetric


class Mase(MeanMetric, kind="mase"):
    """The mean absolute error over that of the naive forecast on the training part; below 1 is better than naive.

    The naive forecast says the value one season before. Its error is learned from the training part alone, each group
    in its own order of time; one that never moves leaves the metric undefined.
    Reference: Hyndman and Koehler 2006.

    >>> Mase(naive_error=2.0).value(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    0.5
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)
    learns: ClassVar[bool] = True

    season: int = option(1, "rows from one season to the next: 24 for hours of a day, 7 for days of a week", low=1)
    naive_error: float | None = option(
        None, "mean absolute error of the naive forecast; none: the training part's", low=0
    )

    @property
    def name(self) -> str:
        """Its name without what was learned, which is no choice."""
        return self.kind if self.season == 1 else f"{self.kind}(season={self.season})"

    def fit(self, train: Dataset) -> "Mase":
        """This metric with the naive forecast's error on the training part.

        Raises LeakError on any other part, RecipeError for rows without an order in time.
        """
        require_part(train, "train", "metric.mase")
        if self.naive_error is not None:
            return self
        time, group = train.schema.of_role("time"), train.schema.of_role("group")
        if time is None:
            raise RecipeError("evaluate.naive_needs_time", metric=self.name)
        values, times = np.asarray(train.target, np.float64), train.columns[time.name]
        groups = np.zeros(len(train), np.int64)
        if group is not None:
            groups = np.unique(train.columns[group.name].astype(str), return_inverse=True)[1]
        return self.replace(naive_error=error_of_naive(values, times, groups, self.season))

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        """Raises RecipeError where the naive error was neither given nor learned."""
        if self.naive_error is None:
            raise RecipeError("evaluate.no_naive_error", metric=self.name)
        return np.asarray(np.abs(target - answer) / (self.naive_error or np.nan))


def error_of_naive(values: np.ndarray, times: np.ndarray, groups: np.ndarray, season: int) -> float:
    """The mean of |value - value one season before| within each group, in the order of time; 0 where there is none.

    values, times: float64 [N]; groups: int [N].

    >>> error_of_naive(np.array([1.0, 4.0, 2.0]), np.array([0.0, 2.0, 1.0]), np.zeros(3, int), season=1)
    1.5
    """
    order = np.lexsort((times, groups))
    rising, of_group = values[order], groups[order]
    steps = np.abs(rising[season:] - rising[:-season])[of_group[season:] == of_group[:-season]]
    return float(steps.mean()) if len(steps) else 0.0
