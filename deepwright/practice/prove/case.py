"""A case: the table that a proof works on, in a folder of its own, and the claims that come of it."""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Source
from deepwright.core.recipe import Recipe, Train
from deepwright.core.run import Run
from deepwright.core.text import text
from deepwright.data.collect import collect
from deepwright.data.media import Media, escaped
from deepwright.practice.run import practise

MAX_ROWS = 3000
EPOCHS = 2


@dataclass(frozen=True)
class Claim:
    """One thing proved. value and bar are counts or differences; `holds` is the verdict."""

    name: str
    value: float
    bar: str
    holds: bool
    detail: str = ""

    def record(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "bar": self.bar, "holds": self.holds, "detail": self.detail}

    def line(self) -> str:
        mark = "ok  " if self.holds else "FAIL"
        return f"  {mark} {self.name}: {self.value:g} ({self.bar}){'  ' + self.detail if self.detail else ''}"


@dataclass(frozen=True)
class Case:
    """whole: at most 3,000 rows of the table. folder: empty, gone afterwards. recipe: two epochs, without a source."""

    whole: Dataset
    folder: Path
    recipe: Recipe
    source: str
    trials: int | None

    def write_csv(self, data: Dataset, path: Path, *, shift: float = 0.0) -> Path:
        """Rows as CSV in another process's eyes; shift is added to every number that is an input, and an image becomes
        its negative."""
        import polars as pl

        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(self._texts(data, shift)).write_csv(path, quote_style="non_numeric")
        return path

    def write_parquet(self, data: Dataset, path: Path) -> Path:
        """The same rows in another file format."""
        import polars as pl

        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(self._texts(data, 0.0)).write_parquet(path)
        return path

    def _texts(self, data: Dataset, shift: float) -> dict[str, list[str | None]]:
        """Columns as the text of their cells; timestamps as ISO dates in UTC."""
        columns: dict[str, list[str | None]] = {}
        for feature in data.schema.features:
            column = data.columns[feature.name]
            moved = shift if feature.role == "input" and feature.type == "number" else 0.0
            if feature.type == "number":
                columns[feature.name] = [None if np.isnan(v) else repr(float(v) + moved) for v in column]
            elif feature.type == "timestamp":
                columns[feature.name] = [
                    None if np.isnan(v) else str(np.datetime64(int(v * 1e6), "us")).replace("T", " ") for v in column
                ]
            elif feature.type == "image" and shift:
                columns[feature.name] = [*negatives(column, self.folder / "negatives" / feature.name)]
            else:
                columns[feature.name] = list(column)
        return columns

    def table(self, path: Path, test: Path | None = None, **changes: Any) -> Recipe:
        """The case's recipe on a file that `write_csv` or `write_parquet` wrote."""
        types = [f"{f.name}={f.type}" for f in self.whole.schema.features]
        source = {"kind": "table", "path": str(path), "test": str(test) if test else None, "types": types}
        return self.recipe.replace(source=Source.parse(source), **changes)

    def run(self, recipe: Recipe, runs: str = "runs", name: str | None = None) -> Run:
        """Walk the line below the case's folder."""
        return practise(recipe, runs=self.folder / runs, name=name)


@contextmanager
def case_of(recipe: Recipe | None, trials: int | None) -> Iterator[Case]:
    """The case of a user's recipe, or of the demo's table; its ledger of looks is its own."""
    with tempfile.TemporaryDirectory(prefix="deepwright-prove-") as folder, _home(Path(folder) / "home"):
        recipe = recipe or demo_recipe()
        whole = collect(recipe).whole
        order = np.argsort(whole.hashes, kind="stable")[:MAX_ROWS]
        short = recipe.train.replace(
            epochs=EPOCHS,
            least_steps=None,
            most_steps=None,
            patience=None,
            batch_size=min(recipe.train.batch_size, 128),
        )
        yield Case(
            whole=whole.take(np.sort(order)),
            folder=Path(folder),
            recipe=recipe.replace(train=short, target=whole.schema.target.name, ignore=(), known_afterwards=()),
            source=recipe.source.dump().get("path") or text("prove.given_rows"),
            trials=trials,
        )


def demo_recipe() -> Recipe:
    """The recipe of the demo: the bank's calls, without the column that is known only after a call."""
    path = resources.files("deepwright").joinpath("demo", "bank_marketing.csv.gz")
    source = Source.parse({"kind": "table", "path": str(path)})
    return Recipe(source=source, target="deposit", known_afterwards=("duration",), train=Train())


@contextmanager
def _home(folder: Path) -> Iterator[None]:
    """A ledger of looks of its own for the time of a proof."""
    before = os.environ.get("DEEPWRIGHT_HOME")
    os.environ["DEEPWRIGHT_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["DEEPWRIGHT_HOME"]
        else:
            os.environ["DEEPWRIGHT_HOME"] = before


def negatives(references: np.ndarray, folder: Path) -> list[str]:
    """References to copies of images, light where they are dark."""
    from PIL import Image, ImageOps

    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with Media() as media:
        for place, reference in enumerate(references):
            with Image.open(io.BytesIO(media.read(reference))) as image:
                ImageOps.invert(image.convert("RGB")).save(folder / f"{place}.png")
            made.append(escaped(str(folder / f"{place}.png")))
    return made
