"""Residual scale: how large the errors of each row are expected to be, learned on the training part alone."""

import numpy as np

from deepwright.core.operations import TreeEnsemble
from deepwright.model.baselines import Boosting

SMALLEST = 1.0
"""Times the median error, added to every error before its logarithm: hard rows get wider intervals, and exact hits do
not rule the scale. 0.1 to 2 were tried on five tables (docs/log.md, 2026-11-21)."""
NUM_FOLDS, MOST_ROWS = 3, 50_000
ERRORS = Boosting(iterations=50, lr=0.1, max_leaves=8, min_rows=50, l2=1.0)
"""Errors are noisy: few and small trees."""


def residual_scale(x: np.ndarray, target: np.ndarray, seed: int, weight: np.ndarray | None = None) -> TreeEnsemble:
    """Trees that answer `scale` [N] in the target's unit: exp of the expected log of the error.

    The errors are those of boosting on three folds, each made by trees that have not seen the row: a model's errors on
    the rows that it learned are too small. Of more than 50,000 rows a part drawn by the seed is used.
    x: float32 [N, F] in the form `ordinal`; target: float64 [N].
    """
    order = np.random.default_rng(seed).permutation(len(target))[:MOST_ROWS]
    x, target, weight = x[order], target[order], None if weight is None else weight[order]
    errors = np.empty(len(target))
    fold = np.arange(len(target)) % NUM_FOLDS
    for number in range(NUM_FOLDS):
        learn, judge = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        own = None if weight is None else weight[learn]
        trees = Boosting().learn(x[learn], target[learn], "regression", 1, seed, own)
        errors[judge] = np.abs(target[judge] - trees.apply({"x": x[judge]})["value"])
    least = SMALLEST * float(np.median(errors)) or 1.0
    found = ERRORS.learn(x, np.log(errors + least), "regression", 1, seed, weight)
    assert isinstance(found, TreeEnsemble), "boosting learns trees"
    return found.replace(answer="scale", link="exp")
