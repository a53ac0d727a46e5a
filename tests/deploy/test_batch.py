"""Files of answers: whole, exact, safe to open, never over another."""

import csv
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.bundle import Bundle
from deepwright.core.errors import DataError, ResourceError, UsageError
from deepwright.core.golden import golden_rows
from deepwright.core.schema import Columns
from deepwright.deploy.batch import BatchResult, escaped, predict_stream
from tests.deploy.bundles import GOOD_ROW

Row = dict[str, object]
Chunk = tuple[Columns, np.ndarray]


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def chunks(bundle: Bundle, num: int, rows: list[Row] | None = None) -> Iterator[Chunk]:
    rows = golden_rows(bundle.schema) if rows is None else rows
    for number in range(num):
        yield bundle.schema.columns(rows), np.arange(len(rows), dtype=np.int64) + 1 + number * len(rows)


def test_csv_holds_row_label_probabilities_and_flag(flowers: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "answers.csv"
    result = predict_stream(flowers, chunks(flowers, 3), out)
    expected = flowers.predict(golden_rows(flowers.schema))
    assert result == BatchResult(out, 48, 3 * int(expected.out_of_range.sum()), 0)
    with out.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == [
        "row", "label", "probability =setosa", "probability -1", "probability virginica", "out_of_range",
    ]  # fmt: skip
    assert [int(line[0]) for line in lines[1:]] == list(range(1, 49))
    found = np.array([line[2:5] for line in lines[1:17]], dtype=np.float64)
    assert (found == expected.answer).all()
    assert [line[5] for line in lines[1:17]] == [str(flag).lower() for flag in expected.out_of_range.tolist()]


def test_labels_that_a_spreadsheet_would_run_are_escaped_in_csv_only(flowers: Bundle, tmp_path: Path) -> None:
    rows: list[Row] = [
        {"petal-length": 6.9, "高度": 5, "colour": ""},
        {"petal-length": 1, "高度": 10, "colour": "=blue"},
    ]
    assert set(flowers.predict(rows).label) == {"=setosa", "-1"}
    predict_stream(flowers, chunks(flowers, 1, rows), tmp_path / "a.csv")
    predict_stream(flowers, chunks(flowers, 1, rows), tmp_path / "a.jsonl")
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        assert {line[1] for line in list(csv.reader(file))[1:]} == {"'=setosa", "'-1"}
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [{"row": place + 1, **record} for place, record in enumerate(flowers.predict(rows).records())]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_every_start_of_a_formula_is_escaped(start: str) -> None:
    assert escaped(f"{start}SUM(A1)") == f"'{start}SUM(A1)"
    assert escaped(f"a{start}") == f"a{start}"


def test_values_are_written_for_a_regression(houses: Bundle, tmp_path: Path) -> None:
    predict_stream(
        houses, chunks(houses, 1, [{"rooms": 3, "town": "a"}, {"rooms": 99, "town": "a"}]), tmp_path / "v.csv"
    )
    assert (tmp_path / "v.csv").read_text() == "row,value,out_of_range\n1,84.5,false\n2,135.25,true\n"


def test_a_row_without_a_finite_answer_stays_empty_and_is_counted(flowers: Bundle, tmp_path: Path) -> None:
    rows: list[Row] = [GOOD_ROW, {**GOOD_ROW, "高度": None}]
    result = predict_stream(flowers, chunks(flowers, 1, rows), tmp_path / "n.csv")
    assert (result.rows, result.out_of_range, result.not_finite) == (2, 1, 1)
    assert (tmp_path / "n.csv").read_text().splitlines()[2] == "2,,,,,true"
    predict_stream(flowers, chunks(flowers, 1, rows), tmp_path / "n.jsonl")
    last = json.loads((tmp_path / "n.jsonl").read_text().splitlines()[1])
    assert last == {"row": 2, "label": None, "probability": None, "out_of_range": True}


def test_memory_does_not_grow_with_the_number_of_chunks(flowers: Bundle, tmp_path: Path) -> None:
    def peak(num: int) -> int:
        tracemalloc.start()
        predict_stream(flowers, chunks(flowers, num), tmp_path / f"{num}.csv")
        _, found = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return found

    peak(2)
    assert peak(1200) < peak(4) + 250_000  # 19,200 answers kept would be megabytes


def test_an_existing_file_is_kept_unless_told_otherwise(flowers: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "answers.csv"
    out.write_text("mine")
    with pytest.raises(UsageError) as caught:
        predict_stream(flowers, chunks(flowers, 1), out)
    assert str(caught.value) == (
        f"{out}: exists already and is not overwritten. Choose another name with --output, or add --overwrite."
    )
    assert out.read_text() == "mine"
    assert predict_stream(flowers, chunks(flowers, 1), out, overwrite=True).rows == 16
    assert out.read_text().startswith("row,label")


def test_another_ending_is_refused(flowers: Bundle, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"answers are written as \.csv, \.jsonl\."):
        predict_stream(flowers, chunks(flowers, 1), tmp_path / "answers.xlsx")


def test_a_fault_in_the_middle_leaves_the_old_file_and_nothing_beside_it(flowers: Bundle, tmp_path: Path) -> None:
    def torn() -> Iterator[Chunk]:
        yield from chunks(flowers, 2)
        raise DataError("rows.not_a_mapping", row=33, found="int")

    out = tmp_path / "answers.csv"
    out.write_text("old")
    with pytest.raises(DataError):
        predict_stream(flowers, torn(), out, overwrite=True)
    assert out.read_text() == "old"
    assert names_in(tmp_path) == ["answers.csv"]


def test_a_full_disk_is_told_and_leaves_the_old_file(flowers: Bundle, tmp_path: Path) -> None:
    import resource
    import signal

    out = tmp_path / "answers.csv"
    out.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(ResourceError, match="the disk is full"):
            predict_stream(flowers, chunks(flowers, 50), out, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert out.read_text() == "old"
    assert names_in(tmp_path) == ["answers.csv"]


def test_an_unreadable_source_is_not_told_as_a_full_disk(flowers: Bundle, tmp_path: Path) -> None:
    def lost() -> Iterator[Chunk]:
        yield from chunks(flowers, 1)
        raise OSError("the source went away")

    with pytest.raises(OSError, match="the source went away"):
        predict_stream(flowers, lost(), tmp_path / "answers.csv")
    assert names_in(tmp_path) == []


def test_no_rows_give_a_file_with_its_header(flowers: Bundle, tmp_path: Path) -> None:
    empty: Columns = {"petal-length": np.empty(0), "高度": np.empty(0), "colour": np.empty(0, dtype=object)}
    result = predict_stream(flowers, [(empty, np.empty(0, np.int64))], tmp_path / "deep" / "empty.csv")
    assert result.rows == 0
    assert len((tmp_path / "deep" / "empty.csv").read_text().splitlines()) == 1


def test_rows_that_have_names_are_told_by_them(tmp_path: Path, flowers: Bundle) -> None:
    ((columns, numbers),) = chunks(flowers, 1)
    names = np.array([f"{'=' if place == 3 else ''}a{place}.png" for place in range(len(numbers))], object)
    predict_stream(flowers, [(columns, names)], tmp_path / "out.csv")
    predict_stream(flowers, [(columns, names)], tmp_path / "out.jsonl")
    rows = [line.split(",")[0] for line in (tmp_path / "out.csv").read_text().splitlines()[1:]]
    assert rows[2:4] == ["a2.png", "'=a3.png"] and len(rows) == len(numbers)
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[3])["row"] == "=a3.png"
