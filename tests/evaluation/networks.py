"""Bundles of small networks, made by hand as ONNX graphs: two inputs, a hidden layer, three classes or a value."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from deepwright.core.bundle import Bundle, write_bundle
from deepwright.core.dataset import Dataset
from deepwright.core.operations import Stack
from deepwright.core.schema import Feature, Schema

LEVELS = ("猫", "dog", "eel")
HIDDEN = np.array([[1.0, -1.0, 0.5, 0.2], [0.3, 0.8, -0.6, 1.0]], np.float32)
LAST = np.array([[1.0, 0.0, -1.0], [-1.0, 0.5, 0.0], [0.0, 0.2, 0.4], [0.1, -0.4, 0.9]], np.float32)


def schema_of(problem: str) -> Schema:
    numbers = tuple(Feature(name=name, type="number", low=-9.0, high=9.0, can_be_missing=False) for name in ("a", "b"))
    if problem == "regression":
        return Schema(features=(*numbers, Feature(name="y", type="number", role="target", low=0.0, high=1.0)))
    separator = "|" if problem == "multi-label" else None
    target = Feature(name="y", type="category", role="target", levels=LEVELS, separator=separator)
    return Schema(features=(*numbers, target))


def hidden(x: np.ndarray) -> np.ndarray:
    """[N, 4]: what the last layer of `network` takes."""
    return np.maximum(x.astype(np.float32) @ HIDDEN, 0.0)


def network(folder: Path, *, last: np.ndarray = LAST, problem: str = "classification") -> Bundle:
    """Gemm > Relu > MatMul with weights > an answer; the graph that most networks end in."""
    nodes = [
        helper.make_node("Gemm", ["x", "first"], ["before"]),
        helper.make_node("Relu", ["before"], ["inner"]),
        helper.make_node("MatMul", ["inner", "last"], ["scores"]),
    ]
    if problem == "regression":
        nodes.append(helper.make_node("ReduceSum", ["scores", "one"], ["value"], keepdims=0))
    elif problem == "multi-label":
        nodes.append(helper.make_node("Sigmoid", ["scores"], ["probability"]))
    else:
        nodes.append(helper.make_node("Softmax", ["scores"], ["probability"], axis=-1))
    return bundle_of(folder, nodes, {"first": HIDDEN, "last": last, "one": np.array([1])}, problem=problem)


def bundle_of(folder: Path, nodes: list, weights: dict[str, np.ndarray], *, problem: str = "classification") -> Bundle:
    """A bundle of a graph that takes x [N, 2]; the last node's output is the answer."""
    answer, shape = ("value", ["n"]) if problem == "regression" else ("probability", ["n", len(LEVELS)])
    graph = helper.make_graph(
        nodes, "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return write_bundle(
        folder, schema=schema_of(problem), operations=(Stack(columns=["a", "b"], output="x"),),
        graph=model.SerializeToString(deterministic=True), weights={"none": np.zeros(1)},
        recipe={}, profile={}, versions={},
    )  # fmt: skip


def rows(x: np.ndarray, target: np.ndarray, *, problem: str = "classification", part: str = "validation") -> Dataset:
    """x: [N, 2]; target: class numbers or values."""
    size = len(x)
    y = target if problem == "regression" else np.array([LEVELS[number] for number in target], dtype=object)
    columns = {"a": x[:, 0].astype(np.float64), "b": x[:, 1].astype(np.float64), "y": y}
    return Dataset(columns, schema_of(problem), part, np.arange(size) + 1, np.arange(size, dtype="u8"))
