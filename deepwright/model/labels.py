"""One model for each of several labels, as one operation."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deepwright.core.operations import Linear, Operation, TreeEnsemble


def linear_of_labels(models: Sequence[Operation | None], target: np.ndarray, width: int) -> Linear:
    """Two-class linear models, one a label, side by side. None: every row has the label, or none has it.

    target: bool [N, L] of the training part; width: F.
    """
    weights = np.zeros((width, len(models)))
    bias = np.zeros(len(models))
    for label, model in enumerate(models):
        if isinstance(model, Linear):
            both = np.asarray(model.weights)
            weights[:, label] = both[:, 1] - both[:, 0]
            bias[label] = model.bias[1] - model.bias[0]
        else:
            bias[label] = log_odds(target[:, label])
    rows = tuple(tuple(row) for row in weights.tolist())
    return Linear(answer="probability", weights=rows, bias=tuple(bias.tolist()), link="labels")


def trees_of_labels(models: Sequence[Operation | None], target: np.ndarray) -> TreeEnsemble:
    """Two-class ensembles, one a label, in one list of nodes. Else as `linear_of_labels`."""
    lists: dict[str, list[Any]] = {
        name: [] for name in ("features", "thresholds", "lefts", "rights", "nan_left", "leaf_values")
    }
    roots: list[int] = []
    outputs: list[int] = []
    base: list[float] = []
    for label, model in enumerate(models):
        if not isinstance(model, TreeEnsemble):
            base.append(log_odds(target[:, label]))
            continue
        start = len(lists["features"])
        roots += [start + root for root in model.roots]
        outputs += [label] * len(model.roots)
        base += model.base
        for name, values in lists.items():
            shift = start if name in ("lefts", "rights") else 0
            values += [value + shift for value in getattr(model, name)] if shift else getattr(model, name)
    if not roots:  # no label varies: a single leaf that adds nothing
        roots, outputs = [0], [0]
        lists = {"features": [-1], "thresholds": [0.0], "lefts": [0], "rights": [0], "nan_left": [False]}
        lists["leaf_values"] = [0.0]
    given = {name: tuple(values) for name, values in lists.items()}
    return TreeEnsemble(
        answer="probability", roots=tuple(roots), tree_outputs=tuple(outputs), base=tuple(base), link="labels", **given
    )


def log_odds(has_label: np.ndarray) -> float:
    """The log odds of a label, half a row added to each side so that none is certain.

    >>> round(log_odds(np.zeros(99, bool)), 4)
    -5.2933
    """
    true = float(has_label.sum())
    return float(np.log((true + 0.5) / (len(has_label) - true + 0.5)))
