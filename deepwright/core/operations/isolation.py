"""Operation that flags rows which random cuts isolate quickly (isolation forest)."""

from functools import cached_property

import numpy as np

from deepwright.core.operations.answers import TreeEnsemble
from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.operations.side_by_side import side_by_side
from deepwright.core.part import option
from deepwright.core.schema import Columns

FLOAT32_MAX = 3.0e38


class IsolationFlag(Operation, kind="isolation_flag"):
    """A new column that is 1 where the mean depth at which trees isolate the row is below the limit, else 0.

    Liu, Ting & Zhou 2008. A missing number goes the way of its column's median. Nodes are listed as in `tree_ensemble`;
    a leaf's value is its depth divided by the number of trees.
    """

    columns: tuple[str, ...] = option(help="number columns, in the order of the trees' features")
    medians: tuple[float, ...] = option(help="one per column, in the column's unit")
    roots: tuple[int, ...] = option(help="index of each tree's first node")
    features: tuple[int, ...] = option(help="per node; -1 marks a leaf")
    thresholds: tuple[float, ...] = option(help="per node; 0 at a leaf")
    lefts: tuple[int, ...] = option(help="per node: the node for <=")
    rights: tuple[int, ...] = option(help="per node: the node for >")
    depths: tuple[float, ...] = option(help="per node; 0 at a branch")
    limit: float = option(help="mean depth below which a row is flagged", above=0)
    output: str = option(help="the new column's name")

    @cached_property
    def _nodes(self) -> tuple[np.ndarray, ...]:
        return (
            np.asarray(self.features),
            np.asarray(self.thresholds, np.float32),
            np.asarray(self.lefts),
            np.asarray(self.rights),
            np.asarray(self.depths, np.float32),
        )

    def mean_depth(self, columns: Columns) -> np.ndarray:
        """float64 [N]."""
        x_FN = side_by_side(columns, self.columns)
        x_FN = np.where(np.isnan(x_FN), np.asarray(self.medians)[:, None], x_FN)
        x = np.clip(x_FN, -FLOAT32_MAX, FLOAT32_MAX).astype(np.float32)
        features, thresholds, lefts, rights, depths = self._nodes
        rows = np.arange(x.shape[1])[:, None]
        node = np.tile(np.asarray(self.roots), (x.shape[1], 1))  # [N, trees]
        while (features[node] >= 0).any():
            goes_left = x[np.maximum(features[node], 0), rows] <= thresholds[node]
            node = np.where(features[node] >= 0, np.where(goes_left, lefts[node], rights[node]), node)
        return np.asarray(depths[node].sum(axis=1, dtype=np.float64))

    def apply(self, columns: Columns) -> Columns:
        return {**columns, self.output: (self.mean_depth(columns) < self.limit).astype(np.float64)}

    def graph(self, graph: Graph) -> None:
        filled = []
        for name, median in zip(self.columns, self.medians, strict=True):
            missing = graph.add("IsNaN", graph.values[name])
            value = graph.constant([[median]], np.float64)
            filled.append(graph.add("Where", missing, value, graph.values[name]))
        low, high = graph.constant(-FLOAT32_MAX, np.float64), graph.constant(FLOAT32_MAX, np.float64)
        x = graph.add("Cast", graph.add("Clip", graph.add("Concat", *filled, axis=1), low, high), to=1)
        forest = Graph()  # the tree ensemble names its input and its answer, which here have none
        forest.nodes, forest.constants, forest.values = graph.nodes, graph.constants, {"x": x}
        TreeEnsemble(
            answer="value",
            roots=self.roots,
            tree_outputs=(0,) * len(self.roots),
            features=self.features,
            thresholds=self.thresholds,
            lefts=self.lefts,
            rights=self.rights,
            nan_left=(False,) * len(self.features),
            leaf_values=self.depths,
            base=(0.0,),
        ).graph(forest)
        depth = graph.add("Cast", forest.values["value"], to=11)  # 11: double
        below = graph.add("Less", depth, graph.constant([[self.limit]], np.float64))
        graph.values[self.output] = graph.add("Cast", below, to=11)
