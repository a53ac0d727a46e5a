"""Decode every image once into an ImageMap, in processes of their own; a killed build is taken up where it stood."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.disk import append_line, disk_error, lock, sync_folder
from deepwright.core.errors import DataError, RecipeError, ResourceError
from deepwright.core.image import Fit, Form
from deepwright.core.text import text
from deepwright.data.image_map import (
    FORMAT,
    MANIFEST,
    PIXELS,
    BadImage,
    ImageMap,
    chunk_bounds,
    open_map,
    open_pixels,
    write_manifest,
)
from deepwright.data.image_pool import Pool, default_workers
from deepwright.data.media import Media, read_regular

JOURNAL = "journal.jsonl"

Source = str | Path | bytes
"""A reference (see `media`), a file's path, or the encoded bytes themselves."""


def build(
    sources: Sequence[Source],
    folder: str | Path,
    *,
    size: int | tuple[int, int] = 224,
    channels: int = 3,
    background: int = 255,
    fit: Fit = "crop",
    levels: tuple[float, float] | None = None,
    frame: int | None = None,
    workers: int | None = None,
    max_set_aside: float = 0.05,
    say: Callable[[str], object] | None = None,
) -> ImageMap:
    """Decode images, given as references, paths or encoded bytes, into a map below `folder`; or open the one there.

    The map's folder is named by a hash of the sources and of what is done to them. size: pixels of the sides, or
    (height, width). fit, levels, frame: as in `core.image.Form`. workers: processes; None: one per core, at most 8.
    max_set_aside: share of images that may be bad. say: takes a sentence on the size of the map before any of it is
    written; None: standard error.

    Raises RecipeError (an option), DataError (no images, no regular file, a source that changed, too many bad ones),
    ResourceError (no room on the disk, or a decoding process that died). What was decoded until then is kept.
    """
    form = Form(*(size if isinstance(size, tuple) else (size, size)), channels, background, fit, levels, frame)
    if not len(sources):
        raise DataError("images.none")
    if workers is not None and workers < 1:
        raise RecipeError("images.workers_option", found=workers)
    with Media() as media:
        hashes = [_source_sha256(source, media) for source in sources]
    address = _address(hashes, form)
    folder = Path(folder)
    place, part = folder / address[:32], folder / f".{address[:32]}.part"
    with lock(folder / f".{address[:32]}.lock"):
        if not place.exists():
            job = _Job(list(sources), hashes, form, part)
            job.make_room(say or _to_stderr)
            job.decode(workers or default_workers())
            _check_share(job.set_aside(), len(sources), max_set_aside)
            job.commit(place, address)
    return open_map(place)


@dataclass(frozen=True)
class _Done:
    """One finished chunk of rows."""

    sha256: str
    bad: list[BadImage]


class _Job:
    """The decoding of one map in its unfinished folder: pixels, and a journal with a line per finished chunk."""

    def __init__(self, sources: list[Source], hashes: list[str], form: Form, part: Path) -> None:
        self.sources, self.hashes, self.form, self.part = sources, hashes, form, part
        self.shape = (len(sources), *form.shape)
        self.chunks = list(chunk_bounds(len(sources), form.num_bytes))
        self.done: dict[int, _Done] = {}
        self.offset = 0

    def make_room(self, say: Callable[[str], object]) -> None:
        """Take up the unfinished folder, or begin one of the full size. Raises ResourceError where it has no room."""
        pixels = open_pixels(self.part / PIXELS)
        if pixels is not None and pixels.shape == self.shape:
            self.done = dict(self._finished_chunks(pixels))
        elif self.part.exists():
            shutil.rmtree(self.part)
        header = _npy_header(self.shape)
        self.offset = len(header)
        wanted = len(header) + len(self.sources) * self.form.num_bytes
        path = self.part / PIXELS
        held = path.stat().st_blocks * 512 if path.exists() else 0
        free = shutil.disk_usage(self.part.parent).free
        mib = wanted / 2**20
        say(text("images.size", path=self.part.parent, num=len(self.sources), mib=f"{mib:.1f}", free=free // 2**20))
        if wanted - held > free:
            raise ResourceError("images.no_room", path=self.part.parent, wanted=wanted - held, free=free)
        try:
            self.part.mkdir(parents=True, exist_ok=True)
            with path.open("r+b" if held else "wb") as file:
                file.write(header)
                # Real blocks where the system can promise them, so that a full disk shows here.
                getattr(os, "posix_fallocate", _lengthen)(file.fileno(), 0, wanted)
        except OSError as error:
            raise disk_error(path, wanted, error) from None

    def decode(self, num_workers: int) -> None:
        """Decode every chunk that is not done, several at a time; each one done gets its line in the journal."""
        todo = [number for number in range(len(self.chunks)) if number not in self.done]
        if not todo:
            return
        with Pool(min(num_workers, len(todo))) as pool:
            for number, found in zip(todo, pool.pixels(self._request(number) for number in todo), strict=True):
                self._keep(number, found)

    def set_aside(self) -> list[BadImage]:
        return [bad for number in range(len(self.chunks)) for bad in self.done[number].bad]

    def commit(self, place: Path, address: str) -> None:
        """Make the folder a map: everything on the disk first, then its name."""
        body = {
            "address": address, "shape": self.shape, "form": asdict(self.form),
            "chunks": [self.done[number].sha256 for number in range(len(self.chunks))],
            "set_aside": [[bad.number, bad.reason] for bad in self.set_aside()],
        }  # fmt: skip
        try:
            with (self.part / PIXELS).open("rb") as file:
                os.fsync(file.fileno())
            write_manifest(self.part / MANIFEST, body)
            (self.part / JOURNAL).unlink()
            self.part.rename(place)
            sync_folder(place.parent)
        except OSError as error:
            raise disk_error(place, 0, error) from None

    def _request(self, number: int) -> tuple[dict[str, Any], list[bytes]]:
        low, high = self.chunks[number]
        sources, blobs = [], []
        for source, digest in zip(self.sources[low:high], self.hashes[low:high], strict=True):
            if isinstance(source, bytes):
                blobs.append(source)
                sources.append({"num_bytes": len(source), "sha256": digest})
            elif isinstance(source, str):
                sources.append({"reference": source, "sha256": digest})
            else:
                sources.append({"path": os.path.abspath(source), "sha256": digest})  # noqa: PTH100 - keeps `..`
        offset = self.offset + low * self.form.num_bytes
        path = str((self.part / PIXELS).absolute())
        return {"map": path, "offset": offset, "form": asdict(self.form), "sources": sources}, blobs

    def _keep(self, number: int, found: dict[str, Any]) -> None:
        low, high = self.chunks[number]
        if "why" in found:
            wanted = (high - low) * self.form.num_bytes
            raise disk_error(self.part / PIXELS, wanted, OSError(found["errno"], found["why"]))
        if "changed" in found:
            source = self.sources[low + found["changed"]]
            raise DataError("images.changed", path=_name(low + found["changed"], source))
        bad = [(low + place, reason) for place, reason in found["bad"]]
        self.done[number] = _Done(found["sha256"], [BadImage(*each) for each in bad])
        line = {"chunk": number, "sha256": found["sha256"], "bad": bad}
        append_line(self.part / JOURNAL, json.dumps(line).encode())

    def _finished_chunks(self, pixels: np.ndarray) -> Iterator[tuple[int, _Done]]:
        """Those of the journal whose rows are still what was written; a torn line is as good as none."""
        path = self.part / JOURNAL
        for line in path.read_bytes().splitlines() if path.exists() else []:
            try:
                told = json.loads(line)
                low, high = self.chunks[told["chunk"]]
                bad = [BadImage(*each) for each in told["bad"]]
            except (ValueError, KeyError, TypeError, IndexError):
                continue
            if hashlib.sha256(pixels[low:high]).hexdigest() == told["sha256"]:
                yield told["chunk"], _Done(told["sha256"], bad)


def _source_sha256(source: Source, media: Media) -> str:
    """Of the encoded bytes. Raises DataError for what is no regular file."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    encoded = media.read(source) if isinstance(source, str) else read_regular(os.fspath(source))
    return hashlib.sha256(encoded).hexdigest()


def _address(hashes: list[str], form: Form) -> str:
    """Pillow's version is in it, because another one may decode to other bits."""
    import PIL

    done = json.dumps({"format": FORMAT, "form": asdict(form), "pillow": PIL.__version__}, sort_keys=True)
    return hashlib.sha256("\n".join([done, *hashes]).encode()).hexdigest()


def _check_share(set_aside: list[BadImage], num: int, limit: float) -> None:
    if len(set_aside) > limit * num or len(set_aside) == num:
        first = "; ".join(f"#{bad.number}: {bad.reason}" for bad in set_aside[:3])
        raise DataError("images.too_many_bad", bad=len(set_aside), num=num, limit=limit, first=first)


def _npy_header(shape: tuple[int, ...]) -> bytes:
    import io

    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return header.getvalue()


def _lengthen(handle: int, offset: int, length: int) -> None:
    os.ftruncate(handle, offset + length)


def _name(number: int, source: Source) -> str:
    return f"#{number}" if isinstance(source, bytes) else str(source)


def _to_stderr(sentence: str) -> None:
    print(sentence, file=sys.stderr)
