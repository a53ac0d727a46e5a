"""Series stored once: all of them end to end as float32 in one memory map, with int64 offsets, checked by hash.

A store stands under the address of what it was made of, so that equal data are prepared once.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepwright.core.disk import disk_error, sha256_file, sync_folder, write_atomic
from deepwright.core.errors import DataError, ResourceError
from deepwright.core.part import canonical_json
from deepwright.core.text import text

FORMAT = 1
VALUES, OFFSETS, MANIFEST = "values.f32", "offsets.i64", "series.json"
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
    part = folder.with_name(f".{folder.name}.part")
    if folder.exists():
        raise DataError("series.exists", path=folder)
    lengths: list[int] = []
    digest = hashlib.sha256()
    try:
        if part.exists():
            shutil.rmtree(part)  # what a killed process left
        part.mkdir(parents=True)
        with (part / VALUES).open("wb") as file:
            for number, one in enumerate(series):
                content = _checked(number, one, len(names)).tobytes()
                digest.update(content)
                file.write(content)
                lengths.append(len(one))
            file.flush()
            os.fsync(file.fileno())
        if not lengths:
            raise DataError("series.none")
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype("<i8").tobytes()
        body = {
            "format": FORMAT, "series": len(lengths), "moments": sum(lengths), "names": list(names),
            "values_sha256": digest.hexdigest(), "offsets_sha256": write_atomic(part / OFFSETS, offsets),
        }  # fmt: skip
        write_atomic(part / MANIFEST, _sealed(body))
        part.rename(folder)
        sync_folder(folder.parent)
    except (DataError, ResourceError):
        shutil.rmtree(part)
        raise
    except OSError as error:
        raise disk_error(folder, 4 * sum(lengths) * len(names), error) from None
    return open_series(folder)


def open_series(folder: str | Path) -> SeriesStore:
    """Open a store after checking the SHA-256 of both files. Raises DataError where a bit is not as it was written."""
    folder = Path(folder)
    try:
        raw = (folder / MANIFEST).read_bytes()
        body = json.loads(raw)
    except FileNotFoundError:
        raise DataError("series.no_store", path=folder) from None
    except ValueError:
        raise DataError("series.damaged", path=folder / MANIFEST) from None
    if not isinstance(body, dict) or body.pop("zz_sha256", None) is None or raw != _sealed(body):
        raise DataError("series.damaged", path=folder / MANIFEST)
    for name, digest in ((VALUES, body["values_sha256"]), (OFFSETS, body["offsets_sha256"])):
        if not (folder / name).is_file() or sha256_file(folder / name) != digest:
            raise DataError("series.damaged", path=folder / name)
    shape = (body["moments"], len(body["names"]))
    # A file of no bytes cannot be mapped.
    values = np.memmap(folder / VALUES, "<f4", "r", shape=shape) if body["moments"] else np.zeros(shape, "<f4")
    return SeriesStore(folder, values, np.fromfile(folder / OFFSETS, "<i8"), tuple(body["names"]))


def _checked(number: int, one: np.ndarray, dimensions: int) -> np.ndarray:
    """One series as little-endian float32 [T, D]."""
    found = np.asarray(one)
    if found.ndim != 2 or found.shape[1] != dimensions or found.dtype.kind not in "fiu":
        raise DataError("series.kind", number=number, found=f"{found.dtype} {found.shape}", due=dimensions)
    if np.isinf(found).any():
        raise DataError("series.infinite", number=number)
    return np.asarray(np.clip(found, -FLOAT32_MAX, FLOAT32_MAX), "<f4")


def _sealed(body: dict[str, object]) -> bytes:
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(plain.encode()).hexdigest()
    return (json.dumps({**body, "zz_sha256": digest}, sort_keys=True, separators=(",", ":")) + "\n").encode()
