"""Series stored once: all of them end to end as float32 in one memory map, with int64 offsets, checked by hash.

A store stands under the address of what it was made of, so that equal data are prepared once.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepwright.core.errors import DataError, ResourceError
from deepwright.core.part import canonical_json
from deepwright.core.text import text
from deepwright.data.packed import FORMAT, mapped, open_packed, write_packed

VALUES, MANIFEST = "values.f32", "series.json"
FLOAT32_MAX = 3.0e38


@dataclass(frozen=True, eq=False)
class SeriesStore:
    """Open series; `len` of them.

    values: float32 [M, D], read-only, on disk until touched, NaN where missing. offsets: int64 [S + 1]; series s is
    values[offsets[s]:offsets[s + 1]]. names: of the D dimensions.
    """

    folder: Path
    values: np.ndarray
    offsets: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, number: int) -> np.ndarray:
        """One series: a view, float32 [T, D]. Raises IndexError."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self.values[self.offsets[number] : self.offsets[number + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """int64 [S]: moments of each series."""
        return np.diff(self.offsets)


def store_bytes(moments: int, dimensions: int, series: int) -> int:
    """What a store takes on disk.

    >>> store_bytes(moments=17420, dimensions=7, series=1)
    487776
    """
    return 4 * moments * dimensions + 8 * (series + 1)


def prepared_series(
    root: Path,
    made_of: object,
    *,
    lengths: Sequence[int] | np.ndarray,
    names: Sequence[str],
    make: Callable[[], Iterable[np.ndarray]],
    say: Callable[[str], None] = lambda _: None,
) -> SeriesStore:
    """The store of what `made_of` says (plain data: hashes of sources, options), from disk or made now.

    lengths: moments of each series, for the size that is said before anything is written; make: gives each [T, D].
    Raises ResourceError when the disk has not room, DataError when a store is there and was changed.
    """
    address = hashlib.sha256(canonical_json([FORMAT, made_of, list(names)]).encode()).hexdigest()
    folder = root / f"series-{address[:16]}"
    if folder.exists():
        return open_series(folder)
    wanted = store_bytes(int(np.sum(lengths)), len(names), len(lengths))
    root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free
    if wanted > free:
        raise ResourceError("disk.full", path=folder, wanted=wanted, free=free)
    say(text("series.writing", series=len(lengths), megabytes=f"{wanted / 2**20:.1f}", folder=folder))
    return write_series(make(), folder, names)


def write_series(series: Iterable[np.ndarray], folder: str | Path, names: Sequence[str]) -> SeriesStore:
    """Write series [T, D], read one at a time, to a new folder; gives the open store.

    The folder appears when everything in it is written. A series of no moments is kept, as one of length 0. Values
    beyond float32 are held at its bound.
    Raises DataError (no series, other dimensions, infinity, a folder that exists) and ResourceError (disk full).
    """
    folder = Path(folder)
    checked = (_checked(number, one, len(names)) for number, one in enumerate(series))
    write_packed(checked, folder, file=VALUES, manifest=MANIFEST, names=list(names))
    return open_series(folder)


def open_series(folder: str | Path) -> SeriesStore:
    """Open a store after checking the SHA-256 of both files. Raises DataError where a bit is not as it was written."""
    folder = Path(folder)
    body, offsets = open_packed(folder, file=VALUES, manifest=MANIFEST)
    values = mapped(folder / VALUES, "<f4", (body["rows"], len(body["names"])))
    return SeriesStore(folder, values, offsets, tuple(body["names"]))


def _checked(number: int, one: np.ndarray, dimensions: int) -> np.ndarray:
    """One series as little-endian float32 [T, D]."""
    found = np.asarray(one)
    if found.ndim != 2 or found.shape[1] != dimensions or found.dtype.kind not in "fiu":
        raise DataError("series.kind", number=number, found=f"{found.dtype} {found.shape}", due=dimensions)
    if np.isinf(found).any():
        raise DataError("series.infinite", number=number)
    return np.asarray(np.clip(found, -FLOAT32_MAX, FLOAT32_MAX), "<f4")
