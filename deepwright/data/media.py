"""Media: what a reference in a cell stands for, as bytes; images and series stay references until a step decodes them.

A reference is text:

    photos/ants/1.jpg                   a file
    photos.zip!ants/1.jpg               a member of a zip or tar archive
    train.parquet#image#17              a row (from 0) of a column of a Parquet file
    digits.npz#x_train#17               an image of an array; `images-idx3-ubyte.gz##17` where the file has one array

`%`, `!` and `#` in names, control characters and bytes that are no text stand as `%` and two hex digits.
"""

import os
import re
import stat
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.errors import DataError, ResourceError
from deepwright.data.archive import Archive, open_archive

MAX_BYTES = 256 * 2**20
_MARKED = re.compile(r"[%!#\x00-\x1f\x7f\ud800-\udfff]")
_ESCAPE = re.compile(rb"%([0-9A-F]{2})")


def escaped(name: str) -> str:
    """A name as it stands in a reference.

    >>> escaped("a#1 100%.jpg")
    'a%231 100%25.jpg'
    """
    return _MARKED.sub(lambda found: "".join(f"%{byte:02X}" for byte in os.fsencode(found[0])), name)


def unescaped(name: str) -> str:
    """The name that stands in a reference. Raises DataError for a `%` that escapes nothing."""
    plain = os.fsencode(name)
    if plain.count(b"%") != len(_ESCAPE.findall(plain)):
        raise DataError("media.bad_reference", found=name)
    return os.fsdecode(_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), plain))


def member_reference(archive: Path, name: str) -> str:
    return f"{escaped(str(archive))}!{escaped(name)}"


def row_reference(path: Path, key: str, row: int) -> str:
    """key: the column or the array of the file; empty where it has one."""
    return f"{escaped(str(path))}#{escaped(key)}#{row}"


def read_bytes(reference: str) -> bytes:
    """What one reference stands for. For many, a `Media` keeps archives and tables open."""
    with Media() as media:
        return media.read(reference)


class Media:
    """Reads references, and keeps what they point into open: one archive, one row group, one file's arrays."""

    def __init__(self) -> None:
        self._archive: Archive | None = None
        self._rows: tuple[Path, str, int, int, Any] | None = None
        self._array: tuple[Path, str, np.ndarray] | None = None

    def __enter__(self) -> "Media":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()
        self._archive = self._rows = self._array = None

    def read(self, reference: str) -> bytes:
        """The bytes of a file, a member or a value; a row of an array as a PNM or PNG image.

        Raises DataError for what is not there, no regular file or above 256 MiB.
        """
        file, mark, member = reference.partition("!")
        if mark:
            return self._member(Path(unescaped(file)), unescaped(member))
        pieces = reference.split("#")
        if len(pieces) == 1:
            return read_regular(unescaped(reference))
        if len(pieces) != 3 or not pieces[2].isdecimal():
            raise DataError("media.bad_reference", found=reference)
        path, key, row = Path(unescaped(pieces[0])), unescaped(pieces[1]), int(pieces[2])
        value = self._value(path, key, row) if path.suffix.lower() == ".parquet" else self._image(path, key, row)
        if value is None:
            raise DataError("media.no_row", found=reference)
        return value

    def _member(self, path: Path, name: str) -> bytes:
        if self._archive is None or self._archive.path != path:
            self.close()
            self._archive = open_archive(path)
        return self._archive.read(name)

    def _value(self, path: Path, column: str, row: int) -> bytes:
        if self._rows is None or self._rows[:2] != (path, column) or not self._rows[2] <= row < self._rows[3]:
            self._rows = None
            self._rows = (path, column, *_row_group(path, column, row))
        low, values = self._rows[2], self._rows[4]
        return values[row - low].as_py() or b""

    def _image(self, path: Path, key: str, row: int) -> bytes | None:
        from deepwright.data.image_arrays import encoded_row, image_array

        if self._array is None or self._array[:2] != (path, key):
            self._array = None
            self._array = (path, key, image_array(path, key))
        array = self._array[2]
        return encoded_row(array[row]) if row < len(array) else None


def read_regular(path: str) -> bytes:
    """A file's bytes. Raises DataError for what is no regular file: a pipe would hang, a device never ends."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as file:  # noqa: PTH123 - a handle has no path
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise DataError("images.not_regular", path=path)
            if found.st_size > MAX_BYTES:
                raise DataError("images.too_many_bytes", found=found.st_size, limit=MAX_BYTES)
            return file.read()
    except IsADirectoryError:
        raise DataError("images.not_regular", path=path) from None
    except (OSError, ValueError) as error:
        raise DataError("images.unreadable", path=path, why=getattr(error, "strerror", None) or str(error)) from None


def _row_group(path: Path, column: str, row: int) -> tuple[int, int, Any]:
    """First and last-plus-one row of the group that holds a row, and the group's values of one binary column."""
    import psutil
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            low = 0
            for number in range(file.metadata.num_row_groups):
                group = file.metadata.row_group(number)
                if row < low + group.num_rows:
                    break
                low += group.num_rows
            else:
                raise DataError("media.no_row", found=row_reference(path, column, row))
            size = sum(group.column(i).total_uncompressed_size for i in range(group.num_columns))
            free = psutil.virtual_memory().available
            if size > free:
                raise ResourceError("file.memory", path=path, free=free >> 20, wanted=size >> 20)
            values = file.read_row_group(number, columns=[column]).column(0)
            while pa.types.is_struct(values.type):  # `image.bytes`: one field of a structure
                values = values.combine_chunks().field(0)
            return low, low + group.num_rows, values
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError("parquet.broken", path=path, why=str(error).splitlines()[0]) from None
