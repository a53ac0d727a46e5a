"""Narrow: the training part with only some of its inputs to work on, and the columns that steps work on."""

from collections.abc import Iterable, Sequence

from deepwright.core.dataset import Dataset
from deepwright.core.schema import Schema


def narrowed(train: Dataset, columns: Iterable[str]) -> Dataset:
    """The same rows with these inputs; the other inputs are helpers, which a step may read and does not change.

    What is no input (ignored, known only afterwards, a weight) is gone, but for the target.
    """
    wanted = set(columns)
    features = []
    for feature in train.schema.features:
        if feature.role in ("input", "helper") and feature.name in train.columns:
            features.append(feature.model_copy(update={"role": "input" if feature.name in wanted else "helper"}))
        elif feature.role == "target":
            features.append(feature)
    kept = {feature.name: train.columns[feature.name] for feature in features}
    return Dataset(kept, Schema(features=tuple(features)), train.part, train.origin, train.hashes, train.source)


def number_columns(train: Dataset) -> list[str]:
    """The inputs that enter as numbers, times among them (as seconds)."""
    return _of_types(train, ("number", "timestamp"))


def category_columns(train: Dataset) -> list[str]:
    return _of_types(train, ("category",))


def text_columns(train: Dataset) -> list[str]:
    return _of_types(train, ("text",))


def helper_columns(train: Dataset) -> list[str]:
    """The numbers that may predict a missing one: the inputs that are worked on and those beside them."""
    return [
        f.name for f in train.schema.features if f.role in ("input", "helper") and f.type in ("number", "timestamp")
    ]


def _of_types(train: Dataset, types: Sequence[str]) -> list[str]:
    return [feature.name for feature in train.schema.inputs if feature.type in types]


def free_names(wanted: Iterable[str], train: Dataset) -> tuple[str, ...]:
    """Names for new columns that no column has yet."""
    names: list[str] = []
    for name in wanted:
        while name in train.columns or name in names:
            name += "'"
        names.append(name)
    return tuple(names)


def listed(entries: Sequence[str], limit: int = 12) -> str:
    """The first entries of a list in words: `a, b, c, ... (40)`."""
    return ", ".join(entries[:limit]) + (f", ... ({len(entries)})" if len(entries) > limit else "")
