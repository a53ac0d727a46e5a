"""The exported graph equals the bundle, and an unequal one is not written."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from deepwright.core.bundle import Bundle, write_bundle
from deepwright.core.errors import RuleError, UsageError
from deepwright.core.families import Exporter
from deepwright.core.golden import golden_rows
from deepwright.core.operations import Level, Linear, Operation, Stack
from deepwright.core.operations.graph import Graph
from deepwright.core.part import option
from deepwright.core.schema import Columns, Feature, Schema
from deepwright.deploy.targets import onnx as target
from deepwright.deploy.targets.onnx import Onnx, largest_difference, missing_text, onnx_model
from deepwright.deploy.targets.onnx_client import Model
from tests.deploy.bundles import GOOD_ROW


@pytest.mark.parametrize("name", ["flowers", "houses"])
def test_graph_client_and_bundle_give_one_answer(name: str, request: Any, tmp_path: Path) -> None:
    bundle: Bundle = request.getfixturevalue(name)
    files = Onnx().export(bundle, tmp_path / "out")
    assert [file.name for file in files] == ["model.onnx", "client.py", "README.md"]
    rows = [row for seed in range(100, 104) for row in golden_rows(bundle.schema, seed)]
    answers = Model(files[0]).predict(rows)
    expected = bundle.predict(rows)
    if bundle.levels:
        assert [answer["label"] for answer in answers] == list(expected.label)
        found = np.array([list(answer["probability"].values()) for answer in answers])
    else:
        found = np.array([answer["value"] for answer in answers])
    assert np.abs(found - expected.answer).max() <= 1e-6


def test_inputs_bear_the_columns_names_as_double_and_string(flowers: Bundle) -> None:
    model = onnx_model(flowers)
    kinds = {entry.name: entry.type.tensor_type.elem_type for entry in model.graph.input}
    assert kinds == {
        "petal-length": onnx.TensorProto.DOUBLE,
        "高度": onnx.TensorProto.DOUBLE,
        "colour": onnx.TensorProto.STRING,
    }
    assert [entry.name for entry in model.graph.output] == ["probability"]


def test_export_is_the_target_onnx_and_prints_where_the_graph_begins(
    flowers: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = Exporter.parse("onnx").export(flowers, tmp_path)
    printed = capsys.readouterr().out
    assert printed == (
        "The graph takes 3 raw columns; all preparation is inside it. Outside remains: NaN for a missing number, "
        "'<missing>' for a missing text (client.py does both).\n"
    )
    page = files[2].read_text(encoding="utf-8")
    assert printed.strip() in page and "`高度`: double [N, 1]" in page and flowers.digest in page


def test_a_missing_text_is_kept_apart_from_an_empty_level(flowers: Bundle, houses: Bundle, tmp_path: Path) -> None:
    assert missing_text(houses) == ""
    assert missing_text(flowers) == "<missing>"
    model = Model(Onnx().export(flowers, tmp_path)[0])
    empty, missing = model.predict([{**GOOD_ROW, "colour": ""}, {**GOOD_ROW, "colour": None}])
    assert abs(empty["probability"]["virginica"] - missing["probability"]["virginica"]) > 1e-3
    expected = flowers.predict([{**GOOD_ROW, "colour": None}]).records()[0]["probability"]
    assert missing["probability"] == pytest.approx(expected, abs=1e-6)


def test_an_unequal_graph_is_refused_and_nothing_is_written(
    flowers: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(bundle: Bundle) -> onnx.ModelProto:
        """The scaler's sd is 0.1 % off."""
        model = sound(bundle)
        for constant in model.graph.initializer:
            value = onnx.numpy_helper.to_array(constant)
            if value.size == 1 and value.dtype == np.float64 and value.item() == 1.7:
                constant.CopyFrom(onnx.numpy_helper.from_array(value * 1.001, constant.name))
        return model

    sound = target.onnx_model
    monkeypatch.setattr(target, "onnx_model", faulty)
    with pytest.raises(RuleError, match=r"^export onnx: the graph's answers differ from the bundle's by [0-9.e-]+, "):
        Onnx().export(flowers, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output", [[[0.5, 0.5]], [[np.nan, 0.5, 0.5]]])
def test_answers_of_another_shape_or_not_finite_differ_without_end(flowers: Bundle, output: list[list[float]]) -> None:
    model = onnx_model(flowers)
    graph = Graph()
    for entry in model.graph.input:
        graph.input(entry.name, "text" if entry.type.tensor_type.elem_type == 8 else "number")
    count = graph.add("Shape", "petal-length", start=0, end=1)
    shape = graph.add("Concat", count, graph.constant([len(output[0])], np.int64), axis=0)
    graph.values["probability"] = graph.add("Expand", graph.constant(output, np.float32), shape)
    other = graph.model({"probability": len(output[0])}).SerializeToString()
    assert largest_difference(flowers, other) == float("inf")


def test_columns_named_like_inner_values_do_not_collide(tmp_path: Path) -> None:
    names = ["concat_0", "constant_0", "prepare.concat_0", "model.x", "x", "column_1"]
    inputs = tuple(Feature(name=name, type="number", low=0.0, high=1.0, can_be_missing=False) for name in names)
    schema = Schema(features=(*inputs, Feature(name="y", type="number", role="target")))
    bundle = _bundle(tmp_path, schema, (Stack(columns=names, output="x"),), [[float(i)] for i in range(1, 7)])
    assert {entry.name for entry in onnx_model(bundle).graph.input} == set(names)
    files = Onnx().export(bundle, tmp_path / "out")
    row = {name: 0.1 * place for place, name in enumerate(names)}
    assert Model(files[0]).predict([row])[0]["value"] == pytest.approx(bundle.predict([row]).answer[0], abs=1e-6)


def test_a_column_named_like_the_answer_is_refused(tmp_path: Path) -> None:
    schema = Schema(features=(Feature(name="value", type="number"), Feature(name="y", type="number", role="target")))
    bundle = _bundle(tmp_path, schema, (Stack(columns=["value"], output="x"),), [[1.0]])
    with pytest.raises(UsageError, match="the column 'value' has the name of the graph's output"):
        Onnx().export(bundle, tmp_path / "out")


def test_a_column_that_no_operation_reads_is_still_an_input(tmp_path: Path) -> None:
    schema = Schema(
        features=(
            Feature(name="a", type="number", low=0.0, high=1.0, can_be_missing=False),
            Feature(name="note", type="text"),
            Feature(name="y", type="number", role="target"),
        )
    )
    bundle = _bundle(tmp_path, schema, (Stack(columns=["a"], output="x"),), [[2.0]])
    files = Onnx().export(bundle, tmp_path / "out")
    assert Model(files[0]).predict([{"a": 0.5, "note": None}]) == [{"value": 2.0 * 0.5 + 0.25}]


def test_several_tensors_of_different_types_are_joined_to_the_network(tmp_path: Path) -> None:
    schema = Schema(
        features=(
            Feature(name="a", type="number", low=0.0, high=1.0, can_be_missing=False),
            Feature(name="c", type="category", levels=("u", "v")),
            Feature(name="y", type="number", role="target"),
        )
    )
    operations: tuple[Operation, ...] = (
        Level(column="c", levels=["u", "v"]),
        Stack(columns=["a"], output="numbers"),
        Stack(columns=["c"], output="categories", dtype="int64"),
    )
    graph = Graph()
    graph.input("numbers", "float", 1)
    graph.input("categories", "int", 1)
    looked_up = graph.add("Gather", graph.constant([1.0, 10.0, 100.0], np.float32), graph.values["categories"])
    graph.values["value"] = graph.add("Add", graph.values["numbers"], looked_up)
    bundle = _written(tmp_path, schema, operations, graph)
    files = Onnx().export(bundle, tmp_path / "out")
    rows = [{"a": 0.5, "c": "v"}, {"a": 0.5, "c": None}]
    assert [answer["value"] for answer in Model(files[0]).predict(rows)] == [10.5, 100.5]


def test_an_operation_without_a_form_in_onnx_is_named(tmp_path: Path) -> None:
    class Handmade(Operation, kind="handmade_for_this_test"):
        """Doubles a column."""

        has_graph = False
        column: str = option(help="the column")

        def apply(self, columns: Columns) -> Columns:
            return {**columns, self.column: columns[self.column] * 2}

    try:
        schema = Schema(features=(Feature(name="a", type="number"), Feature(name="y", type="number", role="target")))
        bundle = _bundle(
            tmp_path, schema, (Handmade(column="a"), Stack(columns=["a"], output="x")), [[1.0]], missing=False
        )
        with pytest.raises(RuleError, match="the operation 'handmade_for_this_test' has no form in ONNX"):
            Onnx().export(bundle, tmp_path / "out")
    finally:
        del Operation.kinds["handmade_for_this_test"]


def test_exporting_again_gives_the_same_bytes_and_another_file_is_not_overwritten(
    flowers: Bundle, houses: Bundle, tmp_path: Path
) -> None:
    first = [path.read_bytes() for path in Onnx().export(flowers, tmp_path)]
    assert [path.read_bytes() for path in Onnx().export(flowers, tmp_path)] == first
    with pytest.raises(UsageError, match=r"model\.onnx: another file of this name stands there"):
        Onnx().export(houses, tmp_path)
    assert [(tmp_path / name).read_bytes() for name in ("model.onnx", "client.py", "README.md")] == first


def test_the_shipped_client_runs_alone(flowers: Bundle, tmp_path: Path) -> None:
    Onnx().export(flowers, tmp_path)
    (tmp_path / "rows.json").write_text(json.dumps([GOOD_ROW, {**GOOD_ROW, "colour": None}]))
    command = [sys.executable, "-W", "error", "-I", str(tmp_path / "client.py"), str(tmp_path / "rows.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == ["virginica", "virginica"]
    assert "deepwright." not in (tmp_path / "client.py").read_text()


def _bundle(
    folder: Path, schema: Schema, operations: tuple[Operation, ...], weights: list[list[float]], missing: bool = True
) -> Bundle:
    graph = Graph()
    graph.input("x", "float", len(weights))
    Linear(answer="value", weights=weights, bias=[0.25]).graph(graph)
    if not missing:
        features = tuple(f.model_copy(update={"can_be_missing": False}) for f in schema.features)
        schema = Schema(features=features)
    if any(feature.can_be_missing and feature.type == "number" for feature in schema.inputs):
        schema = schema.with_feature(schema.inputs[0].name, can_be_missing=False)
    return _written(folder, schema, operations, graph)


def _written(folder: Path, schema: Schema, operations: tuple[Operation, ...], graph: Graph) -> Bundle:
    return write_bundle(
        folder / "bundle",
        schema=schema,
        operations=operations,
        graph=graph.model({"value": None}).SerializeToString(),
        weights={"none": np.zeros(1)},
        recipe={},
        profile={},
        versions={},
    )
