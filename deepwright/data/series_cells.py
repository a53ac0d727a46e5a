"""What a cell of series stands for: the values of one series, float64 [T, D], T as long as it is.

A cell is a reference, `GunPoint_TRAIN.ts#17` or `archive.zip!GunPoint/GunPoint_TRAIN.ts#17` (cases from 0; names are
escaped as in `media`), or the values themselves, `1.5,2,?` (dimensions separated by colons).
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from deepwright.core.errors import DataError
from deepwright.core.series import parse_series
from deepwright.core.text import text
from deepwright.data.archive import gunzipped, open_archive
from deepwright.data.media import escaped, unescaped
from deepwright.data.signature import regular_file
from deepwright.data.ts_file import TsFile, case_of, parse_ts


def case_reference(path: Path, member: str | None, number: int) -> str:
    """The reference of a case, from 0, of a file or of a member of an archive.

    >>> case_reference(Path("ucr.zip"), "GunPoint/GunPoint_TRAIN.ts", 3)
    'ucr.zip!GunPoint/GunPoint_TRAIN.ts#3'
    """
    file = escaped(str(path)) if member is None else f"{escaped(str(path))}!{escaped(member)}"
    return f"{file}#{number}"


def read_series(cell: str) -> np.ndarray:
    """The values of a cell: float64 [T, D], NaN where missing. The last files stay in memory.

    Raises DataError for a reference to nothing and for values that cannot be read.
    """
    file, mark, number = cell.rpartition("#")
    if not mark:
        return _inline(cell)
    if not number.isdecimal():
        raise DataError("media.bad_reference", found=cell)
    path, _, member = file.partition("!")
    place = regular_file(Path(unescaped(path)))
    found = place.stat()
    opened = _opened(place, unescaped(member) or None, found.st_mtime_ns, found.st_size)
    if int(number) >= len(opened.lines):
        raise DataError("media.no_row", found=cell)
    case = case_of(opened, int(number))
    if case.fault is not None:
        raise DataError("ts.bad_case", found=cell, why=case.fault)
    return case.values


def open_ts(path: Path, member: str | None) -> TsFile:
    """A .ts file, gunzipped if need be, or a member of an archive."""
    if member is None:
        return parse_ts(gunzipped(regular_file(path).read_bytes(), str(path)), str(path))
    with open_archive(path) as archive:
        return parse_ts(gunzipped(archive.read(member), member), f"{path}!{member}")


@lru_cache(maxsize=4)
def _opened(path: Path, member: str | None, changed_ns: int, size: int) -> TsFile:
    return open_ts(path, member)


def _inline(cell: str) -> np.ndarray:
    try:
        return parse_series(cell)
    except ValueError as error:
        raise DataError("ts.bad_case", found=cell[:60], why=text("aside.ts_value", found=error)) from None
