"""The target as learning takes it: class numbers or values, and how much each row counts."""

from collections.abc import Callable

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError, did_you_mean
from deepwright.core.recipe import Recipe
from deepwright.core.schema import Problem


def num_outputs(data: Dataset) -> int:
    """Classes or labels of the target, or 1 for a value."""
    return 1 if data.schema.problem == "regression" else len(data.schema.target.levels)


def target_of(data: Dataset) -> np.ndarray:
    """int64 [N] class numbers, bool [N, L] labels, or float64 [N] values in the target's unit.

    Raises DataError for a level that the training part does not have.
    """
    if data.schema.problem == "regression":
        return np.asarray(data.target, dtype=np.float64)
    levels = data.schema.target.levels
    if data.schema.problem == "multi-label":
        return _labels(data, levels)
    number = {level: i for i, level in enumerate(levels)}
    unknown = sorted({str(label) for label in data.target if label not in number})
    if unknown:
        raise DataError("run.unseen_label", part=data.part, labels=", ".join(unknown), known=", ".join(levels))
    return np.fromiter((number[label] for label in data.target), np.int64, len(data))


def _labels(data: Dataset, levels: tuple[str, ...]) -> np.ndarray:
    """bool [N, L]: which labels each row has."""
    cells, place = np.unique(data.target.astype(str), return_inverse=True)
    number = {level: i for i, level in enumerate(levels)}
    has_label = np.zeros((len(cells), len(levels)), dtype=bool)
    unknown: set[str] = set()
    for row, cell in enumerate(cells.tolist()):
        for label in data.schema.target.labels_of(cell):
            if label in number:
                has_label[row, number[label]] = True
            else:
                unknown.add(label)
    if unknown:
        found = ", ".join(sorted(unknown))
        raise DataError("run.unseen_label", part=data.part, labels=found, known=", ".join(levels))
    return np.asarray(has_label[place])


def target_scale(train: Dataset) -> tuple[float, float]:
    """Mean and sd of the training part's values (else 0 and 1): what the network's output is measured in."""
    if train.schema.problem != "regression":
        return 0.0, 1.0
    values = target_of(train)
    return float(values.mean()), float(values.std()) or 1.0


def class_weights(train: Dataset, recipe: Recipe) -> np.ndarray | None:
    """float64 [K]: how much a row of each class counts in learning; None: all alike.

    Raises RecipeError for a level that is not there or a weight that is none.
    """
    words, feature = recipe.train.class_weights, train.schema.target
    if words in ((), ("none",)):
        return None
    if train.schema.problem == "regression":
        raise RecipeError("run.class_weights_values", target=feature.name)
    if train.schema.problem == "multi-label":
        raise RecipeError("run.class_weights_labels", target=feature.name)
    if words == ("balanced",):
        counts = np.bincount(target_of(train), weights=train.weight, minlength=len(feature.levels))
        return np.divide(counts.sum() / len(counts), counts, out=np.zeros(len(counts)), where=counts > 0)
    weights = np.ones(len(feature.levels))
    for entry in words:
        level, mark, number = entry.rpartition("=")
        value = _positive(number)
        if not mark or level not in feature.levels or value is None:
            hint = did_you_mean(level or entry, ["balanced", *feature.levels])
            raise RecipeError("run.class_weights", found=entry, levels=", ".join(feature.levels), hint=hint)
        weights[feature.levels.index(level)] = value
    return weights


def row_weights(data: Dataset, of_classes: np.ndarray | None) -> np.ndarray | None:
    """float64 [N] with mean 1: how much each row counts in learning; None: all alike."""
    if data.weight is None and of_classes is None:
        return None
    weights = np.ones(len(data)) if data.weight is None else data.weight
    if of_classes is not None:
        weights = weights * of_classes[target_of(data)]
    return np.asarray(weights / weights.mean())


def learning_target(data: Dataset, mean: float, sd: float, of_classes: np.ndarray | None) -> np.ndarray:
    """The target as the loss takes it: int64 [N], float32 [N, L] of labels, or float32 [N] on the training part's
    scale.

    Where rows count differently float32 [N, 3]: that, the row's weight in the loss, and its weight in metrics.
    """
    target = target_of(data)
    if data.schema.problem == "multi-label":
        return target.astype(np.float32)
    scaled = target if data.schema.problem == "classification" else ((target - mean) / sd).astype(np.float32)
    weights = row_weights(data, of_classes)
    if weights is None:
        return scaled
    in_metrics = np.ones(len(data)) if data.weight is None else data.weight
    return np.stack([scaled, weights, in_metrics], axis=1).astype(np.float32)


def followed(
    value: Callable[..., float], problem: Problem, mean: float, sd: float, *, as_learned: bool = False
) -> Callable[[np.ndarray, np.ndarray], float]:
    """A metric that takes what `learning_target` gives beside answers in the target's unit.

    as_learned: rows count as in the loss, by their classes too.
    """

    def follow(target: np.ndarray, answer: np.ndarray) -> float:
        if problem == "multi-label":
            return value(target > 0, answer, None)
        weight = None
        if target.ndim == 2:
            target, weight = target[:, 0], target[:, 1 if as_learned else 2].astype(np.float64)
        if problem == "classification":
            return value(target.astype(np.int64), answer, weight)
        return value(target.astype(np.float64) * sd + mean, answer, weight)

    return follow


def _positive(words: str) -> float | None:
    try:
        value = float(words)
    except ValueError:
        return None
    return value if 0 < value < np.inf else None
