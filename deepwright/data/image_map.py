"""Images decoded once: uint8 pixels in one memory map, checked by hash, cut into batches without a loop over images.

A map is a folder that `image_build.build` wrote: `pixels.npy`, uint8 [sources, H, W, C], and `map.json`, which says
what is in it. An image that was set aside has a row of zeros there, which no index of an ImageMap reaches.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.disk import write_atomic
from deepwright.core.errors import DataError
from deepwright.data.image_crop import cut, draw_crops

FORMAT = 1
PIXELS, MANIFEST = "pixels.npy", "map.json"
CHUNK_BYTES = 16 * 2**20


@dataclass(frozen=True)
class BadImage:
    """A source that was set aside. number: its place among the sources, from 0."""

    number: int
    reason: str


@dataclass(frozen=True, eq=False)
class ImageMap:
    """Open images; `len` of them.

    pixels: uint8 [sources, H, W, C], read-only, on disk until touched. origin: int64 [len], the number of each image
    among the sources, from 0: `labels[images.origin]` are the labels of what was kept. address: SHA-256 of the sources
    and of everything that was done to them; equal for equal maps.
    """

    folder: Path
    pixels: np.ndarray
    origin: np.ndarray
    set_aside: tuple[BadImage, ...]
    address: str

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(len, H, W, C)."""
        return (len(self), *self.pixels.shape[1:])

    def batch(
        self,
        index: np.ndarray,
        *,
        crop: tuple[int, int] | None = None,
        seed: int | None = None,
        epoch: int = 0,
        flip: bool = True,
        channels_first: bool = False,
    ) -> np.ndarray:
        """The images of int64 [B] as uint8 [B, h, w, C], or the same memory seen as [B, C, h, w].

        seed: places the crop and mirrors half of the images by (seed, epoch, index); None: the centre, not mirrored.
        crop: (h, w); None: the whole image.
        Raises DataError for an index or a crop that does not fit.
        """
        index = np.asarray(index)
        if index.ndim != 1 or index.dtype.kind not in "iu":
            raise DataError("images.index_kind", shape=index.shape, dtype=index.dtype)
        if len(index) and not (index.min() >= 0 and index.max() < len(self)):
            raise DataError("images.index_range", low=index.min(), high=index.max(), num=len(self))
        height, width, channels = self.pixels.shape[1:]
        h, w = crop or (height, width)
        if not (1 <= h <= height and 1 <= w <= width):
            raise DataError("images.crop", h=h, w=w, height=height, width=width)
        out = np.empty((len(index), h, w, channels), np.uint8)
        room = height - h, width - w
        if seed is None:
            top, left = (np.full(len(index), each // 2) for each in room)
            is_flipped = np.zeros(len(index), bool)
        else:
            top, left, is_flipped = draw_crops(index, room, seed=seed, epoch=epoch, flip=flip)
        cut(self.pixels, self.origin[index], top, left, is_flipped, out)
        return out.transpose(0, 3, 1, 2) if channels_first else out


def open_map(folder: str | Path) -> ImageMap:
    """Open a map after checking every byte of it, 16 MiB at a time.

    Raises DataError when a file is missing or any bit is not as it was written.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder / MANIFEST)
    pixels = open_pixels(folder / PIXELS)
    if pixels is None or list(pixels.shape) != manifest["shape"]:
        raise DataError("images.damaged", path=folder / PIXELS)
    chunks = list(chunk_bounds(len(pixels), pixels[0].nbytes))
    if len(chunks) != len(manifest["chunks"]):
        raise DataError("images.damaged", path=folder / MANIFEST)
    for (low, high), digest in zip(chunks, manifest["chunks"], strict=True):
        if hashlib.sha256(pixels[low:high]).hexdigest() != digest:
            raise DataError("images.damaged", path=folder / PIXELS)
    set_aside = tuple(BadImage(number, reason) for number, reason in manifest["set_aside"])
    is_kept = np.ones(len(pixels), bool)
    is_kept[[bad.number for bad in set_aside]] = False
    return ImageMap(folder, pixels, np.flatnonzero(is_kept), set_aside, manifest["address"])


def open_pixels(path: Path) -> np.ndarray | None:
    """The pixels as a read-only map, or None where the file is no whole uint8 [sources, H, W, C]."""
    try:
        pixels = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError):
        return None
    return pixels if pixels.dtype == np.uint8 and pixels.ndim == 4 and pixels.flags.c_contiguous else None


def chunk_bounds(num: int, row_bytes: int) -> Iterator[tuple[int, int]]:
    """First and last-plus-one row of each piece that is decoded, hashed and checked as one.

    >>> list(chunk_bounds(10, 4 * 2**20))
    [(0, 4), (4, 8), (8, 10)]
    """
    size = max(1, CHUNK_BYTES // row_bytes)
    for low in range(0, num, size):
        yield low, min(low + size, num)


def write_manifest(path: Path, body: dict[str, Any]) -> None:
    """Write what `open_map` reads, sealed with its own SHA-256."""
    write_atomic(path, _sealed({"format": FORMAT, **body}))


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
        body = json.loads(raw)
    except FileNotFoundError:
        raise DataError("images.no_map", path=path) from None
    except ValueError:
        raise DataError("images.damaged", path=path) from None
    if not isinstance(body, dict) or body.pop("zz_sha256", None) is None or raw != _sealed(body):
        raise DataError("images.damaged", path=path)
    if body["format"] != FORMAT:
        raise DataError("images.format", path=path, found=body["format"], known=FORMAT)
    return body


def _sealed(body: dict[str, Any]) -> bytes:
    digest = hashlib.sha256(_plain(body)).hexdigest()
    return _plain({**body, "zz_sha256": digest}) + b"\n"


def _plain(body: dict[str, Any]) -> bytes:
    """ASCII, so that a reason with half a character in it can be written too."""
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
