"""Operation: one fitted transformation, as plain data that numpy runs and ONNX can carry."""

from typing import Any, ClassVar

from deepwright.core.operations.graph import Graph
from deepwright.core.part import Part
from deepwright.core.schema import Columns


class Operation(Part, family="operation"):
    """Reads some of the columns or tensors and adds or replaces some; the rest pass through."""

    has_graph: ClassVar[bool] = True

    def apply(self, columns: Columns) -> Columns:
        """New columns; the given ones are not changed."""
        raise NotImplementedError

    def graph(self, graph: Graph) -> None:
        """Add the same computation to an ONNX graph, reading and setting `graph.values[name]`."""
        raise NotImplementedError


def load_operations(data: list[dict[str, Any]]) -> tuple[Operation, ...]:
    """Operations from their plain data. Raises RecipeError for a kind outside the list."""
    return tuple(Operation.parse(item) for item in data)


def run_operations(operations: tuple[Operation, ...], columns: Columns) -> Columns:
    result = dict(columns)
    for operation in operations:
        result = operation.apply(result)
    return result
