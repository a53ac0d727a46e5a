"""Series: files to rows in order, each moment once, with what was done told."""

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError, RecipeError
from deepwright.core.recipe import Recipe
from deepwright.data.collect import collect
from deepwright.data.periods import Periods
from deepwright.data.raw import Raw
from deepwright.data.series import Series
from deepwright.data.split import Random, require_order

HEADER = "time,who,x,c\n"


def write(folder: Path, *rows: str, name: str = "t.csv", header: str = HEADER) -> str:
    (folder / name).write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    return str(folder / name)


def hours(count: int, who: str = "a", first: int = 0) -> list[str]:
    return [f"2024-01-01T{hour:02d}:00,{who},{hour},{'rgb'[hour % 3]}" for hour in range(first, first + count)]


def cells(raw: Raw, name: str) -> list:
    return list(raw.cells[name])


def told(raw: Raw, rule: str) -> list[str]:
    return [note.text for note in raw.notes if note.rule == rule]


def test_entities_follow_one_another_each_in_order_of_time(tmp_path: Path):
    mixed = [row for pair in zip(hours(4, "b"), hours(4, "a"), strict=True) for row in pair]
    raw = Series(path=write(tmp_path, *mixed), time=("time",), entity="who").read(None)
    assert cells(raw, "who") == ["b"] * 4 + ["a"] * 4
    assert raw.origin.tolist() == [1, 3, 5, 7, 2, 4, 6, 8]
    assert raw.roles == {"time": "time", "who": "group"}
    assert not told(raw, "series_sorted")


def test_moments_that_came_late_are_sorted_and_told(tmp_path: Path):
    rows = hours(6)
    raw = Series(path=write(tmp_path, *rows[3:], *rows[:3]), time=("time",)).read(None)
    assert cells(raw, "x") == list("012345")
    assert told(raw, "series_sorted") == [
        "time: 1 rows came before an earlier one of the same series (first row 4); the rows were sorted by time."
    ]


@pytest.mark.parametrize(
    ("duplicates", "x", "c"),
    [
        ("first", "1", "g"),
        ("last", "5", "b"),
        ("mean", "3", "g"),
        ("sum", "6", "g"),
        ("min", "1", "g"),
        ("max", "5", "g"),
    ],
)
def test_a_repeated_moment_becomes_one_row_as_asked(tmp_path: Path, duplicates: str, x: str, c: str):
    rows = hours(4)
    path = write(tmp_path, *rows[:2], "2024-01-01T01:00,a,5,b", *rows[2:])
    raw = Series(path=path, time=("time",), duplicates=duplicates).read(None)
    assert (len(raw), cells(raw, "x")[1], cells(raw, "c")[1]) == (4, x, c)
    assert len(told(raw, "series_merged")) == 1
    assert raw.rows_in == 5 and [entry.rows for entry in raw.set_aside] == [(2,) if duplicates == "last" else (3,)]


def test_two_entities_may_have_the_same_moment(tmp_path: Path):
    path = write(tmp_path, *hours(4), *hours(4, "b", first=3))
    assert len(Series(path=path, time=("time",), entity="who").read(None)) == 8
    path = write(tmp_path, *hours(4), *hours(4, "b"))
    with pytest.raises(AskError, match="4 rows repeat a moment"):
        Series(path=path, time=("time",)).read(None)


def test_rows_without_time_are_set_aside_with_their_number(tmp_path: Path):
    rows = hours(5)
    raw = Series(path=write(tmp_path, *rows[:3], ",a,9,r", "soon,a,9,r", *rows[3:]), time=("time",)).read(None)
    assert [(entry.count, entry.rows) for entry in raw.set_aside] == [(1, (4,)), (1, (5,))]
    assert raw.rows_in == 7 and cells(raw, "x") == list("01234")


def test_without_a_time_column_the_order_of_rows_is_the_time(tmp_path: Path):
    raw = Series(path=write(tmp_path, "1,2", "3,4", "5,6", header="x,y\n")).read(None)
    assert cells(raw, "row") == ["1", "2", "3"] and raw.roles == {"row": "time"}


@pytest.mark.parametrize(
    ("header", "row", "columns"),
    [("x,when\n", "1,2024-01-01", "when"), ("year,month,day,x\n", "2024,1,1,5", "year,month,day")],
)
def test_a_column_that_looks_like_the_time_is_asked_about(tmp_path: Path, header: str, row: str, columns: str):
    with pytest.raises(AskError, match=f"--source.time {columns}"):
        Series(path=write(tmp_path, row, header=header)).read(None)


def test_resampling_stamps_a_moment_with_its_end_and_never_looks_ahead(tmp_path: Path):
    rows = [f"2024-01-01T00:{minute:02d},a,{minute},r" for minute in range(0, 60, 10)]
    raw = Series(path=write(tmp_path, *rows), time=("time",), resample="20min").read(None)
    assert cells(raw, "time") == ["2024-01-01", "2024-01-01T00:20:00", "2024-01-01T00:40:00", "2024-01-01T01:00:00"]
    assert cells(raw, "x") == ["0", "15", "35", "50"]
    changed = [*rows[:4], *(row.replace(",a,", ",a,9") for row in rows[4:])]
    other = Series(path=write(tmp_path, *changed, name="o.csv"), time=("time",), resample="20min").read(None)
    assert cells(other, "x")[:2] == cells(raw, "x")[:2] and cells(other, "x")[2:] != cells(raw, "x")[2:]


def test_resampling_fills_a_gap_with_missing_values_and_with_a_line_only_when_asked(tmp_path: Path):
    path = write(tmp_path, *(hours(8)[:3] + hours(8)[5:]))
    raw = Series(path=path, time=("time",), resample="1h").read(None)
    assert cells(raw, "x") == ["0", "1", "2", None, None, "5", "6", "7"] and cells(raw, "c")[3] is None
    assert len(told(raw, "series_filled")) == 1
    line = Series(path=path, time=("time",), resample="1h", interpolate=True).read(None)
    assert cells(line, "x") == list("01234567")
    assert "looks ahead" in told(line, "series_interpolated")[0]


def test_a_moment_without_row_is_not_made_where_it_would_have_no_target(tmp_path: Path):
    path = write(tmp_path, *(hours(8)[:3] + hours(8)[5:]))
    raw = Series(path=path, time=("time",), resample="1h").read("x")
    assert cells(raw, "x") == ["0", "1", "2", "5", "6", "7"]
    assert "2 moments had no row, and so no x to learn from" in told(raw, "series_left_out")[0]
    assert raw.rows_in == 6 and "2 moments missing" in told(raw, "series_gaps")[0]


def test_resampling_keeps_entities_apart(tmp_path: Path):
    path = write(tmp_path, *hours(4), *hours(4, "b", first=2))
    raw = Series(path=path, time=("time",), entity="who", resample="2h", by="sum").read(None)
    assert list(zip(cells(raw, "who"), cells(raw, "x"), strict=True)) == [
        ("a", "0"), ("a", "3"), ("a", "3"), ("b", "2"), ("b", "7"), ("b", "5"),
    ]  # fmt: skip


def test_a_step_that_would_fill_memory_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="would make 10801 moments of 4 rows"):
        Series(path=write(tmp_path, *hours(4)), time=("time",), resample="1s").read(None)


def test_missing_stretches_are_named_with_their_length_and_start(tmp_path: Path):
    rows = hours(12)
    rows[3:6] = [row.replace(f",{hour},", ",NA,") for hour, row in enumerate(rows[3:6], 3)]
    rows[9] = rows[9].replace(",9,", ",,")
    raw = Series(path=write(tmp_path, *rows), time=("time",), missing=("NA",)).read(None)
    assert told(raw, "series_missing") == [
        "x: 4 of 12 values are missing, in 2 runs; the longest has 3 moments, from 2024-01-01T03:00:00 on."
    ]


def test_unequal_lengths_name_the_shortest_and_the_longest(tmp_path: Path):
    raw = Series(path=write(tmp_path, *hours(4), *hours(9, "b")), time=("time",), entity="who").read(None)
    assert told(raw, "series_lengths") == ["time: the 2 series have unequal lengths, from 4 moments (a) to 9 (b)."]


def test_windows_are_counted_without_those_that_cross_a_gap(tmp_path: Path):
    path = write(tmp_path, *(hours(12)[:5] + hours(12)[7:]))
    raw = Series(path=path, time=("time",), gaps="keep", window=4).read(None)
    assert told(raw, "series_windows") == ["time: 4 windows of 4 moments fit into the 1 series without crossing a gap."]


def test_a_folder_of_tables_is_a_series_per_file_and_rows_know_theirs(tmp_path: Path):
    (tmp_path / "d" / "sub").mkdir(parents=True)
    write(tmp_path / "d", *hours(3), name="one.csv")
    (tmp_path / "d" / "sub" / "two.csv.gz").write_bytes(gzip.compress((HEADER + "\n".join(hours(4)) + "\n").encode()))
    (tmp_path / "d" / "readme.md").write_text("no table")
    raw = Series(path=str(tmp_path / "d"), time=("time",)).read(None)
    assert cells(raw, "series") == ["one"] * 3 + ["sub/two.csv"] * 4
    assert raw.file_of is not None and raw.file_of.tolist() == [0] * 3 + [1] * 4
    assert [(file.name, file.rows) for file in raw.files] == [("one.csv", 3), ("sub/two.csv.gz", 4)]
    assert raw.origin.tolist() == [1, 2, 3, 1, 2, 3, 4]


def test_files_with_other_columns_are_refused_by_name(tmp_path: Path):
    write(tmp_path, *hours(3), name="one.csv")
    write(tmp_path, "2024-01-01,1", name="two.csv", header="time,y\n")
    with pytest.raises(DataError, match=r"'two.csv' has the columns time, y, and 'one.csv' has time, who, x, c"):
        Series(path=str(tmp_path), time=("time",)).read(None)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path):
    (tmp_path / "d").mkdir()
    write(tmp_path, *hours(3), name="outside.csv")
    (tmp_path / "d" / "in.csv").symlink_to(tmp_path / "outside.csv")
    with pytest.raises(DataError, match="leads out of the folder"):
        Series(path=str(tmp_path / "d"), time=("time",)).read(None)


def benchmark(folder: Path, windows: dict) -> Path:
    """An archive laid out as the Numenta Anomaly Benchmark."""
    with zipfile.ZipFile(folder / "nab.zip", "w") as archive:
        for name in ("a/one", "a/two"):
            rows = [f"2024-01-01 {hour:02d}:00:00,{hour}" for hour in range(10)]
            archive.writestr(f"data/{name}.csv", "timestamp,value\n" + "\n".join(rows) + "\n")
        archive.writestr("labels/combined_windows.json", json.dumps(windows))
    return folder / "nab.zip"


def test_labelled_windows_become_a_column_of_anomalies(tmp_path: Path):
    from deepwright.data.series_files import claims

    path = benchmark(tmp_path, {"a/one.csv": [["2024-01-01 03:00:00", "2024-01-01 05:00:00.000000"]], "a/two.csv": []})
    found = claims(path)
    assert found is not None
    raw = Series(**{key: value for key, value in found.items() if key != "kind"}).read(None)
    assert cells(raw, "anomaly") == list("0001110000") + ["0"] * 10
    assert cells(raw, "series") == ["one"] * 10 + ["two"] * 10
    assert "1 labelled windows" in told(raw, "series_labels")[0]


def test_a_resampled_moment_is_an_anomaly_where_any_of_its_rows_is(tmp_path: Path):
    path = benchmark(tmp_path, {"a/one.csv": [["2024-01-01 03:00:00", "2024-01-01 05:00:00"]]})
    source = Series(path=str(path), time=("timestamp",), labels="labels/combined_windows.json", resample="2h")
    raw = source.read(None)
    assert cells(raw, "anomaly")[:6] == list("001100") and cells(raw, "value")[:3] == ["0", "1.5", "3.5"]


def test_labels_that_match_nothing_are_told(tmp_path: Path):
    path = benchmark(
        tmp_path, {"a/one.csv": [["2025-01-01", "2025-01-02"]], "a/gone.csv": [["2024-01-01", "2024-01-02"]]}
    )
    raw = Series(path=str(path), time=("timestamp",), labels="labels/combined_windows.json").read(None)
    assert "2 labelled windows or files match no row" in told(raw, "series_labels_unused")[0]


def test_labels_of_another_form_are_refused(tmp_path: Path):
    path = benchmark(tmp_path, {"a/one.csv": ["soon"]})
    with pytest.raises(DataError, match="is not of the form"):
        Series(path=str(path), time=("timestamp",), labels="labels/combined_windows.json").read(None)


def test_a_column_in_a_file_of_its_own_stands_beside_row_by_row(tmp_path: Path):
    path = write(tmp_path, "1,2", "3,4", header="")
    (tmp_path / "labels.csv").write_text("up\ndown\n")
    raw = Series(path=path, columns=("x", "y"), beside=("label=labels.csv",)).read(None)
    assert raw.names == ("row", "x", "y", "label") and cells(raw, "label") == ["up", "down"]
    (tmp_path / "labels.csv").write_text("up\n")
    with pytest.raises(DataError, match=r"1 rows, and .* has 2"):
        Series(path=path, columns=("x", "y"), beside=("label=labels.csv",)).read(None)


def test_a_series_is_collected_with_its_roles_and_split_by_time(tmp_path: Path):
    rows = [f"{row},{index % 7}" for index, row in enumerate(hours(24))]
    path = write(tmp_path, *rows, header="time,who,x,c,y\n")
    table = collect(Recipe(source=Series(path=path, time=("time",)), target="y", problem="regression", ignore=("who",)))
    assert table.whole.schema.of_role("time") is not None
    parts = Periods().assign(table.whole)
    assert (np.diff(parts) >= 0).all() and set(parts.tolist()) == {0, 1, 2}


def test_rows_handed_over_in_python_are_put_in_order_too(tmp_path: Path):
    recipe = Recipe(source=Series(time=("t",)), target="y", problem="regression")
    data = {"t": ["2024-01-03", "2024-01-01", "2024-01-02"], "x": [3.0, 1.5, 2.0], "y": [3.0, 1.0, 2.5]}
    assert collect(recipe, data).whole.target.tolist() == [1.0, 2.5, 3.0]


def test_a_split_that_shuffles_is_refused():
    require_order(Periods())
    with pytest.raises(RecipeError, match="--split random shuffles moments"):
        require_order(Random())


@pytest.mark.parametrize("seed", range(6))
def test_random_tables_are_ordered_and_resampled_as_pandas_does(tmp_path: Path, seed: int):
    import pandas as pd

    generator = np.random.default_rng(seed)
    minutes = generator.choice(4000, 60, replace=False)
    frame = pd.DataFrame({"who": generator.choice(["b", "a"], 60), "x": generator.integers(-50, 50, 60).astype(float)})
    frame["t"] = pd.Timestamp("2024-02-28") + pd.to_timedelta(minutes, unit="min")
    frame.loc[generator.random(60) < 0.2, "x"] = np.nan
    frame[["t", "who", "x"]].to_csv(tmp_path / "t.csv", index=False)
    by = ["mean", "sum", "min", "max"][seed % 4]
    source = Series(path=str(tmp_path / "t.csv"), time=("t",), entity="who", resample="6h", by=by)
    raw = source.read(None)
    for who in ("a", "b"):
        one = frame[frame.who == who].set_index("t").x.sort_index()
        bins = one.resample("6h", closed="right", label="right", origin="epoch")
        due = bins.sum(min_count=1) if by == "sum" else getattr(bins, by)()
        rows = np.array(raw.cells["who"]) == who
        ours = [np.nan if cell is None else float(cell) for cell in raw.cells["x"][rows]]
        assert list(pd.to_datetime(list(raw.cells["t"][rows]), format="ISO8601")) == list(due.index)
        np.testing.assert_allclose(ours, due.to_numpy(), rtol=1e-12)
