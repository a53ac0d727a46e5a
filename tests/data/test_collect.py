"""Collect: formats, roles, the user's own test file, and every row accounted for."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError, UsageError
from deepwright.core.recipe import Recipe
from deepwright.data.collect import collect, read, read_chunks, read_object
from deepwright.data.table import Table
from deepwright.data.types import decode_inputs

ADULT = Path("/work/shared/data/adult")
HEAD = "age,sex,income\n"
ROWS = "".join(f"{20 + i % 40}.5, {'FM'[i % 2]}, {'<=50K' if i % 3 else '>50K'}\n" for i in range(90))


def recipe(target: str = "income", **changes: object) -> Recipe:
    source = {k: v for k, v in changes.items() if k in Table.model_fields}
    rest = {k: v for k, v in changes.items() if k not in Table.model_fields}
    return Recipe.parse({"source": {"kind": "table", **source}, "target": target, **rest})


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_table_becomes_typed_columns_with_reasons(tmp_path: Path):
    found = collect(recipe(path=write(tmp_path / "t.csv", HEAD + ROWS)))
    assert [(f.name, f.type, f.role) for f in found.schema.features] == [
        ("age", "number", "input"), ("sex", "category", "input"), ("income", "category", "target"),
    ]  # fmt: skip
    assert found.schema["age"].reason == "90 of 90 cells are numbers"
    assert found.whole.part == "whole"
    assert found.whole.columns["age"][:2].tolist() == [20.5, 21.5]
    assert found.whole.columns["sex"][:2].tolist() == ["F", "M"]
    assert found.whole.origin.tolist() == list(range(1, 91))
    assert "spaces" in {f.rule for f in found.findings}


def test_roles_are_as_the_recipe_says_and_every_column_stays_in_the_hash(tmp_path: Path):
    path = write(tmp_path / "t.csv", HEAD + ROWS)
    plain = collect(recipe(path=path, ignore=["sex"]))
    found = collect(recipe(path=path, known_afterwards=["sex"]))
    assert (found.schema["sex"].role, found.schema["sex"].known_at) == ("ignore", "afterwards")
    assert (plain.schema["sex"].role, plain.schema["sex"].known_at) == ("ignore", "prediction")
    assert list(found.whole.inputs) == ["age"]
    assert (found.whole.hashes == plain.whole.hashes).all()
    assert (found.whole.hashes == collect(recipe(path=path)).whole.hashes).all()


def test_a_wrong_column_name_is_answered_with_the_near_one(tmp_path: Path):
    path = write(tmp_path / "t.csv", HEAD + ROWS)
    for changes in ({"target": "incone"}, {"ignore": ["incone"]}, {"types": ["incone=category"]}):
        with pytest.raises(DataError, match=r"t\.csv: column 'incone' is not there\..*Did you mean 'income'"):
            collect(recipe(path=path, **changes))


def test_labels_that_only_the_test_file_has_are_asked_about_with_the_line_to_paste(tmp_path: Path):
    path = write(tmp_path / "t.csv", HEAD + ROWS)
    test = write(tmp_path / "test.csv", HEAD + ROWS.replace("K\n", "K.\n"))
    with pytest.raises(AskError) as caught:
        collect(recipe(path=path, test=test))
    assert str(caught.value).endswith("--map 'income:<=50K.=<=50K,>50K.=>50K'")
    found = collect(recipe(path=path, test=test, map="income:<=50K.=<=50K,>50K.=>50K"))
    assert set(found.test.target) == {"<=50K", ">50K"}
    assert found.test.part == "test"
    assert found.rows_in == len(found.whole) + len(found.test) == 180


def test_the_line_to_paste_is_quoted_for_a_shell(tmp_path: Path):
    import shlex

    path = write(tmp_path / "t.csv", HEAD + ROWS.replace(">50K", "'1'").replace("<=50K", "'-1'"))
    test = write(tmp_path / "test.csv", HEAD + ROWS.replace(">50K", "'1'.").replace("<=50K", "'-1'."))
    with pytest.raises(AskError) as caught:
        collect(recipe(path=path, test=test))
    line = shlex.split(str(caught.value).split("--map ")[1])[0]
    assert len(collect(recipe(path=path, test=test, map=line)).test) == 90


def test_the_hash_of_a_row_is_taken_before_values_are_renamed(tmp_path: Path):
    path = write(tmp_path / "t.csv", HEAD + ROWS)
    renamed = collect(recipe(path=path, map="sex:F=female"))
    assert set(renamed.whole.columns["sex"]) == {"female", "M"}
    assert (renamed.whole.hashes == collect(recipe(path=path)).whole.hashes).all()


def test_the_test_file_is_read_by_the_schema_of_the_training_file(tmp_path: Path):
    path = write(tmp_path / "t.csv", HEAD + ROWS)
    test = write(tmp_path / "test.csv", "sex,income,age\nF,<=50K,30\nM,>50K,old\nF,>50K,\n")
    found = collect(recipe(path=path, test=test, max_set_aside=0.5))
    assert found.test.columns["age"].tolist()[0] == 30.0
    assert np.isnan(found.test.columns["age"][1])
    assert [(e.reason, e.rows) for e in found.set_aside] == [("test file: age: no number, such as 'old'", (2,))]
    train_row = write(tmp_path / "one.csv", "sex,income,age\nF,>50K,20.5\n")
    assert collect(recipe(path=path, test=train_row)).test.hashes[0] == found.whole.hashes[0]


def test_types_come_from_the_training_file_alone(tmp_path: Path):
    path = write(tmp_path / "t.csv", HEAD + ROWS)
    test = write(tmp_path / "test.csv", HEAD + "x,F,<=50K\n" * 9 + "1,F,<=50K\n")
    with pytest.raises(DataError, match=r"9 of 10 rows \(90.00%\) cannot be used"):
        collect(recipe(path=path, test=test))


@pytest.mark.parametrize(
    ("header", "says"), [("age,sex,incom", "column 'income' is not there"), ("age,sex,income,x", "columns x")]
)
def test_a_test_file_with_other_columns_is_refused(tmp_path: Path, header: str, says: str):
    path = write(tmp_path / "t.csv", HEAD + ROWS)
    row = ",".join("1" * len(header.split(",")))
    with pytest.raises(DataError, match=says):
        collect(recipe(path=path, test=write(tmp_path / "test.csv", f"{header}\n{row}\n")))


def test_frames_and_arrays_come_in_from_python():
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    pair = collect(recipe("species"), data=(x, y))
    assert pair.schema.names == ("x0", "x1", "x2", "x3", "species")
    assert (pair.whole.columns["x0"] == x[:, 0]).all()
    assert pair.whole.target[:2].tolist() == ["0", "0"]
    assert pair.schema.problem == "classification"
    own = collect(recipe("species"), data=(x, y), test=(x[:10], y[:10]))
    assert len(own.test) == 10
    assert (own.test.hashes == pair.whole.hashes[:10]).all()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([1, 2], "rows were given as list"),
        ((np.zeros(3), np.zeros(3)), r"X has the shape \(3,\)"),
        ({"a": [1, 2], "y": [1]}, "different lengths"),
        ({"a": np.array([1j, 2j]), "y": [1, 2]}, "column 'a', row 1: found complex128"),
        ({"a": np.array([object(), 1], object), "y": [1, 2]}, "column 'a', row 1: found object"),
        ({"a": [], "y": []}, "0 rows"),
        ({"a": [1], " a": [2]}, "more than once: a"),
        ({"": [1], "a": [2]}, "have no name"),
    ],
)
def test_objects_that_are_no_table_are_refused(data: object, says: str):
    with pytest.raises(DataError, match=says):
        read_object(data)


def test_no_source_at_all_is_a_usage_error():
    with pytest.raises(UsageError, match="no rows are given"):
        collect(recipe())


def test_a_chunked_reading_gives_the_rows_of_a_whole_one(tmp_path: Path):
    text = HEAD + ROWS.replace("21.5, M", "21.5") + "\n9,F,>50K\n"
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    whole = read(path, Table())
    chunks = list(read_chunks(path, Table(), 25))
    assert [chunk.rows_in for chunk in chunks] == [25, 25, 25, 16]
    for name in whole.names:
        assert [v for chunk in chunks for v in chunk.cells[name]] == whole.cells[name].tolist()
    assert [n for chunk in chunks for n in chunk.origin.tolist()] == whole.origin.tolist()
    assert [r for chunk in chunks for e in chunk.set_aside for r in e.rows] == list(whole.set_aside[0].rows)


def test_a_whole_reading_does_not_depend_on_its_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from deepwright.data import read as reading

    path = write(tmp_path / "t.csv", HEAD + ROWS.replace("21.5, M", "21.5"))
    whole = read(path, Table())
    monkeypatch.setattr(reading, "CHUNK_ROWS", 7)
    chunked = read(path, Table())
    assert {name: cells.tolist() for name, cells in chunked.cells.items()} == {
        name: cells.tolist() for name, cells in whole.cells.items()
    }
    assert (chunked.set_aside, chunked.findings) == (whole.set_aside, whole.findings)
    for name in whole.names:
        distinct = chunked.distinct(name)
        assert [distinct.values[code] for code in distinct.codes] == whole.cells[name].tolist()


def test_chunks_of_parquet_and_json_lines_count_their_rows_on(tmp_path: Path):
    import polars as pl

    pl.DataFrame({"a": range(10), "b": ["x", "y"] * 5}).write_parquet(tmp_path / "t.parquet")
    lines = [json.dumps({"a": i, "b": "xy"[i % 2]}) for i in range(10)]
    write(tmp_path / "t.jsonl", "\n".join(lines))
    for path in (tmp_path / "t.parquet", tmp_path / "t.jsonl"):
        chunks = list(read_chunks(path, Table(), 4))
        assert [chunk.origin.tolist() for chunk in chunks] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
        assert [v for chunk in chunks for v in chunk.cells["a"]] == [str(i) for i in range(10)]


def test_reading_in_chunks_needs_no_memory_for_the_whole_file(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text(HEAD + ROWS * 600, encoding="utf-8")
    assert 3 * peak_bytes(path, 1000) < peak_bytes(path, 10**9)  # the control: one chunk holds everything


def peak_bytes(path: Path, rows: int) -> int:
    import tracemalloc

    tracemalloc.start()
    count = sum(len(chunk) for chunk in read_chunks(path, Table(), rows))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 54_000
    return peak


def test_rows_to_be_answered_need_no_target(tmp_path: Path):
    found = collect(recipe(path=write(tmp_path / "t.csv", HEAD + ROWS), map="sex:F=female"))
    options = Table(map="sex:F=female")
    raw = read(write(tmp_path / "new.csv", "sex,extra,age\nF,1,30\nM,2,old\n"), options)
    columns, origin, aside = decode_inputs(raw, found.schema)
    assert columns["sex"].tolist() == ["female"]
    assert columns["age"].tolist() == [30.0]
    assert (origin.tolist(), aside[0].rows) == ([1], (2,))
    with pytest.raises(DataError, match="column 'age' is not there"):
        decode_inputs(read(write(tmp_path / "new.csv", "sex,agee\nF,1\n"), options), found.schema)


def test_the_source_hash_is_that_of_the_bytes(tmp_path: Path):
    import hashlib

    path = write(tmp_path / "t.csv", HEAD + ROWS)
    assert collect(recipe(path=path)).source_sha256 == hashlib.sha256((HEAD + ROWS).encode()).hexdigest()


@pytest.mark.skipif(not ADULT.is_dir(), reason="needs the shared data")
def test_adult_comes_in_as_its_documentation_counts_it():
    names = [*(f"c{place}" for place in range(14)), "income"]
    options = {"path": f"{ADULT}/adult-train.csv.gz", "test": f"{ADULT}/adult-test.csv.gz", "columns": names}
    found = collect(recipe(**options, map="income:<=50K.=<=50K,>50K.=>50K"))
    assert (len(found.whole), len(found.test), found.set_aside) == (32_561, 16_281, ())
    missing = [
        sum(v is None for c in part.columns.values() if c.dtype == object for v in c)
        for part in (found.whole, found.test)
    ]
    assert missing == [4_262, 2_203]
