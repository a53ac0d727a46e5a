"""Through: a run on a table that is read through, from end to end, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import RecipeError
from deepwright.core.recipe import Recipe
from deepwright.data import large, pieces
from deepwright.data.read import read
from deepwright.data.rows import row_hashes
from deepwright.data.shares import drawn
from deepwright.data.table import Table
from deepwright.practice.run import practise

ROWS = 3000


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pieces, "PIECE", 1 << 14)
    monkeypatch.setattr(pieces, "SMALL_PIECE", 1 << 12)
    monkeypatch.setattr(large, "ORDER_ROWS", 200)
    monkeypatch.setattr(large, "SAMPLE_ROWS", 1000)
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(tmp_path / "home"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    x, z = draw.normal(size=ROWS), draw.integers(0, 5, ROWS)
    answers = np.where(x + (z > 2) > 0.5, "yes", "no")
    lines = [f"{a:.6f},level {b},{y}" for a, b, y in zip(x, z, answers, strict=True)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["x,z,y", *lines]) + "\n")
    return path


def recipe(path: Path, **changes: object) -> Recipe:
    quick = {"network": "mlp", "train": {"epochs": 4, "threads": 1}, "baselines": ["constant"]}
    source = {"kind": "table", "path": str(path), "memory": "stream"}
    return Recipe.parse({"source": source, "target": "y", **quick, **changes})


def test_the_network_learns_from_the_training_share_of_all_rows(table: Path, tmp_path: Path):
    run = practise(recipe(table), runs=tmp_path / "runs", name="large")
    (folder,) = (run.folder / "data").glob("tensors-*")
    hashes = row_hashes(read(table, Table()))
    is_train = drawn(hashes, 0) / 2.0**64 < 0.7
    assert json.loads((folder / "rows.json").read_bytes())["rows"] == is_train.sum()
    report = run.report
    assert report.data.parts["train"] < is_train.sum() / 2
    assert report.data.rows_in == ROWS
    assert "sampled" in {finding.rule for finding in report.findings}
    accuracy = {n.member: n.value for n in report.numbers if n.metric == "accuracy"}
    assert accuracy["network"] > accuracy["constant"] + 0.15


DELETING = {"rules": [{"rule": "x <= 1", "treat": "delete"}]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"split": "stratified"}, "split stratified: a table that is read through is split row by row"),
        ({"prepare": DELETING, "max_set_aside": 0.5}, "keeps all its training rows"),
    ],
    ids=["a split by other rows", "rows deleted"],
)
def test_what_needs_all_rows_at_once_is_refused(table: Path, tmp_path: Path, changes: dict, says: str):
    with pytest.raises(RecipeError, match=says):
        practise(recipe(table, **changes), runs=tmp_path / "runs", name="large")
