"""Operations that make tensors of columns: stack, one-hot, join."""

from typing import Literal

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.operations.side_by_side import side_by_side
from deepwright.core.part import option
from deepwright.core.schema import Columns

FLOAT32_MAX = 3.0e38


class Stack(Operation, kind="stack"):
    """Columns [N] side by side as one tensor [N, F], float32 or int64; numbers beyond float32 are held at its bound."""

    columns: tuple[str, ...] = option(help="number columns, in the order of the tensor's last axis")
    output: str = option(help="the tensor's name")
    dtype: Literal["float32", "int64"] = option("float32", "element type")

    def apply(self, columns: Columns) -> Columns:
        x_FN = side_by_side(columns, self.columns)
        if self.dtype == "float32":
            x_FN = np.clip(x_FN, -FLOAT32_MAX, FLOAT32_MAX)
        return {**columns, self.output: np.ascontiguousarray(x_FN.T, dtype=self.dtype)}

    def graph(self, graph: Graph) -> None:
        values = [graph.values[name] for name in self.columns]
        stacked = graph.add("Concat", *values, axis=1)
        if self.dtype == "float32":
            low, high = graph.constant(-FLOAT32_MAX, np.float64), graph.constant(FLOAT32_MAX, np.float64)
            stacked = graph.add("Clip", stacked, low, high)
        graph.values[self.output] = graph.add("Cast", stacked, to=1 if self.dtype == "float32" else 7)


class OneHot(Operation, kind="one_hot"):
    """Level numbers to one tensor [N, sum of num_levels] of zeros and ones; the number after the last is all zeros."""

    columns: tuple[str, ...] = option(help="columns of level numbers")
    num_levels: tuple[int, ...] = option(help="levels of each column")
    output: str = option(help="the tensor's name")

    def apply(self, columns: Columns) -> Columns:
        size = len(next(iter(columns.values())))
        tensor = np.zeros((size, sum(self.num_levels)), dtype=np.float32)
        start = 0
        for name, count in zip(self.columns, self.num_levels, strict=True):
            codes = columns[name].astype(np.int64)
            known = np.flatnonzero(codes < count)
            tensor[known, start + codes[known]] = 1.0
            start += count
        return {**columns, self.output: tensor}

    def graph(self, graph: Graph) -> None:
        pieces = []
        for name, count in zip(self.columns, self.num_levels, strict=True):
            levels = graph.constant(np.arange(count)[None, :], np.float64)
            pieces.append(graph.add("Cast", graph.add("Equal", graph.values[name], levels), to=1))
        graph.values[self.output] = graph.add("Concat", *pieces, axis=1)


class Join(Operation, kind="join"):
    """Tensors [N, F1], [N, F2], ... side by side as one [N, F1 + F2 + ...]."""

    tensors: tuple[str, ...] = option(help="tensors of the same element type")
    output: str = option(help="the new tensor's name")

    def apply(self, columns: Columns) -> Columns:
        return {**columns, self.output: np.concatenate([columns[name] for name in self.tensors], axis=1)}

    def graph(self, graph: Graph) -> None:
        graph.values[self.output] = graph.add("Concat", *(graph.values[name] for name in self.tensors), axis=1)
