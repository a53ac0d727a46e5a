"""Top-k accuracy: whether the true class is among the k most probable ones."""

from typing import ClassVar

import numpy as np

from deepwright.core.errors import RecipeError
from deepwright.core.part import option
from deepwright.core.schema import Problem
from deepwright.evaluation.interval import proportion
from deepwright.evaluation.metric import RowMetric, Scale, Weigher, ratio


class TopKAccuracy(RowMetric, kind="top_k_accuracy"):
    """The share of rows whose true class is among the k most probable; of equals the first levels, as in `accuracy`.

    >>> TopKAccuracy(k=2).value(np.array([0, 2]), np.array([[0.3, 0.5, 0.2], [0.6, 0.3, 0.1]]))
    0.5
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)
    scale: ClassVar[Scale] = "share"

    k: int = option(5, "how many classes a row may name; fewer than there are", low=1)

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        hits = self._hits(target, answer).astype(np.float64)
        return lambda weights: ratio(weights @ hits, weights.sum(axis=1), empty=np.nan)

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float]:
        return proportion(int(self._hits(target, answer).sum()), len(target))

    def _hits(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        """bool [N]. Raises RecipeError where k is not below the number of classes: every answer would be right."""
        if self.k >= answer.shape[1]:
            raise RecipeError("evaluate.top_k", metric=self.name, k=self.k, classes=answer.shape[1])
        own = np.take_along_axis(answer, target[:, np.newaxis], axis=1)
        first = (answer == own) & (np.arange(answer.shape[1]) < target[:, np.newaxis])
        return np.asarray(((answer > own) | first).sum(axis=1) < self.k)
