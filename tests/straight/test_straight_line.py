"""The straight line end to end, per problem."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import deepwright
from deepwright.core.bundle import Bundle
from deepwright.core.errors import BundleError, DataError, ProofError, RecipeError, RuleError, SealError, UsageError
from deepwright.core.recipe import Allowance
from deepwright.core.run import Run
from deepwright.practice.keep import kept_rows
from deepwright.practice.look import look
from deepwright.practice.prove.parity import json_rows
from deepwright.practice.rerun import rerun
from deepwright.practice.run import practise
from deepwright.practice.verify import verify


@pytest.mark.parametrize(
    ("file", "target", "problem", "floor"),
    [
        ("wine.csv", "kind", "classification", 0.8),
        ("mixed.csv", "buys", "classification", 0.6),
        ("diabetes.csv", "progression", "regression", None),
    ],
)
def test_a_table_becomes_a_judged_bundle(tables, make_recipe, file, target, problem, floor):
    run = practise(make_recipe(tables / file, target), name="line")
    report = run.report

    assert report.problem == problem
    assert set(report.members) - {"blend"} == {"network", "constant", "linear", "boosting"}
    assert report.data.rows_in == report.data.rows_kept + sum(entry.count for entry in report.data.set_aside)
    assert sum(report.data.parts.values()) == report.data.rows_kept
    assert not any(number.part == "test" for number in report.numbers)
    for number in report.numbers:
        assert number.n == report.data.parts["validation"]
        if number.metric in ("calibration_error", "max_error"):
            assert number.low is number.high is None, "resampling does not tell how sure they are"
        else:
            assert number.value is None or number.low <= number.value <= number.high
    best = report.number(report.metric, "validation")
    constant = report.number(report.metric, "validation", "constant")
    assert best.value > floor if floor else best.value < constant.value
    answers = run.bundle.predict(json_rows(kept_rows(run, "validation"), limit=5))
    assert len(answers.answer) == 5
    assert (run.folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_network_learns_what_the_linear_model_cannot(tables, make_recipe):
    train = make_recipe(tables / "mixed.csv", "buys").train.replace(epochs=60, batch_size=32, patience=None)
    run = practise(make_recipe(tables / "mixed.csv", "buys").replace(train=train, ship="network"), name="xor")
    report = run.report
    network, linear = (report.number("accuracy", "validation", member) for member in ("network", "linear"))
    assert network.value > linear.value + 0.1
    assert report.chosen == "network"


def test_run_stays_sealed_and_the_second_look_needs_a_reason(cancer_run):
    assert cancer_run.report.summary()["test"] is None
    first = look(cancer_run)
    assert first.number("accuracy", "test").n == first.data.parts["test"]
    assert len(first.looks) == 1
    with pytest.raises(SealError, match="have been looked at before"):
        look(cancer_run)
    second = look(cancer_run, reason="a colleague asked")
    assert [entry.reason for entry in second.looks] == [None, "a colleague asked"]
    assert "a colleague asked" in (cancer_run.folder / "report.html").read_text(encoding="utf-8")


def test_a_look_that_was_killed_is_finished_and_not_counted_twice(cancer_run, monkeypatch):
    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("deepwright.practice.look.measure", killed)
        with pytest.raises(KeyboardInterrupt):
            look(cancer_run)
    assert len(look(cancer_run).looks) == 1


def test_a_forgotten_look_is_noticed_by_the_run(cancer_run, own_workspace):
    look(cancer_run)
    (own_workspace / ".deepwright" / "looks.jsonl").unlink()
    with pytest.raises(SealError, match="does not know of it"):
        look(cancer_run)


def test_verify_agrees_to_the_last_digit_before_and_after_the_look(cancer_run):
    assert verify(cancer_run).difference == 0.0
    look(cancer_run)
    result = verify(cancer_run)
    assert result.difference == 0.0
    assert result.numbers == len(cancer_run.report.numbers)


def test_verify_names_a_number_that_is_not_the_bundles(cancer_run):
    report = cancer_run.report
    numbers = list(report.numbers)
    numbers[0] = numbers[0].model_copy(update={"value": numbers[0].value + 1e-9})
    cancer_run.write("report.json", report.model_copy(update={"numbers": tuple(numbers)}).json_bytes())
    with pytest.raises(ProofError, match="The report is not of this bundle"):
        verify(cancer_run)


def test_verify_refuses_a_changed_bundle(cancer_run):
    path = cancer_run.bundle_folder / "graph.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ProofError, match=r"graph\.onnx"):
        verify(cancer_run)
    with pytest.raises(BundleError):
        Bundle.load(cancer_run.bundle_folder)


def test_rerun_gives_the_same_bits(cancer_run):
    result = rerun(cancer_run)
    assert result.difference is None
    assert result.compared > 40


def test_a_rerun_takes_over_the_speed_plan_that_the_run_measured(tables, make_recipe, monkeypatch):
    recipe = make_recipe(tables / "wine.csv", "kind", baselines=("constant",))
    run = practise(recipe.replace(train=recipe.train.replace(speed="auto")), name="auto")
    plan = run.entry("speed plan")["plan"]
    assert run.report.environment["network"]["speed"] == plan

    def measuring(*args, **kwargs):
        raise AssertionError("a rerun measures nothing")

    monkeypatch.setattr("deepwright.train.loop.choose_plan", measuring)
    assert rerun(run).difference is None


def test_rerun_names_the_first_difference(cancer_run, monkeypatch):
    from deepwright.train.rates import Rates

    monkeypatch.setattr(
        Rates, "set", lambda self, position: [g.update(lr=0.05) for o in self.optimizers for g in o.param_groups]
    )
    result = rerun(cancer_run)
    assert result.difference == "members/network/golden.json"


def test_a_test_file_of_the_users_own_is_looked_at_verified_and_rerun(tables, make_recipe, own_workspace):
    lines = (tables / "cancer.csv").read_text().splitlines(keepends=True)
    learn, own = own_workspace / "learn.csv", own_workspace / "own.csv"
    learn.write_text("".join(lines[:400]))
    own.write_text("".join([lines[0], *lines[400:]]))
    recipe = make_recipe(learn, "diagnosis", baselines=("constant",))
    run = practise(recipe.replace(source=recipe.source.replace(test=str(own))), name="own")
    assert run.report.data.parts["test"] == len(lines) - 400
    assert look(run).number("accuracy", "test").n == len(lines) - 400
    assert verify(run).difference == 0.0
    assert rerun(run).difference is None
    own.write_text("".join([lines[0], *lines[401:]]))
    with pytest.raises(DataError, match="its content has changed since the run"):
        rerun(run)


def test_a_test_file_that_repeats_training_rows_stops_the_run_unless_allowed(tables, make_recipe, own_workspace):
    lines = (tables / "cancer.csv").read_text().splitlines(keepends=True)
    own = own_workspace / "own.csv"
    own.write_text("".join(lines[:200]))
    recipe = make_recipe(tables / "cancer.csv", "diagnosis", baselines=("constant",))
    recipe = recipe.replace(source=recipe.source.replace(test=str(own)))
    with pytest.raises(RuleError, match="--allow overlap --reason 'why'"):
        practise(recipe, name="blocked")
    with pytest.raises(RecipeError, match=r"no such rule can be set aside. Allowed: one_class, overlap"):
        practise(recipe.replace(allow=(Allowance(rule="magic", reason="a"),)), name="unknown")
    run = practise(recipe.replace(allow=(Allowance(rule="overlap", reason="a rehearsal"),)), name="allowed")
    assert "rule set aside: overlap (a rehearsal)" in (run.folder / "report.html").read_text(encoding="utf-8")


def test_the_same_call_again_computes_nothing(cancer_run, tables, make_recipe):
    before = {path: path.stat().st_mtime_ns for path in cancer_run.folder.rglob("*") if path.name != ".lock"}
    again = practise(make_recipe(tables / "cancer.csv", "diagnosis", baselines=("constant", "linear")), name="cancer")
    after = {path: path.stat().st_mtime_ns for path in again.folder.rglob("*") if path.name != ".lock"}
    assert before == after


def test_another_recipe_cannot_take_a_runs_name(cancer_run, tables, make_recipe):
    with pytest.raises(UsageError, match="exists already with another recipe"):
        practise(make_recipe(tables / "cancer.csv", "diagnosis", seed=1), name="cancer")


def test_python_says_it_in_three_lines(tables, quick):
    import pandas

    frame = pandas.read_csv(tables / "wine.csv")
    run = deepwright.run(frame, target="kind", train=quick, recipe=None)
    rows = frame.drop(columns="kind").head(3)
    answers = run.bundle.predict(rows)
    assert answers.label.tolist() == ["class 0"] * 3
    assert np.allclose(answers.probability.sum(axis=1), 1.0, atol=1e-6)


CHILD = """
import os, signal, sys
from pathlib import Path
from deepwright.core.disk import write_atomic
import deepwright.core.disk as disk
from deepwright import parts
from deepwright.core.recipe_file import load_recipe
from deepwright.practice.run import practise

parts.load_installed()
left = int(sys.argv[2])
real = os.replace
def replace(*args, **kwargs):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)
os.replace = replace
practise(load_recipe(Path(sys.argv[1])), name="killed")
"""


@pytest.mark.parametrize("kill_at", [1, 4, 9, 13, 17])
def test_a_run_killed_at_a_write_ends_in_the_same_bits(tables, make_recipe, own_workspace, kill_at):
    from deepwright.core.recipe_file import dump_recipe

    recipe = make_recipe(tables / "wine.csv", "kind", baselines=("constant",))
    Path("recipe.yaml").write_text(dump_recipe(recipe), encoding="utf-8")
    killed = subprocess.run(
        [sys.executable, "-c", CHILD, "recipe.yaml", str(kill_at)], check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    resumed = practise(recipe, name="killed")
    whole = practise(recipe, name="whole")
    assert resumed.bundle.digest == whole.bundle.digest
    assert [n.model_dump() for n in resumed.report.numbers] == [n.model_dump() for n in whole.report.numbers]


def test_the_ledger_of_a_run_is_plain_json_lines(cancer_run):
    names = [json.loads(line)["what"] for line in (cancer_run.folder / "ledger.jsonl").read_text().splitlines()]
    assert names[0] == "started"
    assert names[-1] == "done"
    assert isinstance(Run.open(cancer_run.folder), Run)
    assert os.access(cancer_run.folder / "events.jsonl", os.R_OK)
