"""Operations that answer from rows of the training part: the nearest ones, or support vectors through a kernel.

Both work in float64, so distances of near rows are exact, and hold rows: a bundle with one is marked `contains_data`.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np

from deepwright.core.operations.answers import Answer
from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.part import option
from deepwright.core.schema import Columns

BLOCK = 1024
"""Rows whose distances are held at once."""
TIE = 1e-14
"""Squared distances that differ by less of the rows' squared lengths are equal: rounding must choose no neighbour."""
FLOAT, DOUBLE = 1, 11


class Nearest(Operation, kind="nearest"):
    """The mean target of the k nearest training rows; all rows as near as the k-th take part.

    >>> import numpy as np
    >>> mean = Nearest(answer="value", rows=[[0.0], [1.0], [5.0]], votes=[[10.0], [20.0], [70.0]], k=2)
    >>> mean.apply({"x": np.array([[0.4], [3.0]], np.float32)})["value"].tolist()
    [15.0, 45.0]
    """

    contains_data: ClassVar[bool] = True

    input: str = option("x", "the tensor read")
    answer: Answer = option(help="what is answered")
    rows: tuple[tuple[float, ...], ...] = option(help="[R][F]: the training rows")
    votes: tuple[tuple[float, ...], ...] = option(
        help="[R][K]: 1 at each row's class or at its labels, or [R][1]: its value"
    )
    weights: tuple[float, ...] = option((), "[R]: how much each row counts; empty: all alike")
    k: int = option(help="rows that vote, at least", low=1)

    def apply(self, columns: Columns) -> Columns:
        rows, weighted, weights = self._constants()
        answers = [np.empty((0, weighted.shape[1]), np.float32)]
        for x in _blocks(columns[self.input]):
            distances, lengths = _distances(x, rows)
            limit = np.partition(distances, self.k - 1, axis=1)[:, self.k - 1 : self.k] + TIE * lengths
            near = (distances <= limit).astype(np.float64)
            answers.append((near @ weighted / (near @ weights)).astype(np.float32))
        result = np.concatenate(answers)
        return {**columns, self.answer: result if self.answer == "probability" else result[:, 0]}

    def graph(self, graph: Graph) -> None:
        rows, weighted, weights = self._constants()
        distances, lengths = _distances_graph(graph, graph.values[self.input], rows)
        first_k = graph.add("TopK", distances, graph.constant([self.k], np.int64), axis=1, largest=0, outputs=2)
        limit = graph.add("ReduceMax", first_k, graph.constant([1], np.int64), keepdims=1)
        limit = graph.add("Add", limit, graph.add("Mul", lengths, graph.constant(TIE, np.float64)))
        near = graph.add("Cast", graph.add("LessOrEqual", distances, limit), to=DOUBLE)
        votes = graph.add("MatMul", near, graph.constant(weighted, np.float64))
        total = graph.add("MatMul", near, graph.constant(weights, np.float64))
        graph.values[self.answer] = graph.add("Cast", graph.add("Div", votes, total), to=FLOAT)

    def _constants(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """rows [R, F], weighted votes [R, K] and weights [R, 1]."""
        weights = np.asarray(self.weights or [1.0] * len(self.rows), np.float64)[:, np.newaxis]
        return np.asarray(self.rows, np.float64), np.asarray(self.votes, np.float64) * weights, weights


class Kernel(Operation, kind="kernel"):
    """Sums of Gaussian bumps at support vectors: score = sum of coefficient * exp(-gamma * distance^2) + bias.

    value: score * scale + shift. sigmoid: the probability of class 1, of such a score. one_against_rest:
    a probability for each class, scaled to sum to 1.
    """

    contains_data: ClassVar[bool] = True

    input: str = option("x", "the tensor read")
    answer: Answer = option(help="what is answered")
    rows: tuple[tuple[float, ...], ...] = option(help="[S][F]: the support vectors, which are training rows")
    coefficients: tuple[tuple[float, ...], ...] = option(help="[S][M]: of each score")
    bias: tuple[float, ...] = option(help="[M]: of each score")
    gamma: float = option(help="how fast a bump falls with the squared distance", above=0)
    scales: tuple[float, ...] = option(help="[M]: from score to answer")
    shifts: tuple[float, ...] = option(help="[M]: from score to answer")
    link: Literal["value", "sigmoid", "one_against_rest"] = option(help="from scores to the answer")

    def apply(self, columns: Columns) -> Columns:
        rows, coefficients = np.asarray(self.rows, np.float64), np.asarray(self.coefficients, np.float64)
        answers = []
        for x in _blocks(columns[self.input]):
            scores = np.exp(-self.gamma * _distances(x, rows)[0]) @ coefficients + np.asarray(self.bias)
            answers.append(self._linked(scores * np.asarray(self.scales) + np.asarray(self.shifts)))
        result = np.concatenate(answers) if answers else np.empty((0, max(2, len(self.bias))), np.float32)
        return {**columns, self.answer: result if self.answer == "probability" else result[:, 0]}

    def graph(self, graph: Graph) -> None:
        distances, _ = _distances_graph(graph, graph.values[self.input], np.asarray(self.rows, np.float64))
        bumps = graph.add("Exp", graph.add("Mul", distances, graph.constant(-self.gamma, np.float64)))
        scores = graph.add("MatMul", bumps, graph.constant(self.coefficients, np.float64))
        scores = graph.add("Add", scores, graph.constant([self.bias], np.float64))
        scores = graph.add("Mul", scores, graph.constant([self.scales], np.float64))
        scores = graph.add("Add", scores, graph.constant([self.shifts], np.float64))
        if self.link == "sigmoid":
            positive = graph.add("Sigmoid", scores)
            negative = graph.add("Sub", graph.constant([[1.0]], np.float64), positive)
            scores = graph.add("Concat", negative, positive, axis=1)
        elif self.link == "one_against_rest":
            each = graph.add("Add", graph.add("Sigmoid", scores), graph.constant(LEAST, np.float64))
            scores = graph.add("Div", each, graph.add("ReduceSum", each, graph.constant([1], np.int64), keepdims=1))
        graph.values[self.answer] = graph.add("Cast", scores, to=FLOAT)

    def _linked(self, scores: np.ndarray) -> np.ndarray:
        if self.link == "value":
            return scores.astype(np.float32)
        positive = 0.5 * (1.0 + np.tanh(0.5 * scores))  # exp(-scores) would overflow
        if self.link == "sigmoid":
            return np.concatenate([1.0 - positive, positive], axis=1).astype(np.float32)
        each = positive + LEAST
        return np.asarray(each / each.sum(axis=1, keepdims=True), np.float32)


LEAST = 1e-9
"""What keeps a row that every class refuses from dividing by 0."""


def _blocks(x: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(x), BLOCK):
        yield x[start : start + BLOCK].astype(np.float64)


def _distances(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances [N, R], and the scale [N, 1] of what rounding may have added to them."""
    lengths, of_rows = np.square(x).sum(axis=1, keepdims=True), np.square(rows).sum(axis=1)
    return np.maximum(lengths + of_rows - 2.0 * (x @ rows.T), 0.0), lengths + of_rows.max()


def _distances_graph(graph: Graph, x: str, rows: np.ndarray) -> tuple[str, str]:
    x = graph.add("Cast", x, to=DOUBLE)
    of_rows = np.square(rows).sum(axis=1)
    lengths = graph.add("ReduceSum", graph.add("Mul", x, x), graph.constant([1], np.int64), keepdims=1)
    product = graph.add("MatMul", x, graph.constant(-2.0 * rows.T, np.float64))
    distances = graph.add("Add", graph.add("Add", lengths, graph.constant(of_rows[np.newaxis], np.float64)), product)
    distances = graph.add("Max", distances, graph.constant(0.0, np.float64))
    return distances, graph.add("Add", lengths, graph.constant(of_rows.max(), np.float64))
