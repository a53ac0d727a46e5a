"""Appending: an operation on the answer at the end of a model's graph."""

from deepwright.core.operations import Operation
from deepwright.core.operations.graph import Graph

MARK = "after."


def appended(graph: bytes, operation: Operation) -> bytes:
    """The ONNX graph with the operation on its answer; inputs and output keep their names."""
    from onnx import checker, load_from_string

    model = load_from_string(graph)
    answer = model.graph.output[0].name
    taken = {name for node in model.graph.node for name in (*node.input, *node.output)}
    mark = MARK
    while any(name.startswith(mark) for name in taken):
        mark += MARK
    before = f"{mark}{answer}"
    for node in model.graph.node:
        for values in (node.input, node.output):
            values[:] = [before if name == answer else name for name in values]
    added = Graph()
    added.values[answer] = before
    operation.graph(added)
    named = {constant.name for constant in added.constants} | {name for node in added.nodes for name in node.output}
    renamed = {name: f"{mark}{name}" for name in named} | {added.values[answer]: answer}
    for node in added.nodes:
        for values in (node.input, node.output):
            values[:] = [renamed.get(name, name) for name in values]
    for constant in added.constants:
        constant.name = renamed[constant.name]
    model.graph.node.extend(added.nodes)
    model.graph.initializer.extend(added.constants)
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
