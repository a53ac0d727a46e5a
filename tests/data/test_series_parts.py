"""Parts of series that the user gives in files of their own."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError
from deepwright.core.recipe import Recipe
from deepwright.data.cases import Cases
from deepwright.data.collect import collect
from deepwright.data.large import large_table
from deepwright.data.series import Series
from tests.data.test_cases import GOOD, ts


def write(folder: Path, name: str, first: int, count: int) -> str:
    rows = [f"2024-01-{day:02d},{day}.5,{day * 7 % 5}" for day in range(first, first + count)]
    (folder / name).write_text("\n".join(["t,x,y", *reversed(rows), ""]))
    return str(folder / name)


def test_validation_and_test_files_of_series_are_read_by_the_same_options(tmp_path: Path):
    path, later, last = (write(tmp_path, f"{n}.csv", n * 10 + 1, 8) for n in range(3))
    source = Series(path=path, validation=later, test=last, time=("t",))
    table = collect(Recipe(source=source, target="y", problem="regression"))
    assert table.test is not None
    assert table.whole.columns["x"].tolist() == [
        *(day + 0.5 for day in range(1, 9)),
        *(day + 0.5 for day in range(11, 19)),
    ]
    assert table.whole.given is not None and table.whole.given.tolist() == [0] * 8 + [1] * 8
    assert table.test.columns["x"].tolist() == [day + 0.5 for day in range(21, 29)]
    assert table.whole.schema.of_role("time") is not None


def test_cases_take_files_of_their_own_too(tmp_path: Path):
    for name in ("train", "validation", "test"):
        (tmp_path / f"{name}.ts").write_bytes(ts(*(GOOD * (4 if name == "train" else 2))))
    paths = {name: str(tmp_path / f"{name}.ts") for name in ("validation", "test")}
    table = collect(Recipe(source=Cases(path=str(tmp_path / "train.ts"), **paths)))
    assert table.test is not None and len(table.test) == 6
    assert table.whole.given is not None and np.bincount(table.whole.given).tolist() == [12, 6]


def test_a_validation_file_of_other_columns_is_refused(tmp_path: Path):
    path = write(tmp_path, "a.csv", 1, 8)
    (tmp_path / "b.csv").write_text("t,z,y\n2024-02-01,1,2\n2024-02-02,1,2\n")
    with pytest.raises(DataError, match="column 'x'"):
        Series(path=path, validation=str(tmp_path / "b.csv"), time=("t",)).read("y")


def test_series_are_held_and_never_read_through_as_a_plain_table(tmp_path: Path):
    path = write(tmp_path, "a.csv", 1, 8)
    assert large_table(Series(path=path, time=("t",), memory="stream")) is None
    assert large_table(Cases(path=path, memory="stream")) is None
