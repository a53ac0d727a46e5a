"""Small true tables as files, and one finished run of each that the tests of the straight line share."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import datasets

from deepwright import parts
from deepwright.core.families import Source
from deepwright.core.recipe import Recipe, Train
from deepwright.core.run import Run
from deepwright.practice.run import practise

QUICK = Train(epochs=4, batch_size=64, checkpoint_s=3600.0, threads=1)


@pytest.fixture(autouse=True)
def own_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in a folder of its own, with a ledger of looks of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(tmp_path / ".deepwright"))
    return tmp_path


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """cancer.csv (two classes), wine.csv (three classes), diabetes.csv (values), mixed.csv (categories, gaps)."""
    folder = tmp_path_factory.mktemp("tables")
    cancer = datasets.load_breast_cancer()
    names = [name.replace(" ", "_") for name in cancer.feature_names[:8]]
    frame = {name: cancer.data[:, i] for i, name in enumerate(names)}
    labels = [str(cancer.target_names[t]) for t in cancer.target]
    pl.DataFrame({**frame, "diagnosis": labels}).write_csv(folder / "cancer.csv")
    wine = datasets.load_wine()
    frame = {name.replace("/", "_"): wine.data[:, i] for i, name in enumerate(wine.feature_names)}
    pl.DataFrame({**frame, "kind": [f"class {t}" for t in wine.target]}).write_csv(folder / "wine.csv")
    diabetes = datasets.load_diabetes()
    frame = {name: diabetes.data[:, i] for i, name in enumerate(diabetes.feature_names)}
    pl.DataFrame({**frame, "progression": diabetes.target}).write_csv(folder / "diabetes.csv")
    draw = np.random.default_rng(0)
    size = 500
    colour = draw.choice(["red", "green", "blue"], size)
    width = draw.normal(50, 10, size).round(2)
    labels = np.where((width > 50) ^ (colour == "red"), "yes", "no")
    widths = [None if gap else float(w) for w, gap in zip(width, draw.random(size) < 0.1, strict=True)]
    pl.DataFrame({"colour": colour, "width": widths, "buys": labels}).write_csv(folder / "mixed.csv")
    return folder


@pytest.fixture(scope="session")
def quick() -> Train:
    return QUICK


def recipe_for(path: Path, target: str, **changes: object) -> Recipe:
    parts.load_installed()
    source = Source.parse({"kind": "table", "path": str(path)})
    return Recipe(source=source, target=target, train=QUICK, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make_recipe() -> object:
    return recipe_for


@pytest.fixture
def cancer_run(tables: Path) -> Run:
    """A sealed run in this test's folder."""
    return practise(recipe_for(tables / "cancer.csv", "diagnosis", baselines=("constant", "linear")), name="cancer")
