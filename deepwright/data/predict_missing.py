"""Imputers that predict a missing number from the row's other numbers: nearest rows, linear models in turn."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Imputer
from deepwright.core.operations import LinearFill, NearestFill
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.step import Fitted
from deepwright.data.missing import FLAG_HELP, flags
from deepwright.data.moments import centre_and_spread
from deepwright.data.narrow import helper_columns, number_columns
from deepwright.data.rows import splitmix

LEARNED_ROWS = 10_000
"""Rows that linear models learn from, at most: more change the last digits only."""

RIDGE = 1e-3


class KNearest(Imputer, kind="k_nearest"):
    """The mean of the k nearest training rows (Troyanskaya et al. 2001); the bundle then holds rows of your data."""

    k: int = option(5, "rows that the mean is over", low=1, high=1000, search=(2, 30))
    rows: int = option(1000, "training rows that are kept, by their hashes", low=1, high=100_000)
    flag: bool = option(True, FLAG_HELP)

    def learn(self, train: Dataset) -> Fitted:
        wanted = number_columns(train)
        if not wanted:
            return Fitted()
        columns = helper_columns(train)
        z_NF, means, sds = standardised(train, columns)
        kept = z_NF[_drawn(train, self.rows)]
        rows = tuple(tuple(None if np.isnan(value) else float(value) for value in row) for row in kept)
        fill = NearestFill(columns=tuple(columns), filled=tuple(wanted), means=means, sds=sds, rows=rows, k=self.k)
        return Fitted((*flags(train, self.flag), fill))

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        kept = min(self.rows, len(train))
        return (finding("holds_rows", "warning", "prepare.imputer", rows=kept),) if number_columns(train) else ()


class Iterative(Imputer, kind="iterative"):
    """A linear model per column from the other numbers, in turns (van Buuren & Groothuis-Oudshoorn 2011)."""

    rounds: int = option(5, "times round, in learning and in filling", low=1, high=100)
    flag: bool = option(True, FLAG_HELP)

    def learn(self, train: Dataset) -> Fitted:
        wanted = number_columns(train)
        if not wanted:
            return Fitted()
        columns = helper_columns(train)
        z_NF, means, sds = standardised(train, columns)
        z_NF = z_NF[_drawn(train, LEARNED_ROWS)]
        missing = np.isnan(z_NF)
        lows, highs = _ends(z_NF)
        guess = np.where(missing, 0.0, z_NF)
        for _ in range(self.rounds):
            weights, bias = _each_from_the_others(guess, missing)
            guess = np.where(missing, np.clip(guess @ weights + bias, lows, highs), guess)
        fill = LinearFill(
            columns=tuple(columns),
            filled=tuple(wanted),
            means=means,
            sds=sds,
            weights=tuple(map(tuple, weights.tolist())),
            bias=tuple(bias.tolist()),
            lows=tuple(lows.tolist()),
            highs=tuple(highs.tolist()),
            rounds=self.rounds,
        )
        return Fitted((*flags(train, self.flag), fill))


def standardised(train: Dataset, columns: list[str]) -> tuple[np.ndarray, tuple[float, ...], tuple[float, ...]]:
    """float64 [N, F] in standard deviations from the mean, NaN where missing; means and sds per column."""
    values, means, sds = [], [], []
    for name in columns:
        column = train.columns[name]
        present = column[~np.isnan(column)]
        mean, sd = centre_and_spread(present) if len(present) else (0.0, 1.0)
        values.append((column - mean) / sd)
        means.append(mean)
        sds.append(sd)
    return np.stack(values, axis=1), tuple(means), tuple(sds)


def _drawn(train: Dataset, rows: int) -> np.ndarray:
    """int64: up to so many rows by their hashes, in the order of the rows."""
    return np.sort(np.argsort(splitmix(train.hashes), kind="stable")[:rows])


def _ends(z_NF: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest known value per column; 0 where none is known."""
    known = ~np.isnan(z_NF)
    lows = np.where(known, z_NF, np.inf).min(axis=0)
    highs = np.where(known, z_NF, -np.inf).max(axis=0)
    is_empty = ~known.any(axis=0)
    return np.where(is_empty, 0.0, lows), np.where(is_empty, 0.0, highs)


def _each_from_the_others(guess: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression of each column on the others over the rows that know it: weights [F, F], bias [F]."""
    size = guess.shape[1]
    weights, bias = np.zeros((size, size)), np.zeros(size)
    for column in range(size):
        known = ~missing[:, column]
        if not known.any():
            continue
        others = np.arange(size) != column
        x, y = guess[known][:, others], guess[known, column]
        x_mean, y_mean = x.mean(axis=0), y.mean()
        gram = (x - x_mean).T @ (x - x_mean) + RIDGE * len(x) * np.eye(size - 1)
        found = np.linalg.solve(gram, (x - x_mean).T @ (y - y_mean))
        weights[others, column] = found
        bias[column] = y_mean - x_mean @ found
    return weights, bias
