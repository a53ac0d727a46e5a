"""Plain pieces: read by columns or row by row, every cell, every row set aside and every refusal is the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepwright.core.errors import PracticeError
from deepwright.data import pieces, plain
from deepwright.data.cells import canonical, kind_of
from deepwright.data.distinct import Distinct
from deepwright.data.numbers import Numbers, canonical_texts
from deepwright.data.raw import Raw
from deepwright.data.read import read
from deepwright.data.table import Table
from tests.faults.tables import ROWS, TABLES

FAST = {"read": 0, "left": 0}
"""Pieces that were plain, and those that were not."""


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some hundred bytes have many pieces, and every column of numbers is kept as numbers."""
    monkeypatch.setattr(pieces, "PIECE", 256)
    monkeypatch.setattr(pieces, "SMALL_PIECE", 64)
    monkeypatch.setattr(plain, "FEW_CELLS", 0)


def read_both(path: Path, content: bytes, **options: Any) -> tuple[Any, Any]:
    """The file read with plain pieces by columns, and wholly row by row: rows, or the sentence of a refusal."""
    path.write_bytes(content)
    able, found = plain.PlainReader.read, []

    def counted(self: plain.PlainReader, piece: bytes) -> Any:
        columns = able(self, piece)
        FAST["left" if columns is None else "read"] += 1
        return columns

    for reader in (counted, lambda *_: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(plain.PlainReader, "read", reader)
            try:
                found.append(read(path, Table(path=str(path), **options)))
            except PracticeError as error:
                found.append(str(error))
    return found[0], found[1]


def require_same(fast: Any, slow: Any) -> None:
    if isinstance(fast, str) or isinstance(slow, str):
        assert fast == slow
        return
    assert isinstance(fast, Raw) and isinstance(slow, Raw)
    assert fast.names == slow.names
    assert fast.origin.tolist() == slow.origin.tolist()
    for name in fast.names:
        assert fast.cells[name].tolist() == slow.cells[name].tolist(), name
    assert {e.reason: (e.count, e.rows) for e in fast.set_aside} == {
        e.reason: (e.count, e.rows) for e in slow.set_aside
    }
    assert fast.tidied == slow.tidied
    assert {f.text for f in fast.findings} == {f.text for f in slow.findings}
    assert (fast.rows_in, fast.sha256) == (slow.rows_in, slow.sha256)


@pytest.mark.parametrize("case", [c for c in TABLES if c.outcome != "LIMIT"], ids=lambda case: case.id)
def test_every_fault_of_tables_is_read_alike(case: Any, tmp_path: Path):
    require_same(*read_both(tmp_path / case.name, case.content(ROWS)))


CELLS = st.one_of(
    st.from_regex(r"-?(0|[1-9]\d{0,14})(\.\d{1,6})?", fullmatch=True),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["", " ", "NA", "?", "00501", "+5", ".5", "5.", "1e400", "1e-400", "0x1F", "1,5", "\uff11\uff12", "1_000", "-",
         "--1", "1-2", "1.2.3", "inf", "9007199254740993", "123456789012345.123", "-0", "-0.0", "0.10", " 7 ", "7\t",
         '"q"', '"a,b"', '"a""b"', '"a\nb"', '5" pipe', ' "x"', '"open', "e\u0301", "\u200b3", "x\0", "\x1a", "a", "\\"]
    ),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=40),
    odd=st.lists(
        st.tuples(st.integers(0, 39), st.sampled_from(["", "a,b", "1,2,3,4", "a,b,c", "  ", "\r"])), max_size=2
    ),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    is_cut=st.booleans(),
)
def test_any_cells_are_read_alike(tmp_path_factory, rows, odd, end, is_cut):
    lines = ["a,b,c", *["1.5,x,2"] * 4, *(",".join(row) for row in rows)]
    for place, line in odd:
        lines.insert(5 + place, line)
    content = (end.join(lines) + ("" if is_cut else end)).encode("utf-8", "surrogatepass")
    fast, slow = read_both(tmp_path_factory.mktemp("both") / "t.csv", content)
    require_same(fast, slow)


def numbers_of(*cells: str | None) -> Numbers:
    return Numbers.of_cells(Distinct(np.array(cells, dtype=object)))


def test_most_of_a_usual_file_is_read_by_columns(tmp_path: Path):
    FAST.update(read=0, left=0)
    rows = "".join(f'{i},{i / 7!r},{i % 50 / 10:.2f},"level {i % 5}",{"" if i % 9 else i}\n' for i in range(400))
    fast, slow = read_both(tmp_path / "t.csv", ("i,x,price,level,gap\n" + rows).encode())
    require_same(fast, slow)
    assert FAST["read"] > 9 * FAST["left"] > 0 or FAST["left"] == 0
    assert isinstance(fast.column("x"), Numbers) and isinstance(fast.column("price"), Numbers)
    assert fast.cells["price"][3] == "0.30" and fast.cells["x"][1] == repr(1 / 7)


@settings(max_examples=100, deadline=None)
@given(cells=st.lists(CELLS.map(str.strip).filter(bool), min_size=1, max_size=20))
def test_numbers_give_every_text_and_its_canonical_form_back(cells):
    column = numbers_of(*cells)
    assert column.cells().tolist() == cells
    texts = canonical_texts(column)
    for place, cell in enumerate(cells):
        if column.decimals[place] >= 0:
            assert texts[place] == canonical(cell, kind_of(cell))
            assert column.values[place] == float(cell)
            assert kind_of(cell) == ("whole" if column.decimals[place] == 0 else "decimal")


def test_rows_of_numbers_are_taken_with_their_other_cells():
    column = numbers_of("1", "x", "2.50", None, "x", "3")
    rows = np.array([False, True, True, True, False, True])
    assert column.take(rows).cells().tolist() == ["x", "2.50", None, "3"]
    assert column.take(np.array([5, 4, 0])).cells().tolist() == ["3", "x", "1"]
    assert column.take(slice(2, 5)).cells().tolist() == ["2.50", None, "x"]
    assert column.num_distinct() == 3


WRONG = {
    "a quote in a field": ("_encloses_fields", lambda *_: True, b"a,b\n" + b"1,2\n" * 40 + b'"x""y",2\n'),
    "a blank line": ("_has_blank_line", lambda *_: False, b"a,b\n" + b"1,2\n" * 40 + b"\n" + b",2\n" * 40),
}


@pytest.mark.parametrize("name", WRONG)
def test_without_its_proof_a_piece_is_read_wrongly(name: str, tmp_path: Path, monkeypatch):
    attribute, nothing, content = WRONG[name]
    require_same(*read_both(tmp_path / "t.csv", content))
    monkeypatch.setattr(plain, attribute, nothing)
    with pytest.raises(AssertionError):
        require_same(*read_both(tmp_path / "t.csv", content))
