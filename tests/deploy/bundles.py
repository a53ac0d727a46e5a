"""Small bundles made by hand: a linear classifier and a tree regression, with every kind of column."""

from pathlib import Path

import numpy as np

from deepwright.core.bundle import Bundle, write_bundle
from deepwright.core.operations import (
    Fill,
    Join,
    Level,
    Linear,
    MissingFlag,
    OneHot,
    Operation,
    Stack,
    Standardise,
    TreeEnsemble,
)
from deepwright.core.operations.graph import Graph
from deepwright.core.schema import Feature, Schema

FLOWERS = Schema(
    features=(
        Feature(name="row id", type="text", role="ignore"),
        Feature(name="petal-length", type="number", low=1.0, high=6.9, unit="cm"),
        Feature(name="高度", type="number", low=0.0, high=10.0, can_be_missing=False),
        Feature(name="colour", type="category", levels=("", "=blue", "red: deep")),
        Feature(name="species", type="category", role="target", levels=("=setosa", "-1", "virginica")),
    )
)
FLOWER_OPERATIONS: tuple[Operation, ...] = (
    MissingFlag(columns=["petal-length"], outputs=["petal-length missing"]),
    Fill(columns=["petal-length"], values=[3.5]),
    Standardise(columns=["petal-length", "高度"], means=[3.7, 5.0], sds=[1.7, 2.5]),
    Level(column="colour", levels=["", "=blue", "red: deep"]),
    Stack(columns=["petal-length", "高度", "petal-length missing"], output="numbers"),
    OneHot(columns=["colour"], num_levels=[3], output="hot"),
    Join(tensors=["numbers", "hot"], output="x"),
)
FLOWER_WEIGHTS = [
    [0.9, -0.2, 0.1],
    [0.3, 0.4, -0.7],
    [0.5, 0.6, 0.0],
    [1.0, -1.0, 0.2],
    [0.0, 0.3, 0.1],
    [0.2, 0.0, -2],
]
GOOD_ROW = {"petal-length": 4.5, "高度": 2, "colour": "=blue"}

HOUSES = Schema(
    features=(
        Feature(name="rooms", type="number", low=1.0, high=12.0),
        Feature(name="town", type="category", levels=("a", "b")),
        Feature(name="price", type="number", role="target", low=10.0, high=500.0),
    )
)


def flower_bundle(folder: Path, weight: float = 1.0, schema: Schema = FLOWERS) -> Bundle:
    """A softmax over six inputs; another weight gives another model."""
    weights = (weight * np.array(FLOWER_WEIGHTS)).tolist()
    answer = Linear(answer="probability", weights=weights, bias=[0.0, 0.5, 0.1])
    return _written(folder, schema, FLOWER_OPERATIONS, answer, {"x": 6}, {"probability": 3})


def house_bundle(folder: Path, schema: Schema = HOUSES) -> Bundle:
    """Two trees on raw numbers (NaN where missing) and a level number."""
    trees = TreeEnsemble(
        answer="value",
        roots=[0, 3],
        tree_outputs=[0, 0],
        features=[0, -1, -1, 1, -1, -1],
        thresholds=[5.5, 0.0, 0.0, 0.5, 0.0, 0.0],
        lefts=[1, 0, 0, 4, 0, 0],
        rights=[2, 0, 0, 5, 0, 0],
        nan_left=[True, False, False, False, False, False],
        leaf_values=[0.0, -20.5, 30.25, 0.0, 5.0, -5.0],
        base=[100.0],
    )
    operations = (Level(column="town", levels=["a", "b"]), Stack(columns=["rooms", "town"], output="x"))
    return _written(folder, schema, operations, trees, {"x": 2}, {"value": None})


def _written(
    folder: Path,
    schema: Schema,
    operations: tuple[Operation, ...],
    answer: Operation,
    inputs: dict[str, int],
    outputs: dict[str, int | None],
) -> Bundle:
    graph = Graph()
    for name, width in inputs.items():
        graph.input(name, "float", width)
    answer.graph(graph)
    return write_bundle(
        folder,
        schema=schema,
        operations=operations,
        graph=graph.model(outputs).SerializeToString(deterministic=True),
        weights={"none": np.zeros(1)},
        recipe={},
        profile={},
        versions={},
    )
