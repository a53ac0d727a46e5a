"""Deciding: the temperature stands in the bundle's graph, and what was decided stands in the report."""

import csv

import numpy as np
import pytest

from deepwright.core.bundle import Bundle
from deepwright.core.errors import LeakError
from deepwright.core.operations import Constant, Temperature
from deepwright.core.operations.graph import Graph
from deepwright.deploy.targets.onnx import Onnx
from deepwright.practice.append import appended
from deepwright.practice.decide import decide
from deepwright.practice.decided import decision_findings
from deepwright.practice.keep import kept_rows
from deepwright.practice.member import Member
from deepwright.practice.run import practise
from deepwright.practice.verify import verify
from tests.data.rows_of import dataset


def answered(graph, rows=3):
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["probability"]
    return session.run(None, {"x": np.zeros((rows, 1), np.float32)})[0]


def test_a_temperature_is_appended_to_a_graph_as_often_as_asked():
    graph = Graph()
    graph.input("x", "float", 1)
    Constant(answer="probability", values=[0.8, 0.2]).graph(graph)
    first = appended(graph.model({"probability": 2}).SerializeToString(), Temperature(temperature=2.0))
    np.testing.assert_allclose(answered(first), np.tile([[2 / 3, 1 / 3]], (3, 1)), rtol=1e-6)
    back = appended(first, Temperature(temperature=0.5))
    np.testing.assert_allclose(answered(back), np.tile([[0.8, 0.2]], (3, 1)), rtol=1e-6)


@pytest.fixture(scope="module")
def too_sure(tmp_path_factory):
    """600 rows in which one input says the class in three of four rows, and boosting learns the faults by heart."""
    draw = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("sure") / "sure.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["a", *"bcde", "y"])
        for _ in range(600):
            number = draw.normal()
            is_second = (number > 0) != (draw.random() < 0.25)
            writer.writerow([f"{number:.6f}", *(f"{v:.6f}" for v in draw.normal(size=4)), "ill" if is_second else "no"])
    return path


def of(make_recipe, path, **changes):
    recipe = make_recipe(path, "y", network="mlp", baselines=("boosting",), blend=False)
    return recipe.replace(train=recipe.train.replace(epochs=1), **changes)


@pytest.fixture(scope="module")
def wanted(too_sure, make_recipe, tmp_path_factory):
    """A run without a temperature that asks for a recall."""
    decision = {"kind": "wanted", "value": 0.95}
    recipe = of(make_recipe, too_sure, metric="log_loss", temperature=False, decision=decision)
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("wanted")
        patch.setenv("DEEPWRIGHT_HOME", str(folder))
        return practise(recipe, runs=folder, name="wanted")


def test_a_temperature_reaches_bundle_export_report_and_verification(too_sure, wanted, make_recipe, tmp_path):
    run, plain = practise(of(make_recipe, too_sure, metric="log_loss"), name="on"), wanted
    report = run.report
    found = report.environment["temperature"]
    assert found["boosting"] > 1.2
    rows = kept_rows(run, "validation")
    boosting, before = (Bundle.load(r.folder / "members" / "boosting") for r in (run, plain))
    due = Temperature(temperature=found["boosting"]).apply({"probability": before.predict(rows).answer})["probability"]
    np.testing.assert_allclose(boosting.predict(rows).answer, due, atol=1e-6)
    assert report.number("log_loss", "validation", "boosting").optimistic
    assert not report.number("accuracy", "validation", "boosting").optimistic or report.chosen == "boosting"
    assert not plain.report.environment["temperature"]
    assert boosting.schema.conformal is None and "calibration" not in report.data.parts
    (told,) = [f for f in report.findings if f.rule.startswith("temperature")]
    assert told.where == report.chosen
    assert not [f for f in plain.report.findings if f.rule.startswith("temperature")]
    assert verify(run).difference == 0.0
    Onnx().export(boosting, tmp_path / "export")


def test_a_wanted_recall_is_told_with_what_it_costs(too_sure, wanted, make_recipe):
    run = wanted
    (told,) = [f for f in run.report.findings if f.rule == "decision_wanted"]
    recall, level = run.report.number("recall", "validation"), run.report.levels[1]
    assert recall.value >= 0.95
    assert f"'{level}' is answered from a probability of" in told.text
    assert "where recall reaches" in told.text
    assert recall.optimistic
    validation = kept_rows(run, "validation")
    member = Member("network", run.bundle, run.bundle.predict(validation), 0.0, 0.0)
    beyond = of(make_recipe, too_sure, decision={"kind": "wanted", "metric": "precision", "value": 1.0})
    (told,) = decision_findings(beyond, validation, member)
    assert (told.rule, told.severity) == ("decision_not_reached", "warning")


def test_costs_decide_and_the_report_says_what_they_come_to(too_sure, make_recipe, tmp_path):
    decision = {"kind": "cost_matrix", "costs": ["ill>no=5"]}
    run = practise(of(make_recipe, too_sure, decision=decision), name="costs")
    bundle = run.bundle
    assert bundle.schema.costs == ((0.0, 5.0), (1.0, 0.0))
    rows = kept_rows(run, "validation")
    answers = bundle.predict(rows)
    assert (answers.decided == (answers.probability[:, 0] < 1 / 6)).all()
    assert [record["label"] for record in answers.records()] == answers.label.tolist()
    (told,) = [f for f in run.report.findings if f.rule == "decision_costs"]
    cost = np.where(answers.label == rows.target, 0, np.where(rows.target == "ill", 5, 1)).mean()
    assert f"{cost:.2f}" in told.text
    recall = run.report.number("recall", "validation", "network")
    assert recall is not None
    Onnx().export(bundle, tmp_path / "export")


def test_nothing_is_decided_on_another_part(make_recipe, tmp_path):
    columns = {"a": list(range(8)), "y": ["no"] * 6 + ["yes"] * 2}
    recipe, answer = make_recipe(tmp_path / "any.csv", "y"), np.full((8, 2), 0.5)
    for part in ("train", "test", "whole"):
        data = dataset(columns, part=part)
        with pytest.raises(LeakError):
            decide(recipe, data.schema, data, answer, b"")
