"""Stored rows: prepared tensors of more rows than memory holds, written part by part, and batches of them.

Letters: N rows, B of a batch, F the width of a tensor.
"""

import hashlib
import json
import os
import random
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from deepwright.core.disk import disk_error, sha256_file, sync_folder, write_atomic
from deepwright.core.errors import DataError, ResourceError

if TYPE_CHECKING:
    import torch

FORMAT = 1
MANIFEST = "rows.json"
BLOCK_ROWS = 16_384
"""Rows that lie side by side on the disk are read together."""

POOL_BLOCKS = 32
"""Blocks from all over the table whose rows are shuffled together."""

TARGET = "target"


@dataclass(frozen=True, eq=False)
class StoredRows:
    """Open tensors [N, F] in the order of a network's inputs, and the target [N, ...]; on disk until touched."""

    folder: Path
    inputs: Mapping[str, np.ndarray]
    target: np.ndarray
    digest: str

    def __len__(self) -> int:
        return len(self.target)

    def batches(self, batch_size: int) -> "StoredBatches":
        return StoredBatches(self, batch_size)


class StoredBatches:
    """Batches of all rows for training: every epoch has its own order, a function of (seed, epoch).

    Blocks of rows are drawn from all over the table and shuffled together, so that memory holds some blocks at a time
    and the disk reads each once. A last row of a pool that would stand alone joins the batch before it.
    """

    def __init__(self, rows: StoredRows, batch_size: int) -> None:
        self.rows, self.batch_size = rows, batch_size
        pool = BLOCK_ROWS * POOL_BLOCKS
        self._pools = [min(pool, len(rows) - start) for start in range(0, len(rows), pool)]

    def __len__(self) -> int:
        return sum(len(self._firsts(size)) for size in self._pools)

    def __iter__(self) -> "Iterator[tuple[torch.Tensor, ...]]":
        return self.epoch(seed=random.getrandbits(63), epoch=0)

    def epoch(self, *, seed: int, epoch: int, start: int = 0) -> "Iterator[tuple[torch.Tensor, ...]]":
        """(inputs..., target) of each batch [B] from number `start` on."""
        import torch

        name = f"{seed} stored {epoch}".encode()
        draw = np.random.Generator(np.random.Philox(key=int.from_bytes(hashlib.blake2b(name, digest_size=8).digest())))
        full, tail = divmod(len(self.rows), BLOCK_ROWS)
        blocks = [*draw.permutation(full).tolist(), *([full] if tail else [])]  # the short one stays last
        arrays = [*self.rows.inputs.values(), self.rows.target]
        for number, size in enumerate(self._pools):
            here = blocks[number * POOL_BLOCKS : (number + 1) * POOL_BLOCKS]
            order = draw.permutation(size)
            firsts = self._firsts(size)
            if start >= len(firsts):
                start -= len(firsts)
                continue
            pool = [np.concatenate([a[b * BLOCK_ROWS : (b + 1) * BLOCK_ROWS] for b in here])[order] for a in arrays]
            for low, high in zip(firsts[start:], [*firsts[start + 1 :], size], strict=True):
                yield tuple(torch.from_numpy(array[low:high]) for array in pool)
            start = 0

    def fingerprint(self) -> str:
        """Of every byte of the tensors, and the batches' size."""
        return hashlib.sha256(f"{self.rows.digest} {self.batch_size}".encode()).hexdigest()

    def _firsts(self, size: int) -> list[int]:
        firsts = list(range(0, size, self.batch_size))
        if len(firsts) > 1 and self.batch_size > 1 and size - firsts[-1] == 1:
            firsts.pop()
        return firsts


def store_rows(
    parts: Iterable[tuple[Mapping[str, np.ndarray], np.ndarray]], folder: Path, *, num_rows: int
) -> StoredRows:
    """Write (tensors [n, F] by name, target [n, ...]) of all parts below a new folder, or open what stands there whole.

    num_rows: about how many there will be, so that a disk that is too small is told at once. The folder appears when
    everything is written. Raises ResourceError (disk), DataError (no rows; a folder whose bytes were changed).
    """
    if folder.exists():
        return open_rows(folder)
    part = folder.with_name(f".{folder.name}.part")
    files: dict[str, IO[bytes]] = {}
    digests, shapes = {}, {}
    rows = size = 0
    try:
        if part.exists():
            shutil.rmtree(part)  # what a killed process left
        part.mkdir(parents=True)
        with ExitStack() as opened:
            for tensors, target in parts:
                for name, array in {**tensors, TARGET: target}.items():
                    if name not in files:
                        files[name] = opened.enter_context((part / f"{len(files)}.bin").open("wb"))
                        digests[name], shapes[name] = hashlib.sha256(), (array.dtype.str, list(array.shape[1:]))
                    content = np.ascontiguousarray(array).tobytes()
                    digests[name].update(content)
                    files[name].write(content)
                    size += len(content)
                if not rows:
                    _require_disk(part, size * num_rows // max(len(target), 1))
                rows += len(target)
            if not rows:
                raise DataError("stored.none")
            for file in files.values():
                file.flush()
                os.fsync(file.fileno())
        arrays = [
            {"name": name, "file": f"{place}.bin", "type": shapes[name][0], "shape": shapes[name][1],
             "sha256": digests[name].hexdigest()}
            for place, name in enumerate(files)
        ]  # fmt: skip
        write_atomic(part / MANIFEST, json.dumps({"format": FORMAT, "rows": rows, "arrays": arrays}).encode())
        part.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise disk_error(folder, size, error) from None
    return open_rows(folder, checked=True)


def open_rows(folder: Path, *, checked: bool = False) -> StoredRows:
    """The tensors in a folder, after checking every byte unless that was just done. Raises DataError where one
    differs."""
    manifest = (folder / MANIFEST).read_bytes()
    body = json.loads(manifest)
    arrays: dict[str, np.ndarray] = {}
    for entry in body["arrays"]:
        path = folder / entry["file"]
        if not checked and sha256_file(path) != entry["sha256"]:
            raise DataError("stored.damaged", path=path)
        arrays[entry["name"]] = np.memmap(path, entry["type"], "r", shape=(body["rows"], *entry["shape"]))
    target = arrays.pop(TARGET)
    return StoredRows(folder, arrays, target, hashlib.sha256(manifest).hexdigest())


def _require_disk(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise ResourceError("disk.full", path=folder, wanted=wanted, free=free)
