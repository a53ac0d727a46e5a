"""Read: a file's rows as cells, at once or in chunks; the format is what the first bytes show."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from deepwright.core.report import finding
from deepwright.data.arrow import read_parquet
from deepwright.data.delimited import find_layout, read_delimited
from deepwright.data.encoding import does_not_fit, errors_of, find_encoding
from deepwright.data.jsonlines import read_jsonl
from deepwright.data.raw import Raw, merge
from deepwright.data.signature import Format, format_of, is_gzip, open_plain, read_head, read_plain, regular_file
from deepwright.data.table import Table

CHUNK_ROWS = 20_000
HEAD_BYTES = 1 << 20
"""How much of a file shows its encoding, its separator and its header."""


def read(path: str | Path, source: Table) -> Raw:
    """Every row of a file: delimited text, Parquet or JSON Lines, gunzipped if need be.

    Raises DataError for what is no table, AskError for what can be read in two ways.
    """
    path = regular_file(path)
    head = read_head(path, HEAD_BYTES)
    format_ = format_of(head, path)
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if format_ == "parquet":
        (raw,) = read_parquet(path, source, chunk=None, sha256=sha256)
        return raw
    raw = read_content(read_plain(path), path, source, sha256=sha256)
    if is_gzip(path) and path.suffix.lower() not in (".gz", ".gzip"):
        return replace(raw, notes=(finding("unpacked", "note", str(path)), *raw.notes))
    return raw


def read_content(data: bytes, path: Path, source: Table, *, sha256: str) -> Raw:
    """Every row of a table's bytes (a member of an archive, say). path: what errors call it; it is not opened."""
    head = data[:HEAD_BYTES]
    format_ = format_of(head, path)
    if format_ == "parquet":
        (raw,) = read_parquet(path, source, chunk=None, sha256=sha256, content=data)
        return raw
    encoding = find_encoding(data, path, source.encoding, is_whole=True)
    is_cut = not data.rstrip(b"\0").endswith((b"\n", b"\r"))
    with io.BytesIO(data) as plain:
        raw = merge(_rows(plain, head, encoding, format_, path, source, CHUNK_ROWS, is_cut=is_cut, sha256=sha256))
    if source.encoding is None and encoding.startswith(("utf-16", "utf-32")):
        return replace(raw, notes=(finding("encoding", "note", str(path), found=encoding), *raw.notes))
    return raw


def read_chunks(path: str | Path, source: Table, rows: int) -> Iterator[Raw]:
    """The rows of a file of any size, `rows` at a time, in constant memory; the start decides how all of it is read."""
    path = regular_file(path)
    head = read_head(path, HEAD_BYTES)
    format_ = format_of(head, path)
    if format_ == "parquet":
        yield from read_parquet(path, source, chunk=rows)
        return
    encoding = find_encoding(head, path, source.encoding, is_whole=len(head) < HEAD_BYTES)
    with open_plain(path) as plain:
        yield from _rows(plain, head, encoding, format_, path, source, rows)


def _rows(
    plain: BinaryIO,
    head: bytes,
    encoding: str,
    format_: Format,
    path: Path,
    source: Table,
    chunk: int,
    *,
    is_cut: bool = False,
    sha256: str = "",
) -> Iterator[Raw]:
    stream = io.TextIOWrapper(plain, encoding=encoding, errors=errors_of(encoding), newline="")
    try:
        if format_ == "jsonl":
            yield from read_jsonl(stream, path, source, chunk=chunk, sha256=sha256)
        else:
            is_whole = len(head) < HEAD_BYTES
            layout = find_layout(head.decode(encoding, "ignore"), path, source, is_whole=is_whole)
            yield from read_delimited(stream, layout, path, source, chunk=chunk, is_cut=is_cut, sha256=sha256)
    except UnicodeDecodeError as error:
        raise does_not_fit(path, encoding, error.start, bytes(error.object)) from None
    finally:
        stream.close()
