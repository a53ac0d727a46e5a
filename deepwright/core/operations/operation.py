"""Operation: one fitted transformation, as plain data that numpy runs and ONNX can carry."""

from typing import Any, ClassVar

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.part import Part
from deepwright.core.schema import Columns


class Operation(Part, family="operation"):
    """Reads some of the columns or tensors and adds or replaces some; the rest pass through."""

    has_graph: ClassVar[bool] = True
    contains_data: ClassVar[bool] = False
    """Whether it holds rows of the training part."""

    def apply(self, columns: Columns) -> Columns:
        """New columns; the given ones are not changed."""
        raise NotImplementedError

    def arrays(self) -> dict[str, np.ndarray]:
        """The numbers it learned, by the option's name: what a bundle keeps as weights."""
        arrays = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            name: np.asarray(value, dtype=np.int64 if _all_whole(value) else np.float64)
            for name, value in arrays.items()
            if isinstance(value, tuple) and value and not isinstance(_first(value), str)
        }

    def graph(self, graph: Graph) -> None:
        """Add the same computation to an ONNX graph, reading and setting `graph.values[name]`."""
        raise NotImplementedError


def _first(value: Any) -> Any:
    return _first(value[0]) if isinstance(value, tuple) else value


def _all_whole(value: Any) -> bool:
    return all(map(_all_whole, value)) if isinstance(value, tuple) else isinstance(value, int)


def load_operations(data: list[dict[str, Any]]) -> tuple[Operation, ...]:
    """Operations from their plain data. Raises RecipeError for a kind outside the list."""
    return tuple(Operation.parse(item) for item in data)


def run_operations(operations: tuple[Operation, ...], columns: Columns) -> Columns:
    result = dict(columns)
    for operation in operations:
        result = operation.apply(result)
    return result
