"""JSON Lines: values exact, lines that are no rows set aside with their number."""

import json
from pathlib import Path

import pytest

from deepwright.core.errors import DataError
from deepwright.data.collect import read
from deepwright.data.table import Table

GOOD = [json.dumps({"a": i, "b": "é"}) for i in range(3)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1', "no valid JSON"),
        ('{"a": NaN, "b": "x"}', "NaN, which is no JSON"),
        ('{"a": -Infinity}', "-Infinity, which is no JSON"),
        ('{"a": 1, "a": 2}', "field 'a' stands twice"),
        ('{"a": 1, " a": 2}', "field 'a' stands twice"),
        ('{"a": [1]}', "inside field 'a'"),
        ('{"a": {"c": 1}}', "inside field 'a'"),
        ("[1, 2]", "no object"),
        ('{"b": "\\ud800"}', "no UTF-8"),
        ('{"b": "x\\u0000"}', "a NUL character"),
        ("[" * 100_000, "a list or an object"),
    ],
)
def test_a_line_that_is_no_row_is_set_aside(tmp_path: Path, line: str, reason: str):
    (tmp_path / "t.jsonl").write_text("\n".join([*GOOD[:2], "", line, GOOD[2]]), encoding="utf-8")
    raw = read(tmp_path / "t.jsonl", Table())
    assert raw.origin.tolist() == [1, 2, 4]
    assert [(e.count, e.rows) for e in raw.set_aside] == [(1, (3,))]
    assert reason in raw.set_aside[0].reason


def test_numbers_keep_their_digits_and_absent_fields_are_missing(tmp_path: Path):
    lines = ['{"a": 12345678901234567890, "b": 0.10, "c": true}', '{"a": 1e400, "b": null}']
    (tmp_path / "t.jsonl").write_text("\n".join(lines), encoding="utf-8")
    raw = read(tmp_path / "t.jsonl", Table())
    assert {name: cells.tolist() for name, cells in raw.cells.items()} == {
        "a": ["12345678901234567890", "1e400"], "b": ["0.10", None], "c": ["true", None],
    }  # fmt: skip


def test_an_array_of_objects_reads_as_its_objects_on_lines_of_their_own(tmp_path: Path):
    rows = [{"a": 1, "b": "x],{"}, {"a": 2, "b": "\\"}, {"b": "[\n", "a": 1e300}]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "t.json").write_text("\ufeff " + json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    one, other = (read(tmp_path / name, Table()) for name in ("t.jsonl", "t.json"))
    assert other.origin.tolist() == [1, 2, 3]
    assert {n: c.tolist() for n, c in other.cells.items()} == {n: c.tolist() for n, c in one.cells.items()}


def test_objects_within_objects_become_columns_where_asked(tmp_path: Path):
    path = tmp_path / "t.json"
    path.write_text(json.dumps([{"id": 1, "votes": {"yes": 3, "of": {"all": 5}}}, {"id": 2, "votes": {}}]))
    with pytest.raises(DataError, match=r"none of 2 rows can be used: .*'votes' .*--source.nested dots"):
        read(path, Table())
    raw = read(path, Table(nested="dots"))
    assert {name: cells.tolist() for name, cells in raw.cells.items()} == {
        "id": ["1", "2"], "votes.yes": ["3", None], "votes.of.all": ["5", None],
    }  # fmt: skip
