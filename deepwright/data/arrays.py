"""Arrays: NumPy's .npy and .npz and the idx files of MNIST, their heads read before any value; nothing is unpickled."""

import gzip
import io
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from deepwright.core.errors import DataError, ResourceError, did_you_mean
from deepwright.data.archive import Archive, is_archive, open_archive
from deepwright.data.signature import EXPANSION_FREE_BYTES, EXPANSION_LIMIT, is_gzip, open_plain, regular_file

NPY = b"\x93NUMPY"
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""The third byte of an idx file; the fourth is the number of axes, and each axis is 4 bytes after it."""
MAX_IDX_AXES = 8
MAX_HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Head:
    """What an array is, before it is read."""

    shape: tuple[int, ...]
    dtype: np.dtype
    is_fortran: bool = False

    @property
    def num_bytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def is_array_file(path: Path) -> bool:
    """Whether the first bytes say .npy or idx (gzipped too), or a zip holds nothing but .npy members."""
    try:
        with open_plain(path) as stream:
            head = stream.read(8)
    except (OSError, EOFError, zlib.error):
        return False
    if head.startswith(NPY) or _is_idx(head):
        return True
    if not head.startswith(b"PK") or not is_archive(path):
        return False
    with open_archive(path) as archive:
        return bool(archive.names) and all(name.endswith(".npy") for name in archive.names)


def array_heads(path: Path) -> dict[str, Head]:
    """Name > head of every array in the file; .npy and idx hold one, whose name is empty.

    Raises DataError for a file that is broken, holds objects (a pickle) or is a bomb.
    """
    if not _is_npz(path):
        with open_plain(regular_file(path)) as stream:
            return {"": _head(_start(stream, path), path)[0]}
    with open_archive(path) as archive:
        return {name: _head(archive.read(member), f"{path}!{member}")[0] for name, member in _members(archive)}


def read_array(path: Path, name: str = "") -> np.ndarray:
    """One array in this machine's byte order, read-only; a plain .npy is mapped, not read.

    Raises DataError for a name that is not there and for what `array_heads` refuses, ResourceError when the array does
    not fit.
    """
    if _is_npz(path):
        with open_archive(path) as archive:
            members = dict(_members(archive))
            if name not in members:
                known = tuple(members)
                hint = did_you_mean(name, known)
                raise DataError("arrays.no_name", path=path, name=name, known=", ".join(known), hint=hint)
            return array_of(archive.read(members[name]), f"{path}!{members[name]}")
    if name:
        raise DataError("arrays.no_name", path=path, name=name, known="''", hint="")
    if is_gzip(path):
        return array_of(_unpacked(path), path)
    with path.open("rb") as stream:
        head, offset = _head(_start(stream, path), path)
    _require_size(path.stat().st_size - offset, head, path)
    order: Literal["C", "F"] = "F" if head.is_fortran else "C"
    if not head.num_bytes:
        return _native(np.zeros(head.shape, head.dtype))
    return _native(np.memmap(path, head.dtype, "r", offset, head.shape, order))


def array_of(data: bytes, where: object) -> np.ndarray:
    """The array that the bytes of a .npy or an idx file hold, read-only. where: the file, as errors name it."""
    head, offset = _head(data, where)
    _require_size(len(data) - offset, head, where)
    flat = np.frombuffer(data, head.dtype, prod(head.shape), offset)
    return _native(flat.reshape(head.shape, order="F" if head.is_fortran else "C"))


def _is_npz(path: Path) -> bool:
    with regular_file(path).open("rb") as stream:
        return stream.read(2) == b"PK"


def _members(archive: Archive) -> list[tuple[str, str]]:
    """Name of the array and name of its member."""
    for member in archive.names:
        if not member.endswith(".npy"):
            raise DataError("arrays.foreign_member", path=archive.path, name=member)
    return [(member.removesuffix(".npy"), member) for member in archive.names]


def _is_idx(start: bytes) -> bool:
    return len(start) > 3 and start[:2] == b"\0\0" and start[2] in IDX_TYPES and 1 <= start[3] <= MAX_IDX_AXES


def _start(stream: BinaryIO, where: object) -> bytes:
    try:
        return stream.read(MAX_HEAD_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError("file.broken_gzip", path=where, why=error) from None


def _head(start: bytes, where: object) -> tuple[Head, int]:
    """The head and where the values begin."""
    if _is_idx(start):
        end = 4 + 4 * start[3]
        if len(start) < end:
            raise DataError("arrays.broken", path=where, why=f"{len(start)} < {end}")
        shape = tuple(int(size) for size in np.frombuffer(start, ">u4", start[3], 4))
        return Head(shape, np.dtype(IDX_TYPES[start[2]])), end
    stream = io.BytesIO(start[:MAX_HEAD_BYTES])
    try:
        version = np.lib.format.read_magic(stream)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in readers:
            raise ValueError(f"version {version[0]}.{version[1]}")
        shape, is_fortran, dtype = readers[version](stream)
    except (ValueError, EOFError) as error:
        raise DataError("arrays.broken", path=where, why=str(error).splitlines()[0]) from None
    if dtype.hasobject:
        raise DataError("arrays.pickle", path=where)
    if dtype.kind not in "biufUM":
        raise DataError("arrays.dtype", path=where, found=dtype)
    if any(size < 0 for size in shape):
        raise DataError("arrays.broken", path=where, why=f"shape {shape}")
    return Head(shape, dtype, is_fortran), stream.tell()


def _require_size(found: int, head: Head, where: object) -> None:
    if found != head.num_bytes:
        why = f"{head.shape} {head.dtype} = {head.num_bytes} bytes, found {found}"
        raise DataError("arrays.broken", path=where, why=why)


def _unpacked(path: Path) -> bytes:
    """A gzipped file's bytes: as many as its own head says, within what an honest gzip expands to and what is free."""
    import psutil

    packed = path.stat().st_size
    with open_plain(path) as stream:
        start = _start(stream, path)
        head, offset = _head(start, path)
        wanted = offset + head.num_bytes
        limit = max(packed * EXPANSION_LIMIT, EXPANSION_FREE_BYTES)
        if wanted > limit:
            raise DataError("file.expands", path=path, packed=packed, limit=limit)
        free = psutil.virtual_memory().available
        if wanted > free:
            raise ResourceError("file.memory", path=path, free=free >> 20, wanted=wanted >> 20)
        try:
            return start + stream.read(max(wanted - len(start), 0) + 1)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError("file.broken_gzip", path=path, why=error) from None


def _native(array: np.ndarray) -> np.ndarray:
    array = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    array.flags.writeable = False
    return array
