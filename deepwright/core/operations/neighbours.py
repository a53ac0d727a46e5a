"""Operations that fill a missing number from the row's other numbers: by its nearest rows, or by linear models."""

from typing import ClassVar

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.operations.side_by_side import side_by_side, upright
from deepwright.core.part import option
from deepwright.core.schema import Columns

FARTHEST = 1e6
"""Standard deviations at which a number is held while another is predicted from it."""


class NearestFill(Operation, kind="nearest_fill"):
    """Fill with the mean of the nearest kept rows; distance over the numbers that both rows have.

    Troyanskaya et al. 2001. It holds rows of the training part, so a bundle with it is marked `contains_data`.

    >>> import numpy as np
    >>> near = NearestFill(
    ...     columns=["a", "b"], filled=["b"], means=[0.0, 0.0], sds=[1.0, 1.0], rows=[[1.0, 5.0], [9.0, 7.0]], k=1
    ... )
    >>> near.apply({"a": np.array([2.0, 8.0]), "b": np.array([np.nan, np.nan])})["b"].tolist()
    [5.0, 7.0]
    """

    has_graph: ClassVar[bool] = False
    contains_data: ClassVar[bool] = True

    columns: tuple[str, ...] = option(help="the numbers that make the distance")
    filled: tuple[str, ...] = option(help="those of them that are filled")
    means: tuple[float, ...] = option(help="one per column, in its unit; also what fills where no row is near")
    sds: tuple[float, ...] = option(help="one per column, above 0, in its unit")
    rows: tuple[tuple[float | None, ...], ...] = option(help="kept rows in standard deviations from the mean")
    k: int = option(5, "rows that the mean is over", low=1)

    def apply(self, columns: Columns) -> Columns:
        x_FN = side_by_side(columns, self.columns)
        with np.errstate(over="ignore"):
            z_NF = np.clip((x_FN - upright(self.means)) / upright(self.sds), -FARTHEST, FARTHEST).T
        rows_RF = np.array(self.rows, dtype=np.float64).reshape(-1, len(self.columns))
        wanted = [self.columns.index(name) for name in self.filled]
        filled_FN = x_FN.copy()
        for row in np.flatnonzero(np.isnan(z_NF[:, wanted]).any(axis=1)):  # one by one: the same bits in any batch
            distance_R = _distances(z_NF[row], rows_RF)
            for column in wanted:
                if np.isnan(z_NF[row, column]):
                    found = _mean_of_nearest(distance_R, rows_RF[:, column], self.k)
                    filled_FN[column, row] = found * self.sds[column] + self.means[column]
        return {**columns, **{self.columns[column]: filled_FN[column] for column in wanted}}


def _distances(z_F: np.ndarray, rows_RF: np.ndarray) -> np.ndarray:
    """float64 [R]: mean squared difference over the numbers that both have; infinite without one."""
    squares_RF = (rows_RF - z_F) ** 2
    shared_R = (~np.isnan(squares_RF)).sum(axis=1)
    return np.where(shared_R > 0, np.nansum(squares_RF, axis=1) / np.maximum(shared_R, 1), np.inf)


def _mean_of_nearest(distance_R: np.ndarray, values_R: np.ndarray, k: int) -> float:
    usable = np.flatnonzero(~np.isnan(values_R) & np.isfinite(distance_R))
    if not len(usable):
        return 0.0
    nearest = usable[np.argsort(distance_R[usable], kind="stable")[:k]]
    return float(values_R[nearest].mean())


class LinearFill(Operation, kind="linear_fill"):
    """Predict each missing number linearly from the others, beginning at the means and going round several times.

    The chained equations of van Buuren & Groothuis-Oudshoorn (2011) with what was learned held fixed.
    """

    columns: tuple[str, ...] = option(help="the numbers that predict each other")
    filled: tuple[str, ...] = option(help="those of them that are filled")
    means: tuple[float, ...] = option(help="one per column, in its unit")
    sds: tuple[float, ...] = option(help="one per column, above 0, in its unit")
    weights: tuple[tuple[float, ...], ...] = option(help="[F][F], from column to column, in standard deviations")
    bias: tuple[float, ...] = option(help="one per column, in standard deviations")
    lows: tuple[float, ...] = option(help="the least prediction per column, in standard deviations")
    highs: tuple[float, ...] = option(help="the largest prediction per column, in standard deviations")
    rounds: int = option(5, "times round", low=1, high=100)

    def apply(self, columns: Columns) -> Columns:
        x_FN = side_by_side(columns, self.columns)
        with np.errstate(over="ignore"):
            z_NF = np.clip((x_FN - upright(self.means)) / upright(self.sds), -FARTHEST, FARTHEST).T
        guess_NF = self.predicted(z_NF)
        result = dict(columns)
        for name in self.filled:
            place = self.columns.index(name)
            guess = guess_NF[:, place] * self.sds[place] + self.means[place]
            result[name] = np.where(np.isnan(columns[name]), guess, columns[name])
        return result

    def predicted(self, z_NF: np.ndarray) -> np.ndarray:
        """float64 [N, F] in standard deviations, with every missing number predicted."""
        weights, bias = np.array(self.weights), np.array(self.bias)
        missing = np.isnan(z_NF)
        guess = np.where(missing, 0.0, z_NF)
        for _ in range(self.rounds):
            guess = np.where(missing, np.clip(guess @ weights + bias, self.lows, self.highs), guess)
        return guess

    def graph(self, graph: Graph) -> None:
        x = graph.add("Concat", *(graph.values[name] for name in self.columns), axis=1)
        means, sds = graph.constant([self.means], np.float64), graph.constant([self.sds], np.float64)
        ends = graph.constant(-FARTHEST, np.float64), graph.constant(FARTHEST, np.float64)
        z = graph.add("Clip", graph.add("Div", graph.add("Sub", x, means), sds), *ends)
        missing = graph.add("IsNaN", x)
        weights, bias = graph.constant(self.weights, np.float64), graph.constant([self.bias], np.float64)
        lows, highs = graph.constant([self.lows], np.float64), graph.constant([self.highs], np.float64)
        guess = start = graph.add("Where", missing, graph.constant([[0.0]], np.float64), z)
        for _ in range(self.rounds):
            found = graph.add("Add", graph.add("MatMul", guess, weights), bias)
            found = graph.add("Min", graph.add("Max", found, lows), highs)
            guess = graph.add("Where", missing, found, start)
        values = graph.add("Add", graph.add("Mul", guess, sds), means)
        for name in self.filled:
            place = graph.constant([self.columns.index(name)], np.int64)
            found = graph.add("Gather", values, place, axis=1)
            gone = graph.add("IsNaN", graph.values[name])
            graph.values[name] = graph.add("Where", gone, found, graph.values[name])
