"""Imputers: what stands where a value is missing, and a flag column that keeps the fact."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Imputer
from deepwright.core.operations import Drop, Fill, FillText, MissingFlag, Operation
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.step import Fitted
from deepwright.data.moments import centre_and_spread
from deepwright.data.narrow import category_columns, free_names, listed, narrowed, number_columns
from deepwright.data.types import missing_rows

MISSING_LEVEL = "(missing)"
FLAG_HELP = "a further 0/1 column for each number column with missing values in the training part"


class AutoImputer(Imputer, kind="auto"):
    """Numbers get the median and a flag; a category's missing values become a level of their own.

    The flag keeps what the filling hides, so that nothing is lost where being missing tells something.
    """

    def learn(self, train: Dataset) -> Fitted:
        columns = [name for name in category_columns(train) if missing_rows(train.columns[name]).any()]
        level = MISSING_LEVEL
        while any(level in set(train.columns[name]) for name in columns):
            level += "'"
        filled = (FillText(columns=tuple(columns), values=(level,) * len(columns)),) if columns else ()
        return fill_numbers(train, np.median, flag=True).then(Fitted(filled))

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        numbers = _shares(train, number_columns(train))
        categories = _shares(train, category_columns(train))
        found = []
        if numbers:
            found.append(finding("fill_numbers", "note", "prepare.imputer", columns=listed(numbers)))
        if categories:
            found.append(finding("fill_categories", "note", "prepare.imputer", columns=listed(categories)))
        return tuple(found)


class Median(Imputer, kind="median"):
    """The median of the training part; robust against outliers."""

    flag: bool = option(True, FLAG_HELP)

    def learn(self, train: Dataset) -> Fitted:
        return fill_numbers(train, np.median, flag=self.flag)


class Mean(Imputer, kind="mean"):
    """The mean of the training part."""

    flag: bool = option(True, FLAG_HELP)

    def learn(self, train: Dataset) -> Fitted:
        return fill_numbers(train, lambda values: centre_and_spread(values)[0], flag=self.flag)


class MostFrequent(Imputer, kind="most_frequent"):
    """The commonest value of the training part, the smallest of equally common ones; of categories too."""

    flag: bool = option(True, FLAG_HELP)

    def learn(self, train: Dataset) -> Fitted:
        columns, levels = category_columns(train), []
        for name in columns:
            counts = Counter(value for value in train.columns[name] if value is not None)
            levels.append(min(counts, key=lambda level: (-counts[level], level)) if counts else MISSING_LEVEL)
        filled = (FillText(columns=tuple(columns), values=tuple(levels)),) if columns else ()
        return fill_numbers(train, _most_frequent, flag=self.flag).then(Fitted(filled))


class Constant(Imputer, kind="constant"):
    """A value that you name."""

    value: float = option(0.0, "what replaces a missing number, in the column's unit")
    level: str = option(MISSING_LEVEL, "what replaces a missing category")
    flag: bool = option(True, FLAG_HELP)

    def learn(self, train: Dataset) -> Fitted:
        columns = tuple(category_columns(train))
        filled = (FillText(columns=columns, values=(self.level,) * len(columns)),) if columns else ()
        return fill_numbers(train, lambda values: self.value, flag=self.flag, empty=self.value).then(Fitted(filled))


class DropRows(Imputer, kind="drop_rows"):
    """Sets training rows aside that miss more than a share of these columns; else, and later, the median."""

    share: float = option(0.0, "share of the columns that a training row may miss", low=0, below=1)
    flag: bool = option(True, FLAG_HELP)

    def unusable(self, train: Dataset) -> np.ndarray:
        columns = [*number_columns(train), *category_columns(train)]
        missing = np.zeros(len(train))
        for name in columns:
            missing += missing_rows(train.columns[name])
        return missing > self.share * len(columns)

    def learn(self, train: Dataset) -> Fitted:
        return fill_numbers(train, np.median, flag=self.flag)


class DropColumns(Imputer, kind="drop_columns"):
    """Drops columns that miss more than a share of the training rows; the others get what `auto` gives."""

    share: float = option(0.5, "share of the training rows that a column may miss", low=0, below=1)

    def learn(self, train: Dataset) -> Fitted:
        dropped = self._dropped(train)
        kept = [f.name for f in train.schema.inputs if f.name not in dropped]
        first = Fitted((Drop(columns=tuple(dropped)),)) if dropped else Fitted()
        return first.then(AutoImputer().learn(narrowed(train, kept)))

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        dropped = self._dropped(train)
        kept = [f.name for f in train.schema.inputs if f.name not in dropped]
        found = AutoImputer().findings(narrowed(train, kept))
        if not dropped:
            return found
        columns = listed(_shares(train, dropped))
        return (finding("dropped_columns", "warning", "prepare.imputer", columns=columns), *found)

    def _dropped(self, train: Dataset) -> list[str]:
        columns = [*number_columns(train), *category_columns(train)]
        return [name for name in columns if missing_rows(train.columns[name]).mean() > self.share]


def fill_numbers(train: Dataset, centre: Callable[[np.ndarray], float], *, flag: bool, empty: float = 0.0) -> Fitted:
    """Every number column gets a value, for rows served later may miss what no training row does.

    empty: the value of a column without any.
    """
    columns = number_columns(train)
    values = []
    for name in columns:
        present = train.columns[name][~np.isnan(train.columns[name])]
        values.append(float(centre(present)) if len(present) else empty)
    filled = (Fill(columns=tuple(columns), values=tuple(values)),) if columns else ()
    return Fitted((*flags(train, flag), *filled))


def flags(train: Dataset, wanted: bool) -> tuple[Operation, ...]:
    """The flag columns of the numbers that the training part misses somewhere."""
    columns = [name for name in number_columns(train) if np.isnan(train.columns[name]).any()] if wanted else []
    outputs = free_names((f"{name} is missing" for name in columns), train)
    return (MissingFlag(columns=tuple(columns), outputs=outputs),) if columns else ()


def _most_frequent(values: np.ndarray) -> float:
    distinct, counts = np.unique(values, return_counts=True)
    return float(distinct[counts.argmax()])


def _shares(train: Dataset, columns: list[str]) -> list[str]:
    """`age (19.9 %)` of each column with missing values."""
    shares = {name: float(missing_rows(train.columns[name]).mean()) for name in columns}
    return [f"{name} ({share:.1%})" for name, share in shares.items() if share > 0]
