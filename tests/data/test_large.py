"""Large: a table that is read through shows what a held one shows, and its sample is a function of the rows."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError
from deepwright.core.recipe import Recipe
from deepwright.data import large, pieces, plain, survey
from deepwright.data.collect import Collected, collect
from deepwright.data.signature import fits_memory
from deepwright.data.table import Table

ROWS = 600


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some thousand bytes are many pieces, types show after 100 rows, and the sample is all rows."""
    monkeypatch.setattr(pieces, "PIECE", 2048)
    monkeypatch.setattr(pieces, "SMALL_PIECE", 512)
    monkeypatch.setattr(plain, "FEW_CELLS", 20)
    monkeypatch.setattr(large, "ORDER_ROWS", 100)
    monkeypatch.setattr(large, "SAMPLE_ROWS", 10**6)


def line(i: int) -> str:
    gap, answer = "" if i % 6 else i, ("no", "yes")[i % 2]
    return f"{i * 37 % 1000 / 8},{i / 7!r},level {i % 9},2024-{1 + i % 12:02d}-01,{gap},{answer}"


def write(path: Path, rows: list[str], header: str = "a,b,c,day,gap,y") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def collected(path: Path, memory: str, **changes: object) -> Collected:
    source = {"kind": "table", "path": str(path), "memory": memory}
    return collect(Recipe.parse({"source": source, "target": "y", "max_set_aside": 0.1, **changes}))


def require_same(path: Path, **changes: object) -> Collected:
    held, through = collected(path, "hold", **changes), collected(path, "stream", **changes)
    assert [(f.name, f.type, f.role) for f in through.schema.features] == [
        (f.name, f.type, f.role) for f in held.schema.features
    ]
    assert through.whole.fingerprint == held.whole.fingerprint
    assert through.whole.origin.tolist() == held.whole.origin.tolist()
    assert (through.whole.hashes == held.whole.hashes).all()
    assert through.rows_in == held.rows_in and through.source_sha256 == held.source_sha256
    aside, due = ({e.reason: (e.count, e.rows) for e in found.set_aside} for found in (through, held))
    assert aside == due
    told = [f.text for f in through.findings if f.rule != "sampled"]
    assert set(told) >= {f.text for f in held.findings if f.rule in ("duplicates", "set_aside", "row_number", "unique")}
    assert held.large is None and through.large is not None
    assert "sampled" in {f.rule for f in through.findings}
    return through


def test_a_table_that_is_read_through_shows_what_a_held_one_shows(tmp_path: Path):
    rows = [line(i) for i in range(ROWS)]
    rows[40] = rows[41]
    rows[300] = "1.5,oops,level 1,2024-01-01,,no"
    rows[450] = "1,2,3"
    through = require_same(write(tmp_path / "t.csv", rows))
    assert through.large is not None
    parts = list(through.large.parts(through.schema))
    assert len(parts) > 10 and sum(map(len, parts)) == len(through.whole) == ROWS - 2
    assert (np.concatenate([part.hashes for part in parts]) == through.whole.hashes).all()


def test_types_are_of_all_rows_and_not_of_the_first(tmp_path: Path):
    rows = [f"{i},{i % 5},no" if i < 300 else f"x{i % 7},{i % 5},yes" for i in range(ROWS)]
    through = require_same(write(tmp_path / "t.csv", rows, "a,b,y"))  # one class at first, and `a` looks like numbers
    assert through.schema["a"].type == "category"


def test_what_all_rows_refuse_is_refused(tmp_path: Path):
    rows = [line(i) for i in range(ROWS)]
    with pytest.raises(DataError, match="'no'"):
        collected(write(tmp_path / "one.csv", [row.replace("yes", "no") for row in rows]), "stream")
    asked = [row if i % 5 else "NA" + row[row.index(",") :] for i, row in enumerate(rows)]
    with pytest.raises(AskError, match="--missing 'NA'"):
        collected(write(tmp_path / "na.csv", asked), "stream")
    bad = [row if i % 5 else "1,2" for i, row in enumerate(rows)]
    with pytest.raises(DataError, match="--max-set-aside"):
        collected(write(tmp_path / "short.csv", bad), "stream")


def test_the_sample_is_the_same_rows_in_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(large, "SAMPLE_ROWS", 200)
    rows = [line(i) for i in range(ROWS)]
    first = collected(write(tmp_path / "a.csv", rows), "stream")
    second = collected(write(tmp_path / "b.csv", rows[::-1]), "stream")
    ours, theirs = set(first.whole.hashes.tolist()), set(second.whole.hashes.tolist())
    assert 120 < len(ours) < 280 and len(ours ^ theirs) < 0.1 * len(ours)  # the number of rows is a guess of each file
    assert first.rows_in == ROWS and first.large is not None and first.large.kept == ROWS


def test_only_what_does_not_fit_is_read_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write(tmp_path / "t.csv", [line(i) for i in range(ROWS)])
    assert fits_memory(path.stat().st_size) and collected(path, "auto").large is None
    monkeypatch.setattr(large, "fits_memory", lambda num_bytes: False)
    assert collected(path, "auto").large is not None
    assert collected(path, "hold").large is None
    assert large.large_table(Table(path=str(path), test=str(path))) is None


def test_a_column_of_very_many_texts_is_counted_and_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(survey, "CELLS_HELD", 50)
    rows = [f"key {i},{i % 40},{['no', 'yes'][i % 2]}" for i in range(ROWS)]
    through = collected(write(tmp_path / "t.csv", rows, "key,n,y"), "stream")
    assert (through.schema["key"].role, through.schema["key"].type) == ("ignore", "category")
    assert through.whole.columns["key"][7] == "key 7"
