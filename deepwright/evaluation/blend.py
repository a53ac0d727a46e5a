"""Blending: how much of each of two members' answers gives the best mean, and whether it earns its place."""

from dataclasses import dataclass

import numpy as np

from deepwright.core.schema import Problem
from deepwright.evaluation.classify import LogLoss
from deepwright.evaluation.metric import MeanMetric
from deepwright.evaluation.regress import Mse

GRID = np.linspace(0.0, 1.0, 21)
"""Shares of the first member that are tried."""
NUM_FOLDS = 5


@dataclass(frozen=True)
class Blend:
    """share: of the first member's answers in the mean; 0 or 1 where a single member is as good.

    cross_fitted: the rows' answers, each blended with a share chosen without its fold; what a choice may look at.
    """

    share: float
    cross_fitted: np.ndarray


def blend(
    target: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    problem: Problem,
    weight: np.ndarray | None = None,
    seed: int = 0,
) -> Blend:
    """The share with the least mean log loss (classes) or squared error (values): smooth, whatever metric is reported.

    A single member is taken when its loss is within one standard error of the best mean's. Shapes as in `Metric.value`;
    target, first and second are of the validation part.
    """
    losses = _losses(target, first, second, problem)
    counts = np.ones(len(target)) if weight is None else weight
    fold = np.random.default_rng(seed).permutation(len(target)) % NUM_FOLDS
    cross_fitted = np.empty_like(first, dtype=np.float64)
    for number in range(NUM_FOLDS):
        here = fold == number
        if here.any():
            cross_fitted[here] = mixed(_best_share(losses[:, ~here], counts[~here]), first[here], second[here])
    return Blend(_best_share(losses, counts), cross_fitted)


def mixed(share: float, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """share of the first answers and the rest of the second.

    >>> mixed(0.25, np.array([4.0]), np.array([8.0])).tolist()
    [7.0]
    """
    return share * np.asarray(first, np.float64) + (1.0 - share) * np.asarray(second, np.float64)


def _losses(target: np.ndarray, first: np.ndarray, second: np.ndarray, problem: Problem) -> np.ndarray:
    """float64 [21, N]: each row's loss at each share."""
    metric: MeanMetric = Mse() if problem == "regression" else LogLoss()
    return np.stack([metric.losses(target, mixed(share, first, second)) for share in GRID])


def _best_share(losses: np.ndarray, counts: np.ndarray) -> float:
    """The share of the least loss, or a single member's within one standard error of it."""
    if not counts.sum() > 0:
        return 0.0
    means = losses @ counts / counts.sum()
    best = int(means.argmin())
    single = 0 if means[0] <= means[-1] else len(GRID) - 1
    differences = losses[single] - losses[best]
    mean = means[single] - means[best]
    error = np.sqrt(np.square(counts * (differences - mean)).sum()) / counts.sum()
    return float(GRID[single if mean <= error else best])
