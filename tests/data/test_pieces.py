"""Pieces: cut where lines end, nothing lost; and what is known of a text before its rows are read."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deepwright.core.errors import AskError, DataError
from deepwright.data import pieces
from deepwright.data.pieces import Pieces, Text, halves, line_end
from deepwright.data.scan import scan


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 64)
    monkeypatch.setattr(pieces, "SMALL_PIECE", 16)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("last", [b"", b"torn"])
def test_pieces_end_where_lines_end_and_are_the_whole_text(end: bytes, last: bytes):
    content = end.join(b"%d,%d" % (i, i * i) for i in range(60)) + end + last
    found = list(Text(Path("t"), content).pieces())
    assert b"".join(found) == content
    assert len(found) > 5 and all(piece.endswith(end) for piece in found[:-1])
    if last:
        assert found[-1].endswith(last) and len(found[-1]) > len(last)  # rows before it show what is torn


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pieces, "LINE_LIMIT", 200)
    with pytest.raises(DataError, match="200"):
        list(Text(Path("t"), b"x" * 1000).pieces())


def test_a_return_at_the_end_may_be_half_of_a_line_end():
    assert (line_end(b"a\rb\r"), line_end(b"a\r"), line_end(b"a\nb"), line_end(b"ab")) == (2, 0, 2, 0)
    assert halves(b"a\nb\nc\nd\n") == [b"a\nb\n", b"c\nd\n"]
    assert halves(b"one line\n") == [b"one line\n"]


def test_work_goes_on_ahead_while_it_succeeds():
    seen: list[bytes] = []

    def work(piece: bytes) -> str | None:
        seen.append(piece)
        return None if piece.startswith(b"odd") else piece.decode()

    with ThreadPoolExecutor(1) as threads:
        given = Pieces(iter([b"a", b"odd b", b"c", b"d"]), work, threads)
        assert given.worked() == (b"a", "a")
        assert given.worked() == (b"odd b", None)
        given.push([b"odd", b"b"])
        assert (given.take(), given.take(), given.take()) == (b"odd", b"b", b"c")
        assert given.worked() == (b"d", "d") and given.is_at_end and given.worked() is None


def text(path: Path, content: bytes) -> Text:
    path.write_bytes(content)
    return Text(path)


def test_the_encoding_is_of_the_whole_text(tmp_path: Path):
    lines = b"".join(b"%d,plain\n" % i for i in range(100))
    assert scan(text(tmp_path / "a", lines), None).encoding == "utf-8"
    accented = lines + "é\n".encode() * 3 + b"\xe9\n"
    assert scan(text(tmp_path / "b", accented), None).encoding == "utf-8"  # the one line is set aside later
    with pytest.raises(AskError, match=r"101.*cp1252"):
        scan(text(tmp_path / "c", lines + b"caf\xe9\n"), None)
    with pytest.raises(DataError, match=f"{len(lines) + 3}"):
        scan(text(tmp_path / "d", lines + b"caf\xe9\n"), "utf-8")
    assert scan(text(tmp_path / "e", b"\xef\xbb\xbf" + lines), None).encoding == "utf-8-sig"


def test_the_end_of_the_text_is_seen(tmp_path: Path):
    lines = b"1,2\n" * 100
    packed = scan(text(tmp_path / "t.gz", gzip.compress(lines)), None)
    assert (packed.num_bytes, packed.is_cut) == (400, False)
    assert scan(text(tmp_path / "a", lines + b"3,"), None).is_cut
    assert not scan(text(tmp_path / "b", lines + bytes(50)), None).is_cut  # a torn tail of zeros is told elsewhere
    marked = scan(text(tmp_path / "c", "a,b\n1,2\n".encode("utf-16") * 20), None)  # known by its first bytes
    assert (marked.encoding, marked.num_bytes, marked.is_cut) == ("utf-16", 360, False)
