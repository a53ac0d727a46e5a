"""Packed: pieces of different lengths end to end in one file, with their offsets, sealed by a manifest of hashes."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.disk import disk_error, sha256_file, sync_folder, write_atomic
from deepwright.core.errors import DataError, ResourceError

FORMAT = 1
OFFSETS = "offsets.i64"


def write_packed(pieces: Iterable[np.ndarray], folder: Path, *, file: str, manifest: str, **facts: Any) -> None:
    """Write arrays [n, ...], read one at a time, to a new folder; facts: further entries of its manifest.

    The folder appears when everything in it is written. A piece of length 0 is kept.
    Raises DataError (no pieces, a folder that exists, and what the pieces raise) and ResourceError (disk full); then
    nothing stays.
    """
    part = folder.with_name(f".{folder.name}.part")
    if folder.exists():
        raise DataError("packed.exists", path=folder)
    lengths: list[int] = []
    size = 0
    digest = hashlib.sha256()
    try:
        if part.exists():
            shutil.rmtree(part)  # what a killed process left
        part.mkdir(parents=True)
        with (part / file).open("wb") as stream:
            for piece in pieces:
                content = piece.tobytes()
                digest.update(content)
                stream.write(content)
                lengths.append(len(piece))
                size += len(content)
            stream.flush()
            os.fsync(stream.fileno())
        if not lengths:
            raise DataError("packed.none", path=folder)
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype("<i8").tobytes()
        body = {
            "format": FORMAT, "pieces": len(lengths), "rows": sum(lengths), "sha256": digest.hexdigest(),
            "offsets_sha256": write_atomic(part / OFFSETS, offsets), **facts,
        }  # fmt: skip
        write_atomic(part / manifest, _sealed(body))
        part.rename(folder)
        sync_folder(folder.parent)
    except (DataError, ResourceError):
        shutil.rmtree(part)
        raise
    except OSError as error:
        raise disk_error(folder, size, error) from None


def open_packed(folder: Path, *, file: str, manifest: str) -> tuple[dict[str, Any], np.ndarray]:
    """The manifest's entries and int64 [pieces + 1] offsets, after checking the SHA-256 of both files.

    Raises DataError where a bit is not as it was written, or nothing of the kind is there.
    """
    try:
        raw = (folder / manifest).read_bytes()
        body = json.loads(raw)
    except FileNotFoundError:
        raise DataError("packed.no_store", path=folder, manifest=manifest) from None
    except ValueError:
        raise DataError("packed.damaged", path=folder / manifest) from None
    if not isinstance(body, dict) or body.pop("zz_sha256", None) is None or raw != _sealed(body):
        raise DataError("packed.damaged", path=folder / manifest)
    for name, digest in ((file, body["sha256"]), (OFFSETS, body["offsets_sha256"])):
        if not (folder / name).is_file() or sha256_file(folder / name) != digest:
            raise DataError("packed.damaged", path=folder / name)
    return body, np.fromfile(folder / OFFSETS, "<i8")


def mapped(path: Path, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """A read-only map of a file; a file of no bytes, which cannot be mapped, is an empty array."""
    return np.memmap(path, dtype, "r", shape=shape) if np.prod(shape) else np.zeros(shape, dtype)


def _sealed(body: dict[str, Any]) -> bytes:
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(plain.encode()).hexdigest()
    return (json.dumps({**body, "zz_sha256": digest}, sort_keys=True, separators=(",", ":")) + "\n").encode()
