"""A run whose rows come from several files: run again in the same bits, and answering rows from elsewhere."""

import sqlite3
from pathlib import Path

import pytest

from deepwright import cli
from deepwright.core.errors import DataError
from deepwright.core.run import Run
from deepwright.practice.predict import predict_file
from deepwright.practice.rerun import rerun

RECIPE = """
source:
  kind: merge
  how: left
  on: [b]
  sources: [{kind: table, path: rows, missing: [none]}, {kind: table, path: look.csv, types: [w=number]}]
target: y
network: {kind: mlp, widths: [4]}
baselines: [constant]
blend: false
train: {epochs: 1}
"""


def lines(first: int) -> list[str]:
    return [f"{i % 17},{'rgb'[i % 3]},{('no', 'yes')[i % 17 > 8]}" for i in range(first, first + 60)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("merged")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "rows").mkdir()
        for name, first in (("one", 0), ("two", 70)):
            (folder / "rows" / f"{name}.csv").write_text("\n".join(["a,b,y", *lines(first), ""]))
        (folder / "look.csv").write_text("b,w\nr,1.5\ng,2.5\nb,3\n")
        (folder / "recipe.yaml").write_text(RECIPE)
        assert cli.call(["run", "recipe.yaml", "--name", "first"]) == 0
        (found,) = (Run.open(path) for path in (folder / "runs").iterdir())
        return found


def test_a_rerun_gives_the_same_bits(run, monkeypatch):
    monkeypatch.chdir(run.folder.parents[1])
    assert rerun(run).difference is None


def test_a_changed_file_among_several_stops_a_rerun(run, monkeypatch):
    monkeypatch.chdir(run.folder.parents[1])
    path = Path("rows/two.csv")
    before = path.read_text()
    path.write_text(before + "3,r,no\n")
    with pytest.raises(DataError, match="its content has changed since the run"):
        rerun(run)
    path.write_text(before)


@pytest.mark.parametrize("kind", ["csv", "folder", "sqlite"])
def test_rows_from_another_kind_of_source_are_answered_alike(run, tmp_path, kind):
    rows = [(i % 17, "rgb"[i % 3], 1.5 if i % 2 else None) for i in range(20)]
    text = "a,b,w\n" + "".join(f"{a},{b},{'none' if w is None else w}\n" for a, b, w in rows)
    (tmp_path / "rows.csv").write_text(text)
    path = tmp_path / "rows.csv"
    if kind == "folder":
        path = tmp_path / "folder"
        path.mkdir()
        head, *rest = text.splitlines()
        (path / "1.csv").write_text("\n".join([head, *rest[:7], ""]))
        (path / "2.csv").write_text("\n".join([head, *rest[7:], ""]))
    if kind == "sqlite":
        path = tmp_path / "rows.db"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE t (a, b, w)")
            connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        connection.close()
    answered = predict_file(run.folder / "bundle", path, tmp_path / "out.csv", flags=[], overwrite=False)
    again = predict_file(run.folder / "bundle", tmp_path / "rows.csv", tmp_path / "due.csv", flags=[], overwrite=False)
    assert answered == again
    found, due = ((tmp_path / name).read_text().splitlines()[1:] for name in ("out.csv", "due.csv"))
    strip = [[line.partition(",")[2] for line in part] for part in (found, due)]
    assert sorted(strip[0]) == sorted(strip[1])
    assert [line.partition(",")[0] for line in found] == [str(i) for i in range(1, 21)]
