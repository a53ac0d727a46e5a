"""Scan: what must be known of a text before its first row is read: its size, its encoding and how it ends."""

from collections.abc import Iterator
from dataclasses import dataclass

from deepwright.data.encoding import find_encoding_of
from deepwright.data.pieces import TAIL_BYTES, Text


@dataclass(frozen=True)
class Scanned:
    """is_cut: the text does not end in a line break."""

    num_bytes: int
    encoding: str
    is_cut: bool


def scan(text: Text, encoding: str | None) -> Scanned:
    """Raises DataError for a text that is not of the encoding asked for or unpacks too far, AskError for one of an
    unknown encoding."""
    ending = _Ending(text)
    found = find_encoding_of(ending.pieces, text.path, encoding)
    if not ending.is_whole:  # the first bytes told
        for _ in ending.pieces():
            pass
    return Scanned(ending.num_bytes, found, not ending.tail.rstrip(b"\0").endswith((b"\n", b"\r")))


class _Ending:
    """How many bytes a text has and its last ones, seen while somebody reads it."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.num_bytes, self.tail, self.is_whole = 0, b"", False

    def pieces(self) -> Iterator[bytes]:
        self.num_bytes, self.tail, self.is_whole = 0, b"", False
        for piece in self.text.pieces():
            self.num_bytes += len(piece)
            self.tail = (self.tail + piece[-TAIL_BYTES:])[-TAIL_BYTES:]
            yield piece
        self.is_whole = True
