"""What a file is by its first bytes; only regular files of known formats are opened."""

import codecs
import gzip
import stat
import zlib
from pathlib import Path
from typing import BinaryIO, Literal

from deepwright.core.errors import DataError, ResourceError, did_you_mean
from deepwright.data.encoding import silent_utf16

Format = Literal["delimited", "parquet", "jsonl", "json"]

HEAD_BYTES = 1 << 16
EXPANSION_LIMIT = 200
EXPANSION_FREE_BYTES = 1 << 26
MEMORY_FACTOR = 20
"""Bytes of memory that one byte of text takes while it is read: 20 measured for different numbers, 8 for Adult."""

GZIP = b"\x1f\x8b"
FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "git-LFS"),
    (b"/annex/objects", "git-annex"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP (.xlsx, .npz)"),
    (b"\xd0\xcf\x11\xe0", "MS Office (.xls)"),
    (b"\x93NUMPY", "NumPy (.npy)"),
    (b"SQLite format 3", "SQLite"),
    (b"\x80\x02", "Python pickle"),
    (b"\x80\x03", "Python pickle"),
    (b"\x80\x04", "Python pickle"),
    (b"\x80\x05", "Python pickle"),
    (b"BZh", "bzip2"),
    (GZIP, "gzip (within gzip)"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x7fELF", "ELF"),
    (b"ARROW1", "Arrow IPC"),
    (b"\x89HDF", "HDF5"),
)
MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<svg", b"<!--", b"<body", b"<title", b"<meta", b"<table")
BINARY_SHARE = 0.05
"""Share of control characters that no text of any encoding but UTF-16 and UTF-32 has."""
CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))


def regular_file(path: str | Path) -> Path:
    """The path, if a regular file is there: no folder, no pipe, no device, so that nothing can hang.

    Raises DataError when it is missing (with a near name), or is something else.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        near = [str(path.with_name(p.name)) for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError("file.missing", path=path, hint=did_you_mean(str(path), near)) from None
    except (OSError, ValueError) as error:
        raise DataError("file.unreadable", path=repr(str(path)), why=error) from None
    if not stat.S_ISREG(mode):
        raise DataError("file.not_regular", path=path)
    return path


def open_plain(path: Path) -> BinaryIO:
    """The file's bytes as a stream, gunzipped when its first bytes say gzip, whatever its name says."""
    try:
        return gzip.open(path) if is_gzip(path) else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise DataError("file.unreadable", path=repr(str(path)), why=error) from None


def read_head(path: Path, size: int = HEAD_BYTES) -> bytes:
    """The first bytes of the file, gunzipped."""
    with open_plain(path) as stream:
        return guarded_read(stream, size, path)


def fits_memory(num_bytes: int) -> bool:
    """Whether the rows of a text of so many bytes can be held in memory."""
    import psutil

    return num_bytes * MEMORY_FACTOR <= psutil.virtual_memory().available


def require_memory(path: Path, num_bytes: int) -> None:
    """Raises ResourceError when a text of so many bytes cannot be held in memory while it is read."""
    import psutil

    free, wanted = psutil.virtual_memory().available, num_bytes * MEMORY_FACTOR
    if wanted > free:
        raise ResourceError("file.memory", path=path, free=free >> 20, wanted=wanted >> 20)


def unpacked_limit(path: Path) -> int:
    """Bytes that an honest file of this size unpacks to, at most."""
    return max(path.stat().st_size * EXPANSION_LIMIT, EXPANSION_FREE_BYTES)


def format_of(head: bytes, path: Path) -> Format:
    """The format that the first bytes show. Raises DataError for an empty file and for formats that hold no table."""
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise DataError("file.empty", path=path)
    if head.startswith(b"PAR1"):
        return "parquet"
    for magic, what in FOREIGN:
        if head.startswith(magic):
            raise DataError("file.foreign", path=path, what=what)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:9].lower().startswith(MARKUP):
        raise DataError("file.markup", path=path, start=start[:40].decode("latin-1").split("\n")[0])
    if _is_binary(head):
        raise DataError("file.binary", path=path, start=head[:8].hex(" "))
    if start.startswith(b"{"):
        return "jsonl"
    if start.startswith(b"[") and start[1:].lstrip().startswith(b"{"):
        return "json"
    if start.startswith(b"[") and start[1:].lstrip().startswith(b"["):
        raise DataError("file.json_array", path=path)
    return "delimited"


def is_gzip(path: Path) -> bool:
    """Whether the file's first bytes say gzip."""
    with path.open("rb") as stream:
        return stream.read(2) == GZIP


def _is_binary(head: bytes) -> bool:
    """Whether the bytes are no text at all; a torn tail of zeros is, and so is what may be UTF-16 or UTF-32."""
    body = head.rstrip(b"\0")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return False
    return silent_utf16(head) is None and len(body) - len(body.translate(None, CONTROL)) > BINARY_SHARE * len(body)


def guarded_read(stream: BinaryIO, size: int, path: Path) -> bytes:
    """Bytes of an open file. Raises DataError where it cannot be read or unpacked."""
    try:
        return stream.read(size)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError("file.broken_gzip", path=path, why=error) from None
    except OSError as error:
        raise DataError("file.unreadable", path=repr(str(path)), why=error) from None
