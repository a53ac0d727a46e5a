"""A validation file of the user's own: its rows are the validation part, and nothing else of it changes."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError, PracticeError
from deepwright.core.recipe import Recipe
from deepwright.core.seal import TEST, VALIDATION
from deepwright.data.collect import collect
from deepwright.data.split import choose_split


def write(folder: Path, name: str, start: int, count: int, header: str = "a,y") -> str:
    rows = [f"{start + i}.5,{('no', 'yes')[i % 2]}" for i in range(count)]
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return str(folder / name)


def recipe(**source: object) -> Recipe:
    return Recipe.parse({"source": {"kind": "table", **source}, "target": "y"})


def test_rows_of_the_validation_file_are_the_validation_part(tmp_path: Path):
    path, other = write(tmp_path, "a.csv", 0, 60), write(tmp_path, "b.csv", 100, 20)
    table = collect(recipe(path=path, validation=other, test=write(tmp_path, "c.csv", 200, 10)))
    assert (len(table.whole), len(table.test), table.rows_in) == (80, 10, 90)
    splitter, _ = choose_split(table.whole, has_test=True)
    parts = splitter.replace(test=0.0).assign(table.whole)
    assert splitter.kind == "given" and (parts == VALIDATION).sum() == 20 and not (parts == TEST).any()
    assert table.whole.columns["a"][parts == VALIDATION].tolist() == [100.5 + i for i in range(20)]
    assert [table.whole.files[place] for place in np.unique(table.whole.file_of)] == [path, other]


def test_it_may_stand_beside_rows_handed_over_in_python(tmp_path: Path):
    frame = {"a": np.arange(60.0), "y": np.array(["no", "yes"] * 30)}
    table = collect(recipe(validation=write(tmp_path, "b.csv", 100, 20)), frame)
    assert len(table.whole) == 80 and (table.whole.given == VALIDATION).sum() == 20


def test_other_columns_are_refused_by_the_files_name(tmp_path: Path):
    path, other = write(tmp_path, "a.csv", 0, 60), write(tmp_path, "b.csv", 100, 20, "b,y")
    with pytest.raises(DataError) as caught:
        collect(recipe(path=path, validation=other))
    assert "b.csv" in str(caught.value) and "'a'" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(PracticeError, match=r"none\.csv"):
        collect(recipe(path=write(tmp_path, "a.csv", 0, 60), validation=str(tmp_path / "none.csv")))
