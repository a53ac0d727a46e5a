"""Operations that make new numbers of scaled ones: projections and products."""

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.operations.side_by_side import apart, side_by_side
from deepwright.core.part import option
from deepwright.core.schema import Columns

FARTHEST = 1e6
"""Scaled numbers are held here, so that sums and products stay finite."""


class Project(Operation, kind="project"):
    """New columns: (x - means) times each component, added up.

    >>> import numpy as np
    >>> onto = Project(columns=["a", "b"], means=[1.0, 1.0], components=[[0.5, 0.5]], outputs=["c"])
    >>> onto.apply({"a": np.array([3.0]), "b": np.array([5.0])})["c"].tolist()
    [3.0]
    """

    columns: tuple[str, ...] = option(help="number columns on a common scale, without missing values")
    means: tuple[float, ...] = option(help="one per column")
    components: tuple[tuple[float, ...], ...] = option(help="[new columns][columns]")
    outputs: tuple[str, ...] = option(help="the new columns' names")

    def apply(self, columns: Columns) -> Columns:
        x_FN = np.clip(side_by_side(columns, self.columns), -FARTHEST, FARTHEST)
        new = np.array(self.components) @ (x_FN - np.array(self.means)[:, None])
        return {**columns, **apart(self.outputs, new)}

    def graph(self, graph: Graph) -> None:
        x = graph.add("Concat", *(_held(graph, name) for name in self.columns), axis=1)
        centred = graph.add("Sub", x, graph.constant([self.means], np.float64))
        for output, component in zip(self.outputs, self.components, strict=True):
            graph.values[output] = graph.add(
                "MatMul", centred, graph.constant(np.array(component)[:, None], np.float64)
            )


class Products(Operation, kind="products"):
    """New columns: the products of two columns each.

    >>> import numpy as np
    >>> area = Products(lefts=["a"], rights=["b"], outputs=["a * b"])
    >>> area.apply({"a": np.array([2.0]), "b": np.array([3.0])})["a * b"].tolist()
    [6.0]
    """

    lefts: tuple[str, ...] = option(help="number columns on a common scale, without missing values")
    rights: tuple[str, ...] = option(help="one for each of them")
    outputs: tuple[str, ...] = option(help="the new columns' names")

    def apply(self, columns: Columns) -> Columns:
        left_FN, right_FN = (
            np.clip(side_by_side(columns, names), -FARTHEST, FARTHEST) for names in (self.lefts, self.rights)
        )
        return {**columns, **apart(self.outputs, left_FN * right_FN)}

    def graph(self, graph: Graph) -> None:
        for left, right, output in zip(self.lefts, self.rights, self.outputs, strict=True):
            graph.values[output] = graph.add("Mul", _held(graph, left), _held(graph, right))


def _held(graph: Graph, name: str) -> str:
    low, high = graph.constant(-FARTHEST, np.float64), graph.constant(FARTHEST, np.float64)
    return graph.add("Clip", graph.values[name], low, high)
