"""What the tests of core share: a small table of people, and a bundle made from it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepwright.core.bundle import Bundle, write_bundle
from deepwright.core.dataset import Dataset
from deepwright.core.operations import Linear, Operation
from deepwright.core.operations.columns import Fill, Level, Standardise
from deepwright.core.operations.graph import Graph
from deepwright.core.operations.tensors import OneHot, Stack
from deepwright.core.schema import Feature, Schema

SCHEMA = Schema(
    features=(
        Feature(name="age", type="number", low=17.0, high=90.0, unit="years"),
        Feature(name="job", type="category", levels=("clerk", "cook", "smith")),
        Feature(name="note", type="text", role="ignore"),
        Feature(name="income", type="category", role="target", levels=("high", "low"), can_be_missing=False),
    )
)

OPERATIONS: tuple[Operation, ...] = (
    Fill(columns=["age"], values=[38.0]),
    Standardise(columns=["age"], means=[38.0], sds=[12.0]),
    Level(column="job", levels=["clerk", "cook", "smith"]),
    Stack(columns=["age"], output="numbers"),
    OneHot(columns=["job"], num_levels=[3], output="jobs"),
)


def answering_graph(operation: Operation, width: int, num_outputs: int | None) -> bytes:
    """An ONNX graph of one answering operation over `x` [N, width]."""
    graph = Graph()
    graph.input("x", "float", width)
    operation.graph(graph)
    answer = "value" if num_outputs is None else "probability"
    return bytes(graph.model({answer: num_outputs}).SerializeToString())


def bundle_contents() -> dict[str, Any]:
    """What `write_bundle` takes for the small bundle of these tests."""
    from deepwright.core.operations import Join

    linear = Linear(answer="probability", weights=[[0.5, -0.5], [0.1, 0.2], [0.3, -0.4], [0.0, 1.0]], bias=[0.1, -0.1])
    return {
        "schema": SCHEMA,
        "operations": (*OPERATIONS, Join(tensors=["numbers", "jobs"], output="x")),
        "graph": answering_graph(linear, 4, 2),
        "weights": {"weight": np.asarray(linear.weights, np.float32), "bias": np.asarray(linear.bias, np.float32)},
        "recipe": {"target": "income", "seed": 0},
        "profile": {"rows": 6},
        "versions": {"deepwright": "0.1.0"},
    }


@pytest.fixture
def contents() -> dict[str, Any]:
    return bundle_contents()


@pytest.fixture
def bundle(tmp_path: Path, contents: dict[str, Any]) -> Bundle:
    return write_bundle(tmp_path / "bundle", **contents)


@pytest.fixture
def people() -> Dataset:
    """Six rows, whole."""
    return Dataset(
        {
            "age": np.array([25.0, 38.0, np.nan, 61.0, 44.0, 17.0]),
            "job": np.array(["cook", "clerk", "smith", None, "cook", ""], object),
            "note": np.array(["a", "b", "c", "d", "e", "f"], object),
            "income": np.array(["low", "low", "high", "high", "low", "low"], object),
        },
        SCHEMA,
        "whole",
        np.arange(1, 7),
        np.arange(100, 106, dtype=np.uint64),
        "people.csv",
    )
