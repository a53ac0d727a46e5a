"""An operation that runs others on columns of their own."""

from collections.abc import Iterable, Iterator

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation, run_operations
from deepwright.core.part import option
from deepwright.core.schema import Columns


class Branch(Operation, kind="branch"):
    """Operations whose changes stay inside; only some tensors come out, under a prefix, so two models share columns.

    >>> from deepwright.core.operations import Fill, Stack
    >>> inner = (Fill(columns=["a"], values=[7.0]), Stack(columns=["a"], output="x"))
    >>> found = Branch(operations=inner, outputs=["x"], prefix="left.").apply({"a": np.array([1.0, np.nan])})
    >>> found["left.x"].tolist(), found["a"].tolist()
    ([[1.0], [7.0]], [1.0, nan])
    """

    operations: tuple[Operation, ...] = option(help="what is run, in this order")
    outputs: tuple[str, ...] = option(help="the tensors that come out")
    prefix: str = option(help="what stands before their names outside")

    def apply(self, columns: Columns) -> Columns:
        inside = run_operations(self.operations, columns)
        return {**columns, **{self.prefix + name: inside[name] for name in self.outputs}}

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            f"{place}.{name}": array
            for place, operation in enumerate(self.operations)
            for name, array in operation.arrays().items()
        }

    def graph(self, graph: Graph) -> None:
        outside = dict(graph.values)
        for operation in self.operations:
            operation.graph(graph)
        inside, graph.values = graph.values, outside
        graph.values.update({self.prefix + name: inside[name] for name in self.outputs})


def unfolded(operations: Iterable[Operation]) -> Iterator[Operation]:
    """The operations with those inside branches in their place."""
    for operation in operations:
        if isinstance(operation, Branch):
            yield from unfolded(operation.operations)
        else:
            yield operation
