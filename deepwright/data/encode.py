"""Encoders: categories to level numbers, learned on the training part."""

from collections import Counter

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Encoder
from deepwright.core.operations import Level
from deepwright.core.part import option
from deepwright.core.step import Fitted


class Levels(Encoder, kind="levels"):
    """The training part's levels by falling frequency; missing, unseen and rare ones share the number after the last.

    min_count: at 2, a level seen once is treated as one never seen, of which it says about as much (Good 1953), and the
    shared number is learned from such rows. A column without any level left is not encoded and is no input.
    """

    min_count: int = option(2, "training rows a level needs for a number of its own", low=1, high=1_000_000)

    def learn(self, train: Dataset) -> Fitted:
        columns = [f.name for f in train.schema.inputs if f.type == "category"]
        found = {name: levels_of(train.columns[name], self.min_count) for name in columns}
        return Fitted(tuple(Level(column=name, levels=levels) for name, levels in found.items() if levels))


def levels_of(column: np.ndarray, min_count: int = 1) -> tuple[str, ...]:
    """The levels of a category column by falling frequency, ties by name; missing is no level.

    >>> levels_of(np.array(["b", "a", "b", None, "c"], object))
    ('b', 'a', 'c')
    """
    counts = Counter(value for value in column if value is not None)
    return tuple(sorted((v for v, n in counts.items() if n >= min_count), key=lambda value: (-counts[value], value)))
