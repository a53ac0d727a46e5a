"""The last layer: what comes before it in the graph of a network, and that tensor for rows of one's own.

Shapes: N rows, D numbers that the last layer takes of a row.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core.bundle import Bundle, open_graph

if TYPE_CHECKING:
    from onnx import GraphProto

PRODUCTS = frozenset({"Gemm", "MatMul"})
"""Operators that multiply by learned weights."""
WITH_PLACES = frozenset({"Conv", "ConvTranspose", "GRU", "LSTM", "RNN"})
"""Layers that take many places of a row; before a last layer of these a row is no single point."""
WITHOUT_VALUES = frozenset({"Shape", "Size"})
TOLERANCE = 1e-3
"""Relative; a row alone and among others may differ in its last bits."""


def before_last_layer(bundle: Bundle, columns: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """float32 [N, D]: what the last layer takes of each row; None where the graph does not show it row by row.

    The bundle's files stay as they are: the tensor is an output of a copy of its graph in memory.
    """
    return read_before_last_layer((bundle.folder / "graph.onnx").read_bytes(), bundle.tensors(columns))


def read_before_last_layer(graph: bytes, pieces: Iterable[Mapping[str, np.ndarray]]) -> np.ndarray | None:
    """The same of a graph's bytes. pieces: what the graph takes for some rows each, by name."""
    from onnx import ValueInfoProto, load_from_string

    model = load_from_string(graph)
    names = last_layer_inputs(model.graph)
    inside = [name for name in names if name not in {each.name for each in model.graph.input}]
    del model.graph.output[:]
    model.graph.output.extend([ValueInfoProto(name=name) for name in inside])
    session = open_graph(model.SerializeToString()) if inside else None
    found = []
    for tensors in pieces:
        rows = len(next(iter(tensors.values())))
        together = _found(session, inside, names, tensors)
        alone = _found(session, inside, names, {name: tensor[-1:] for name, tensor in tensors.items()})
        by_row = [_by_row(many, one, rows) for many, one in zip(together, alone, strict=True)]
        if not by_row or any(each is None for each in by_row):
            return None
        found.append(np.concatenate([each for each in by_row if each is not None], axis=1))
    return np.concatenate(found)


def last_layer_inputs(graph: "GraphProto") -> list[str]:
    """The tensors that go into the products with learned weights after which no other such product comes on the way
    to the first output; none where there is no such product, or where the last layer has places."""
    carries = {each.name for each in graph.input}
    made_by = {}
    for node in graph.node:
        made_by.update(dict.fromkeys(node.output, node))
        if node.op_type not in WITHOUT_VALUES and carries.intersection(node.input):
            carries.update(node.output)
    found: dict[str, None] = {}
    ahead, seen = [graph.output[0].name], set()
    while ahead:
        name = ahead.pop(0)
        node = made_by.get(name)
        if name in seen or node is None:
            continue
        seen.add(name)
        carried = [each for each in node.input if each in carries]
        if node.op_type in WITH_PLACES and carried:
            return []
        if node.op_type in PRODUCTS and len(carried) == 1:  # two: attention, which multiplies rows' own tensors
            found[carried[0]] = None
        else:
            ahead += carried
    return list(found)


def _found(session: Any, inside: list[str], names: list[str], tensors: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    values = dict(tensors)
    if session is not None:
        values |= zip(inside, session.run(inside, dict(tensors)), strict=True)
    return [np.asarray(values[name], np.float32) for name in names]


def _by_row(together: np.ndarray, alone: np.ndarray, rows: int) -> np.ndarray | None:
    """[rows, D] of a tensor in which the rows lie along any axis, perhaps with several places each; None where the
    last row's numbers are not those that it has alone."""
    if rows == 1:
        return alone.reshape(1, -1)
    axes = [axis for axis, (many, one) in enumerate(zip(together.shape, alone.shape, strict=True)) if many != one]
    if len(axes) != 1:
        return None
    found = np.moveaxis(together, axes[0], 0).reshape(rows, -1)
    due = np.moveaxis(alone, axes[0], 0).reshape(-1)
    is_same = np.abs(found[-1] - due).max() <= TOLERANCE * max(1.0, float(np.abs(due).max()))
    return found if is_same else None  # NaN differs too
