"""Runs operations as an ONNX graph, to compare with numpy."""

from collections.abc import Iterable, Mapping

import numpy as np

from deepwright.core.operations import Operation
from deepwright.core.operations.graph import Graph


def in_onnx(operations: Iterable[Operation], columns: Mapping[str, np.ndarray], names: list[str]) -> list[np.ndarray]:
    """What the operations make of the columns, as one graph: each name's values, [N, width]."""
    import onnxruntime

    graph = Graph()
    feeds = {}
    for name, column in columns.items():
        kinds = {"object": "text", "float32": "float", "uint8": "pixels"}
        kind = kinds.get(column.dtype.name, "number")
        graph.input(name, kind, 1 if column.ndim == 1 else column.shape[1])
        feeds[name] = column[:, None] if column.ndim == 1 else column
    for operation in operations:
        operation.graph(graph)
    model = graph.model({})
    for name in names:
        model.graph.output.add(name=graph.values[name])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [np.asarray(result) for result in session.run(None, feeds)]
