"""Row hashes: one row, one hash, whatever the format; two rows, two hashes."""

import json
from pathlib import Path

import numpy as np
import pytest

from deepwright.data.collect import read, read_object
from deepwright.data.rows import input_keys, mixed_codes, order_matters, row_hashes
from deepwright.data.table import Table

COLUMNS = {
    "age": [39.0, 50.0, None, 28.0],
    "rate": [0.1, 1e-7, -0.0, 12345678.5],
    "job": ["clerk", "smith", None, "café"],
    "day": ["2024-01-02", "2024-02-29", None, "1999-12-31"],
    "ok": [True, False, None, True],
}


def csv_text(columns: dict, order: list[str]) -> str:
    lines = [",".join(order)]
    for i in range(4):
        lines.append(",".join("" if columns[name][i] is None else str(columns[name][i]) for name in order))
    return "\n".join(lines) + "\n"


@pytest.fixture
def from_csv(tmp_path: Path) -> np.ndarray:
    (tmp_path / "t.csv").write_text(csv_text(COLUMNS, list(COLUMNS)), encoding="utf-8")
    return row_hashes(read(tmp_path / "t.csv", Table()))


def test_the_order_and_the_names_of_columns_do_not_count(tmp_path: Path, from_csv: np.ndarray):
    renamed = {f"other_{name}": values for name, values in COLUMNS.items()}
    (tmp_path / "t.csv").write_text(csv_text(renamed, sorted(renamed)), encoding="utf-8")
    assert row_hashes(read(tmp_path / "t.csv", Table())).tolist() == from_csv.tolist()


def test_parquet_polars_and_pandas_give_the_hashes_of_the_csv(tmp_path: Path, from_csv: np.ndarray):
    import datetime as dt

    import pandas as pd
    import polars as pl

    days = [day and dt.date.fromisoformat(day) for day in COLUMNS["day"]]
    frame = pl.DataFrame({**COLUMNS, "day": days})
    assert row_hashes(read_object(frame)).tolist() == from_csv.tolist()
    assert row_hashes(read_object(frame.to_arrow())).tolist() == from_csv.tolist()
    frame.write_parquet(tmp_path / "t.parquet")
    assert row_hashes(read(tmp_path / "t.parquet", Table())).tolist() == from_csv.tolist()
    stamps = [day and pd.Timestamp(day) for day in COLUMNS["day"]]
    assert row_hashes(read_object(pd.DataFrame({**COLUMNS, "day": stamps}))).tolist() == from_csv.tolist()
    assert row_hashes(read_object({k: np.array(v, object) for k, v in COLUMNS.items()})).tolist() == from_csv.tolist()


def test_json_lines_give_the_hashes_of_the_csv(tmp_path: Path, from_csv: np.ndarray):
    lines = [json.dumps({name: values[i] for name, values in COLUMNS.items()}) for i in range(4)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert row_hashes(read(tmp_path / "t.jsonl", Table())).tolist() == from_csv.tolist()


def test_numbers_hash_by_value_and_in_their_own_precision():
    texts = read_object({"x": ["39", "0.1", "1000"]})
    for numbers in (np.array([39.0, 0.1, 1000.0]), np.array([39, 0.1, 1e3], np.float32)):
        assert row_hashes(read_object({"x": numbers})).tolist() == row_hashes(texts).tolist()
    assert row_hashes(read_object({"x": ["+39", "1e-1", "1E3"]})).tolist() == row_hashes(texts).tolist()


def test_one_changed_cell_changes_only_its_row(from_csv: np.ndarray, tmp_path: Path):
    changed = {**COLUMNS, "job": ["clerk", "smitt", None, "café"]}
    (tmp_path / "t.csv").write_text(csv_text(changed, list(changed)), encoding="utf-8")
    assert (row_hashes(read(tmp_path / "t.csv", Table())) == from_csv).tolist() == [True, False, True, True]


def test_leading_zeros_are_another_value():
    assert row_hashes(read_object({"x": ["00501"]})) != row_hashes(read_object({"x": ["501"]}))


def test_a_table_of_bits_is_hashed_in_the_order_of_its_columns():
    bits = {f"b{place}": [(i >> place) & 1 for i in range(64)] for place in range(6)}
    raw = read_object(bits)
    sorted_hashes = row_hashes(raw)
    assert len(set(sorted_hashes.tolist())) == 7
    assert order_matters(raw, sorted_hashes)
    assert len(set(row_hashes(raw, in_order=True).tolist())) == 64


def test_order_does_not_matter_for_a_usual_table():
    raw = read_object({"a": np.arange(100) * 0.5, "b": ["x", "y"] * 50})
    assert not order_matters(raw, row_hashes(raw))


def test_mixed_codes_tell_a_hundred_thousand_rows_apart():
    codes = [np.arange(100_000) // 1000, np.arange(100_000) % 1000]
    assert len(np.unique(mixed_codes(codes))) == 100_000


def test_input_keys_are_equal_across_parts_and_with_missing_values():
    first = {"a": np.array([1.0, np.nan]), "b": np.array(["x", None], object)}
    second = {"a": np.array([np.nan, 1.0, 1.0]), "b": np.array([None, "x", "y"], object)}
    one, two = input_keys([first, second])
    assert (two == one[1]).tolist() == [True, False, False]
    assert (two == one[0]).tolist() == [False, True, False]


def test_the_content_of_a_frame_has_a_hash_that_one_cell_changes():
    one = read_object({"a": [1, 2]}).sha256
    assert one == read_object({"a": np.array([1.0, 2.0])}).sha256
    assert one != read_object({"a": [1, 3]}).sha256 != read_object({"b": [1, 2]}).sha256


def test_the_hash_is_blake2b_over_the_sorted_cells():
    from hashlib import blake2b

    expected = int.from_bytes(blake2b(b"\x1f39\x1fclerk", digest_size=8).digest(), "little")
    assert int(row_hashes(read_object({"job": ["clerk"], "age": [39.0], "gone": [None]}))[0]) == expected
