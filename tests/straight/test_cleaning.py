"""Cleaning from end to end: what the recipe says is done, told, counted, served and exported."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from deepwright.core.report import Report
from deepwright.core.run import Run
from deepwright.deploy.targets.onnx import Onnx
from deepwright.practice.run import practise

PREPARE = {
    "rules": [{"rule": "first <= last", "treat": "delete"}],
    "imputer": "iterative",
    "columns": [
        {"columns": ["dose"], "outliers": "iqr", "scaler": "log"},
        {"columns": ["place"], "encoder": "one_hot"},
    ],
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(0)
    size = 400
    first, length = draw.normal(20.0, 4.0, size).round(2), draw.gamma(2.0, 3.0, size).round(2) + 0.01
    last = first + length
    last[[7, 8, 9]] = first[[7, 8, 9]] - 5.0
    glucose = draw.normal(120.0, 15.0, size).round(1)
    glucose[draw.random(size) < 0.05] = 0.0
    when = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 1) + pl.duration(hours=(size - 1) * 7), "7h", eager=True
    )
    frame = {
        "first": first,
        "last": [None if gap else float(v) for v, gap in zip(last.round(2), draw.random(size) < 0.1, strict=True)],
        "dose": draw.lognormal(1.0, 1.5, size).round(3),
        "glucose": glucose,
        "place": [
            None if gap else p
            for p, gap in zip(draw.choice(["sea", "land"], size), draw.random(size) < 0.1, strict=True)
        ],
        "when": when,
        "well": np.where(length + draw.normal(0.0, 1.0, size) > 5.0, "yes", "no"),
    }
    path = tmp_path_factory.mktemp("cleaning") / "patients.csv"
    pl.DataFrame(frame).write_csv(path)
    return path


@pytest.fixture
def run(table: Path, make_recipe) -> Run:
    recipe = make_recipe(
        table, "well", prepare=PREPARE, network="mlp", baselines=("boosting",), ship="network", max_set_aside=0.02
    )
    return practise(recipe, name="patients")


def test_a_cleaned_run_counts_tells_answers_and_exports(run: Run, tmp_path: Path):
    report: Report = run.report
    assert report.data.rows_in == 400 == report.data.rows_kept + sum(entry.count for entry in report.data.set_aside)
    deleted = sum(entry.count for entry in report.data.set_aside)
    assert 1 <= deleted <= 3 and "first <= last" in report.data.set_aside[0].reason
    told = {found.rule: found.text for found in report.findings}
    assert {"deleted_rows", "missing", "categories", "placeholder", "outliers", "cycles"} <= set(told)
    assert "glucose (" in told["placeholder"] and "when (" in told["cycles"] and "dose (" in told["outliers"]
    bundle = run.bundle
    strange = {"first": None, "last": 1e300, "dose": -1e300, "glucose": 0.0, "place": "moon", "when": 1e15}
    empty = dict.fromkeys(strange)
    answers = bundle.predict([strange, empty])
    assert np.isfinite(answers.answer).all() and answers.out_of_range[0]
    assert Onnx().export(bundle, tmp_path / "onnx")[0].name == "model.onnx"
