"""Runs compared on the same rows, from their folders."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import deepwright
from deepwright import cli
from deepwright.core.errors import DataError, SealError, UsageError
from deepwright.core.families import Splitter
from deepwright.core.run import Run
from deepwright.practice.keep import kept_rows
from deepwright.practice.look import look
from deepwright.practice.run import practise


@pytest.fixture(scope="module")
def made(tables, make_recipe, tmp_path_factory) -> Path:
    """Runs of the same rows, one of them hardly trained; and one of other rows of the same table."""
    folder = tmp_path_factory.mktemp("compared")
    base = make_recipe(tables / "mixed.csv", "buys", network="mlp", baselines=("constant", "linear"), ship="network")
    practise(base.replace(train=base.train.replace(epochs=25)), runs=folder, name="good")
    practise(base.replace(train=base.train.replace(epochs=1)), runs=folder, name="bad")
    practise(base.replace(split=Splitter.parse({"kind": "stratified", "seed": 5})), runs=folder, name="other")
    return folder


@pytest.fixture
def two_runs(made):
    """Both runs in this test's folder of runs, and the one of other rows."""
    shutil.copytree(made, "runs")
    return Run.open("good"), Run.open("bad")


def test_runs_are_compared_on_validation_until_both_have_looked(two_runs, capsys):
    good, bad = two_runs
    num_metrics = len({number.metric for number in good.report.numbers})
    found = deepwright.compare("bad", good)
    assert (found.part, found.rows) == ("validation", good.report.data.parts["validation"])
    assert found.contestants == ("bad", "good")
    main = found.compared[0]
    assert (main.metric, main.a, main.b) == ("accuracy", "bad", "good")
    values = [run.report.number("accuracy", "validation").value for run in (bad, good)]
    assert main.value == pytest.approx(values[1] - values[0])
    assert [found.values[name]["accuracy"] for name in found.contestants] == values
    assert main.better == "good" and main.low > 0 and main.p < 0.05
    assert main.optimistic
    assert found.looks == {"bad": 0, "good": 0}
    assert len(found.compared) == num_metrics
    assert found.verdict[0].text.startswith("good is better than bad by ")

    look(good)
    assert deepwright.compare(good, bad).part == "validation"
    with pytest.raises(SealError, match=r"the test part of 'bad' is sealed, and a comparison does not open it"):
        deepwright.compare(good, bad, part="test")
    look(bad, reason="the comparison of this test")
    found = deepwright.compare(good, bad)
    assert (found.part, found.rows) == ("test", good.report.data.parts["test"])
    assert found.looks == {"good": 2, "bad": 2}
    assert not any(each.optimistic for each in found.compared)

    command = ["compare", "good", "bad:linear", "--part", "validation", "--json", "-o", "page.html"]
    assert cli.call(command) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert "bad:linear − good" in page and "good: looks known at its test part: 2" in page
    assert page.count('class="whisker"') == num_metrics and "<script" not in page
    lines = capsys.readouterr().out.strip().splitlines()
    record = json.loads(lines[-1])
    assert record["contestants"] == ["good", "bad:linear"]
    assert "good: looks known at its test part: 2" in lines
    assert any("bad:linear − good" in line for line in lines)


def test_the_members_of_one_run_are_compared(two_runs):
    found = deepwright.compare(two_runs[0])
    assert found.contestants == two_runs[0].report.members
    num = len(found.contestants)
    num_metrics = len({number.metric for number in two_runs[0].report.numbers})
    assert len(found.compared) == num_metrics * num * (num - 1) // 2
    assert any("pairs" in sentence.text for sentence in found.verdict)


def test_other_rows_are_refused_and_the_common_ones_can_be_asked_for(two_runs):
    with pytest.raises(
        DataError, match=r"the validation rows differ: good has \d+, other has \d+, \d+ are common"
    ) as refused:
        deepwright.compare("good", "other")
    assert "--common" in str(refused.value) and refused.value.exit_code == 3
    found = deepwright.compare("good", "other", common=True)
    assert 0 < found.rows < two_runs[0].report.data.parts["validation"]
    assert found.left_out > 0
    assert found.rows == int(re.search(r"(\d+) are common", str(refused.value))[1])
    assert np.isfinite(found.compared[0].value)


def test_relabelled_rows_are_not_called_the_same(two_runs, monkeypatch):
    def relabelled(run, part):
        data = kept_rows(run, part)
        if run.name == "bad":
            labels = np.where(np.arange(len(data)) < 3, "yes", data.target).astype(object)
            data = replace(data, columns={**data.columns, "buys": labels}, _kept={})
        return data

    monkeypatch.setattr("deepwright.practice.compare.kept_rows", relabelled)
    with pytest.raises(DataError, match="the validation rows of good and bad are the same and their labels are not"):
        deepwright.compare("good", "bad")


def test_other_targets_unknown_members_and_single_contestants_are_refused(two_runs):
    report = Run.open("other").report.model_copy(update={"target": "kind"})
    Run.open("other").write("report.json", report.json_bytes())
    with pytest.raises(DataError, match="compare: other has target kind, good has buys"):
        deepwright.compare("good", "other")
    with pytest.raises(
        UsageError, match=r"has no member 'linar'; it has network, constant, linear.*Did you mean 'linear'"
    ):
        deepwright.compare("good", "bad:linar")
    with pytest.raises(UsageError, match="'good' stands twice"):
        deepwright.compare("good", "good")
    with pytest.raises(UsageError, match="two contestants or more"):
        deepwright.compare("good:linear")
    assert cli.call(["compare", "good", "gone"]) == 2
    assert cli.call(["compare", "good", "bad", "--part", "train"]) == 2
