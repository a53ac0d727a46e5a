"""The tensor before the last layer is found in graphs of several shapes, and never shown where rows would be mixed."""

from pathlib import Path

import numpy as np
import pytest
from onnx import helper, load

from deepwright.evaluation.last_layer import before_last_layer, last_layer_inputs
from tests.evaluation.networks import HIDDEN, LAST, bundle_of, hidden, network

X = np.random.default_rng(0).normal(size=(1500, 2))
COLUMNS = {"a": X[:, 0], "b": X[:, 1]}
SOFTMAX = helper.make_node("Softmax", ["scores"], ["probability"], axis=-1)


def test_it_is_what_the_last_product_takes_in_every_piece_of_the_rows(tmp_path: Path):
    found = before_last_layer(network(tmp_path / "b"), COLUMNS)
    assert found.shape == (1500, 4)
    np.testing.assert_allclose(found, hidden(X), atol=1e-6)


def test_a_last_piece_of_one_row_is_read_as_well(tmp_path: Path):
    found = before_last_layer(network(tmp_path / "b"), {name: column[:1025] for name, column in COLUMNS.items()})
    np.testing.assert_allclose(found, hidden(X[:1025]), atol=1e-6)


def test_members_along_the_first_axis_stand_beside_each_other_for_each_row(tmp_path: Path):
    heads = np.stack([LAST, LAST[::-1]])
    nodes = [
        helper.make_node("Gemm", ["x", "first"], ["before"]),
        helper.make_node("Reshape", ["before", "shape"], ["one"]),
        helper.make_node("Concat", ["one", "one"], ["both"], axis=0),
        helper.make_node("MatMul", ["both", "heads"], ["each"]),
        helper.make_node("ReduceMean", ["each", "zero"], ["scores"], keepdims=0),
        SOFTMAX,
    ]
    weights = {"first": HIDDEN, "shape": np.array([1, -1, 4]), "heads": heads, "zero": np.array([0])}
    found = before_last_layer(bundle_of(tmp_path / "b", nodes, weights), COLUMNS)
    once = X.astype(np.float32) @ HIDDEN
    np.testing.assert_allclose(found, np.concatenate([once, once], axis=1), atol=1e-6)


def test_weights_that_are_computed_from_weights_are_weights(tmp_path: Path):
    nodes = [
        helper.make_node("Gemm", ["x", "first"], ["before"]),
        helper.make_node("Mul", ["last", "factor"], ["folded"]),
        helper.make_node("MatMul", ["before", "folded"], ["scores"]),
        SOFTMAX,
    ]
    bundle = bundle_of(tmp_path / "b", nodes, {"first": HIDDEN, "last": LAST, "factor": np.float32([2.0])})
    assert last_layer_inputs(load(bundle.folder / "graph.onnx").graph) == ["before"]


def test_products_of_two_of_a_rows_own_tensors_are_no_layer(tmp_path: Path):
    nodes = [
        helper.make_node("Gemm", ["x", "first"], ["before"]),
        helper.make_node("MatMul", ["before", "last"], ["three"]),
        helper.make_node("Unsqueeze", ["three", "one"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["tall"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["flat", "tall"], ["length"]),
        helper.make_node("Squeeze", ["length", "one"], ["single"]),
        helper.make_node("Mul", ["three", "single"], ["scores"]),
        SOFTMAX,
    ]
    bundle = bundle_of(tmp_path / "b", nodes, {"first": HIDDEN, "last": LAST, "one": np.array([1])})
    assert last_layer_inputs(load(bundle.folder / "graph.onnx").graph) == ["before"]


def test_two_last_layers_side_by_side_are_both_shown(tmp_path: Path):
    nodes = [
        helper.make_node("Gemm", ["x", "first"], ["before"]),
        helper.make_node("MatMul", ["before", "last"], ["deep"]),
        helper.make_node("MatMul", ["x", "wide"], ["straight"]),
        helper.make_node("Add", ["deep", "straight"], ["scores"]),
        SOFTMAX,
    ]
    bundle = bundle_of(tmp_path / "b", nodes, {"first": HIDDEN, "last": LAST, "wide": LAST[:2]})
    found = before_last_layer(bundle, COLUMNS)
    x = X.astype(np.float32)
    np.testing.assert_allclose(found, np.concatenate([x @ HIDDEN, x], axis=1), atol=1e-6)


CONVOLUTION = [
    helper.make_node("Unsqueeze", ["x", "one"], ["signal"]),
    helper.make_node("Conv", ["signal", "kernel"], ["channels"]),
    helper.make_node("ReduceMean", ["channels", "two"], ["scores"], keepdims=0),
    SOFTMAX,
]
CENTRED = [
    helper.make_node("Gemm", ["x", "first"], ["before"]),
    helper.make_node("ReduceMean", ["before", "two"], ["mean"], keepdims=1),
    helper.make_node("Sub", ["before", "mean"], ["centred"]),
    helper.make_node("MatMul", ["centred", "last"], ["scores"]),
    SOFTMAX,
]
SLICED = [
    helper.make_node("Concat", ["x", "x"], ["four"], axis=1),
    helper.make_node("Slice", ["four", "start", "end", "axes"], ["scores"]),
    SOFTMAX,
]


@pytest.mark.parametrize(
    ("nodes", "weights"),
    [
        (CONVOLUTION, {"kernel": np.ones((3, 1, 2), np.float32), "one": np.array([1]), "two": np.array([2])}),
        (CENTRED, {"first": HIDDEN, "last": LAST, "two": np.array([0])}),
        (SLICED, {"start": np.array([0]), "end": np.array([3]), "axes": np.array([1])}),
    ],
    ids=("a convolution is last", "a row's numbers hang on the other rows", "no layer at all"),
)
def test_where_a_row_is_no_point_of_its_own_there_is_none(tmp_path: Path, nodes: list, weights: dict):
    assert before_last_layer(bundle_of(tmp_path / "b", nodes, weights), COLUMNS) is None


def test_the_graph_on_disk_stays_as_it_is(tmp_path: Path):
    bundle = network(tmp_path / "b")
    before = {path.name: path.read_bytes() for path in bundle.folder.iterdir()}
    before_last_layer(bundle, COLUMNS)
    assert {path.name: path.read_bytes() for path in bundle.folder.iterdir()} == before
