"""Imputers: what stands where a number is missing, and a flag column that keeps the fact."""

from collections.abc import Callable

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Imputer
from deepwright.core.operations import Fill, MissingFlag, Operation
from deepwright.core.part import option
from deepwright.core.step import Fitted
from deepwright.data.moments import centre_and_spread


class Median(Imputer, kind="median"):
    """The median of the training part; robust against outliers."""

    flag: bool = option(True, "a further 0/1 column for each column with missing values in the training part")

    def learn(self, train: Dataset) -> Fitted:
        return _learned(train, np.median, self.flag)


class Mean(Imputer, kind="mean"):
    """The mean of the training part."""

    flag: bool = option(True, "a further 0/1 column for each column with missing values in the training part")

    def learn(self, train: Dataset) -> Fitted:
        return _learned(train, lambda values: centre_and_spread(values)[0], self.flag)


class MostFrequent(Imputer, kind="most_frequent"):
    """The commonest value of the training part, the smallest of equally common ones."""

    flag: bool = option(True, "a further 0/1 column for each column with missing values in the training part")

    def learn(self, train: Dataset) -> Fitted:
        return _learned(train, _most_frequent, self.flag)


def number_columns(train: Dataset) -> list[str]:
    """The inputs that enter as numbers, times among them (as seconds)."""
    return [f.name for f in train.schema.inputs if f.type in ("number", "timestamp")]


def _learned(train: Dataset, centre: Callable[[np.ndarray], float], flag: bool) -> Fitted:
    """Every number column gets a value, for rows served later may miss what no training row does."""
    columns = number_columns(train)
    values, flagged = [], []
    for name in columns:
        column = train.columns[name]
        present = column[~np.isnan(column)]
        values.append(float(centre(present)) if len(present) else 0.0)
        if flag and len(present) < len(column):
            flagged.append(name)
    operations: list[Operation] = []
    if flagged:
        operations.append(MissingFlag(columns=tuple(flagged), outputs=_flag_names(flagged, train)))
    if columns:
        operations.append(Fill(columns=tuple(columns), values=tuple(values)))
    return Fitted(tuple(operations))


def _flag_names(columns: list[str], train: Dataset) -> tuple[str, ...]:
    names = []
    for column in columns:
        name = f"{column} is missing"
        while name in train.columns:
            name += "'"
        names.append(name)
    return tuple(names)


def _most_frequent(values: np.ndarray) -> float:
    distinct, counts = np.unique(values, return_counts=True)
    return float(distinct[counts.argmax()])
