"""Read: a file's rows as cells, at once or in chunks; the format is what the first bytes show."""

import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from deepwright.core.report import finding
from deepwright.data.arrow import read_parquet
from deepwright.data.delimited import find_layout, read_delimited
from deepwright.data.encoding import does_not_fit, errors_of, find_encoding
from deepwright.data.jsonlines import elements, read_jsonl
from deepwright.data.pieces import PIECE, SMALL_PIECE, Text
from deepwright.data.plain import is_ascii_based
from deepwright.data.raw import Raw, merge
from deepwright.data.scan import scan
from deepwright.data.signature import Format, format_of, is_gzip, read_head, regular_file, require_memory
from deepwright.data.table import Table

CHUNK_ROWS = 20_000
HEAD_BYTES = 1 << 20
"""How much of a file shows its encoding, its separator and its header."""


def read(path: str | Path, source: Table) -> Raw:
    """Every row of a file: delimited text, Parquet, JSON Lines or an array of JSON objects, gunzipped if need be.

    Raises DataError for what is no table, AskError for what can be read in two ways.
    """
    path = regular_file(path)
    head = read_head(path, HEAD_BYTES)
    format_ = format_of(head, path)
    if format_ == "parquet":
        (raw,) = read_parquet(path, source, chunk=None, sha256=_sha256(path))
        return raw
    with ThreadPoolExecutor(1) as beside:
        sha256 = beside.submit(_sha256, path)
        raw = _read_text(Text(path), head, format_, source, "")
        raw = replace(raw, sha256=sha256.result())
    if is_gzip(path) and path.suffix.lower() not in (".gz", ".gzip"):
        return replace(raw, notes=(finding("unpacked", "note", str(path)), *raw.notes))
    return raw


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_content(data: bytes, path: Path, source: Table, *, sha256: str) -> Raw:
    """Every row of a table's bytes (a member of an archive, say). path: what errors call it; it is not opened."""
    head = data[:HEAD_BYTES]
    format_ = format_of(head, path)
    if format_ == "parquet":
        (raw,) = read_parquet(path, source, chunk=None, sha256=sha256, content=data)
        return raw
    return _read_text(Text(path, data), head, format_, source, sha256)


def read_chunks(path: str | Path, source: Table, rows: int) -> Iterator[Raw]:
    """The rows of a file of any size, `rows` of them at a time at most, in constant memory.

    The start of the file decides how all of it is read.
    """
    path = regular_file(path)
    head = read_head(path, HEAD_BYTES)
    format_ = format_of(head, path)
    if format_ == "parquet":
        yield from read_parquet(path, source, chunk=rows)
        return
    encoding = find_encoding(head, path, source.encoding, is_whole=len(head) < HEAD_BYTES)
    size = rows * len(head) * 9 // (max(head.count(b"\n"), 1) * 10)  # bytes of hardly more rows
    for raw in _chunks(Text(path, size=min(max(size, SMALL_PIECE), PIECE)), head, encoding, format_, source, rows):
        yield from _parts(raw, rows)


@dataclass(frozen=True)
class Opened:
    """A delimited text that is known well enough to be read any number of times. num_rows: about."""

    text: Text
    source: Table
    head: bytes
    encoding: str
    is_cut: bool
    sha256: str
    num_rows: int

    def chunks(self) -> Iterator[Raw]:
        """Its rows, in constant memory."""
        yield from _chunks(
            self.text, self.head, self.encoding, "delimited", self.source, CHUNK_ROWS,
            is_cut=self.is_cut, sha256=self.sha256,
        )  # fmt: skip


def open_text(path: Path, source: Table) -> Opened:
    """One pass over a delimited text for what must be known of all of it. Raises as `read` does."""
    head, text = read_head(path, HEAD_BYTES), Text(path)
    with ThreadPoolExecutor(1) as beside:
        sha256 = beside.submit(_sha256, path)
        found = scan(text, source.encoding)
        rows = found.num_bytes * max(head.count(b"\n"), 1) // max(len(head), 1)
        return Opened(text, source, head, found.encoding, found.is_cut, sha256.result(), rows)


def _parts(raw: Raw, rows: int) -> Iterator[Raw]:
    """The rows in parts; what was found while reading them comes with the first."""
    if len(raw) <= rows:
        yield raw
        return
    for start in range(0, len(raw), rows):
        part = raw.take(slice(start, start + rows))
        if start == 0:
            part = replace(part, set_aside=raw.set_aside, tidied=raw.tidied, notes=raw.notes)
        yield part


def _read_text(text: Text, head: bytes, format_: Format, source: Table, sha256: str) -> Raw:
    found = scan(text, source.encoding)
    require_memory(text.path, found.num_bytes)
    raw = merge(_chunks(text, head, found.encoding, format_, source, CHUNK_ROWS, is_cut=found.is_cut, sha256=sha256))
    if source.encoding is None and found.encoding.startswith(("utf-16", "utf-32")):
        return replace(raw, notes=(finding("encoding", "note", str(text.path), found=found.encoding), *raw.notes))
    return raw


def _chunks(
    text: Text,
    head: bytes,
    encoding: str,
    format_: Format,
    source: Table,
    chunk: int,
    *,
    is_cut: bool = False,
    sha256: str = "",
) -> Iterator[Raw]:
    try:
        if format_ in ("jsonl", "json"):
            with io.TextIOWrapper(text.open(), encoding=encoding, errors=errors_of(encoding), newline="") as lines:
                objects = elements(lines.read(), text.path) if format_ == "json" else lines
                yield from read_jsonl(objects, text.path, source, chunk=chunk, sha256=sha256)
            return
        layout = find_layout(head.decode(encoding, "ignore"), text.path, source, is_whole=len(head) < HEAD_BYTES)
        pieces, known = text.pieces, encoding
        if not is_ascii_based(encoding):
            pieces, known = partial(text.decoded, encoding), "utf-8"
        yield from read_delimited(
            pieces, layout, text.path, source, encoding=known, chunk=chunk, is_cut=is_cut, sha256=sha256
        )
    except UnicodeDecodeError as error:
        raise does_not_fit(text.path, encoding, error.start, bytes(error.object)) from None
