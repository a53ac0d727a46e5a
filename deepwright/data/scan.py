"""Scan: what must be known of a text before its first row is read: its size, its encoding and how it ends."""

from dataclasses import dataclass

from deepwright.data.encoding import find_encoding_of
from deepwright.data.pieces import Text


@dataclass(frozen=True)
class Scanned:
    """is_cut: the text does not end in a line break."""

    num_bytes: int
    encoding: str
    is_cut: bool


def scan(text: Text, encoding: str | None) -> Scanned:
    """Raises DataError for a text that is not of the encoding asked for or unpacks too far, AskError for one of an
    unknown encoding."""
    found = find_encoding_of(text.pieces, text.path, encoding)
    num_bytes, tail = text.ending()
    return Scanned(num_bytes, found, not tail.rstrip(b"\0").endswith((b"\n", b"\r")))
