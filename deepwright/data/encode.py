"""Encoders: categories to level numbers, or to numbers, learned on the training part."""

from collections import Counter

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import Encoder
from deepwright.core.operations import Drop, HashBucket, Indicators, Level, Operation, Rank, Standardise
from deepwright.core.part import option
from deepwright.core.step import Fitted
from deepwright.data.cells import NUMBER
from deepwright.data.moments import centre_and_spread
from deepwright.data.narrow import category_columns, free_names

MIN_COUNT_HELP = "training rows a level needs for a number of its own"


class Levels(Encoder, kind="levels"):
    """The training part's levels by falling frequency; missing, unseen and rare ones share the number after the last.

    A network embeds the number; a linear model gets one column per level. min_count: at 2, a level seen once is treated
    as one never seen, of which it says about as much (Good 1953), and the shared number is learned from such rows. A
    column without any level left is not encoded and is no input.
    """

    min_count: int = option(2, MIN_COUNT_HELP, low=1, high=1_000_000)

    def learn(self, train: Dataset) -> Fitted:
        found = {name: levels_of(train.columns[name], self.min_count) for name in category_columns(train)}
        return Fitted(tuple(Level(column=name, levels=levels) for name, levels in found.items() if levels))


class OneHotColumns(Encoder, kind="one_hot"):
    """One 0/1 column per level, among the numbers; missing, unseen and rare levels have none."""

    min_count: int = option(2, MIN_COUNT_HELP, low=1, high=1_000_000)

    def learn(self, train: Dataset) -> Fitted:
        operations: list[Operation] = []
        for name in category_columns(train):
            levels = levels_of(train.columns[name], self.min_count)
            outputs = free_names((f"{name} = {level}" for level in levels), train)
            if levels:
                operations.append(Indicators(column=name, levels=levels, outputs=outputs))
        return Fitted(tuple(operations))


class Ordinal(Encoder, kind="ordinal"):
    """Levels that have an order, as one number with mean 0 and sd 1; a missing or unseen one gets the median level."""

    order: tuple[str, ...] = option((), "the levels from low to high; empty: numbers by value, other texts by name")

    def learn(self, train: Dataset) -> Fitted:
        fitted = Fitted()
        for name in category_columns(train):
            levels = self._ordered(name, levels_of(train.columns[name]))
            if not levels:
                fitted = fitted.then(Fitted((Drop(columns=(name,)),)))
                continue
            place = {level: i for i, level in enumerate(levels)}
            known = [place[value] for value in train.columns[name] if value is not None]
            middle = int(np.median(known)) if known else 0
            rank = Rank(column=name, levels=levels, middle=middle)
            mean, sd = centre_and_spread(rank.apply({name: train.columns[name]})[name])
            fitted = fitted.then(Fitted((rank, Standardise(columns=(name,), means=(mean,), sds=(sd,)))))
        return fitted

    def _ordered(self, name: str, levels: tuple[str, ...]) -> tuple[str, ...]:
        if self.order:
            forgotten = sorted(set(levels) - set(self.order))
            if forgotten:
                raise RecipeError("encode.order", column=name, levels=", ".join(forgotten[:10]))
            return self.order
        if all(NUMBER.fullmatch(level) for level in levels):
            return tuple(sorted(levels, key=lambda level: (float(level), level)))
        return tuple(sorted(levels))


class Hashing(Encoder, kind="hashing"):
    """Levels spread over a fixed number of buckets by a hash, for columns of very many levels (Weinberger et al. 2009).

    A level never seen gets a bucket too; no standard ONNX operator carries the hash.
    """

    buckets: int = option(64, "numbers that levels are spread over", low=2, high=100_000, search=(8, 1024, "log"))

    def learn(self, train: Dataset) -> Fitted:
        return Fitted(tuple(HashBucket(column=name, num_buckets=self.buckets) for name in category_columns(train)))


def levels_of(column: np.ndarray, min_count: int = 1) -> tuple[str, ...]:
    """The levels of a category column by falling frequency, ties by name; missing is no level.

    >>> levels_of(np.array(["b", "a", "b", None, "c"], object))
    ('b', 'a', 'c')
    """
    counts = Counter(value for value in column if value is not None)
    return tuple(sorted((v for v, n in counts.items() if n >= min_count), key=lambda value: (-counts[value], value)))
