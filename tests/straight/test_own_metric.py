"""The guide's metric of a user's own, through the whole line: stopping, choosing, deciding, reporting, verifying."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from deepwright import parts
from deepwright.core.families import Metric
from deepwright.core.recipe import Recipe
from deepwright.evaluation.decision import as_answer
from deepwright.practice.keep import kept_rows
from deepwright.practice.run import practise
from deepwright.practice.target import target_of
from deepwright.practice.verify import verify
from tests.conformance.checks import checks_of

GUIDE = Path(__file__).parents[2] / "docs" / "metrics.md"


@pytest.fixture
def ward_cost(own_workspace: Path) -> Iterator[dict[str, str]]:
    """The file of the guide, imported as `--with` does; gives what the recipe holds of it."""
    (code,) = re.findall(r"(?ms)^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"))
    path = own_workspace / "ward_parts.py"
    path.write_text(code)
    yield {"plugin": str(path), "plugin_sha256": parts.load_plugin(path)}
    del Metric.kinds["ward_cost"], sys.modules["ward_parts"]


def test_both_languages_of_the_guide_have_the_same_code_and_name_every_kind():
    english, chinese = (path.read_text(encoding="utf-8") for path in (GUIDE, GUIDE.with_name("metrics.zh-CN.md")))
    blocks = [re.findall(r"(?ms)^```.*?^```$", page) for page in (english, chinese)]
    assert blocks[0] == blocks[1] and len(blocks[0]) == 2
    ours = [kind for kind, part in Metric.kinds.items() if part.__module__.startswith("deepwright.")]
    assert len(ours) > 25 and [kind for kind in ours if f"`{kind}`" not in english or f"`{kind}`" not in chinese] == []


def test_it_keeps_the_promises_of_every_metric(ward_cost):
    for check in checks_of(Metric.kinds["ward_cost"]):
        check(Metric.parse("ward_cost"))


def test_it_stops_chooses_decides_and_is_verified(ward_cost, make_recipe, tables):
    recipe: Recipe = make_recipe(tables / "cancer.csv", "diagnosis", baselines=("constant", "linear"), **ward_cost)
    recipe = recipe.replace(
        metric="ward_cost",
        decision={"kind": "threshold", "metric": "ward_cost"},
        train=recipe.train.replace(watch={"kind": "ward_cost", "missed": 500.0}),
    )
    run = practise(recipe, name="ward")
    report = run.report
    assert report.metric == "ward_cost"
    assert report.environment["network"]["watch"] == "ward_cost(missed=500.0)"
    watched = [epoch["validation"]["ward_cost(missed=500.0)"] for epoch in report.history]
    best = report.environment["network"]["best_epoch"]
    assert watched[best - 1] == min(watched), "stopping keeps the epoch of the least cost"

    validation, metric = kept_rows(run, "validation"), recipe.metric
    target, answers = target_of(validation), run.bundle.predict(validation)
    shipped = metric.value(target, as_answer(answers.decided, 2))
    number = report.number("ward_cost", "validation")
    assert (number.value, number.greater_is_better, number.optimistic) == (shipped, False, True)
    assert number.low <= shipped <= number.high
    by_half = metric.value(target, answers.answer)
    assert shipped <= by_half, "the threshold was chosen by the cost"
    costs = {name: report.number("ward_cost", "validation", name).value for name in report.members}
    assert costs["constant"] > shipped
    assert answers.threshold is not None and answers.threshold != 0.5
    assert np.isfinite(shipped)
    assert verify(run).numbers == len(report.numbers)
