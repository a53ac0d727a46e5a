"""Residual scale: how large the errors of each row are expected to be, learned on the training part alone."""

import numpy as np

from deepwright.core.operations import TreeEnsemble
from deepwright.model.baselines import Boosting
from deepwright.model.folds import folds

SMALLEST = 0.1
"""Of the median error, added to every error before its logarithm, so that a few exact hits do not rule it."""
ERRORS = Boosting(iterations=50, lr=0.1, max_leaves=8, min_rows=50, l2=1.0)
"""Errors are noisy: few and small trees."""


def residual_scale(x: np.ndarray, target: np.ndarray, seed: int, weight: np.ndarray | None = None) -> TreeEnsemble:
    """Trees that answer `scale` [N] in the target's unit: exp of the expected log of the error.

    The errors are those of boosting on five folds, each made by trees that have not seen the row: a model's errors on
    the rows that it learned are too small. x: float32 [N, F] in the form `ordinal`; target: float64 [N].
    """
    errors = np.empty(len(target))
    for learn, judge in folds(target, is_classes=False, seed=seed):
        own = None if weight is None else weight[learn]
        trees = Boosting().learn(x[learn], target[learn], "regression", 1, seed, own)
        errors[judge] = np.abs(target[judge] - trees.apply({"x": x[judge]})["value"])
    least = SMALLEST * float(np.median(errors)) or 1.0
    found = ERRORS.learn(x, np.log(errors + least), "regression", 1, seed, weight)
    assert isinstance(found, TreeEnsemble), "boosting learns trees"
    return found.replace(answer="scale", link="exp")
