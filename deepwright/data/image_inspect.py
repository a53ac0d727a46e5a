"""Inspect: every image decoded in full once, and what that showed kept by the hash of its bytes."""

import base64
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from deepwright.core.disk import lock, write_atomic
from deepwright.core.errors import DataError, ResourceError
from deepwright.core.image import Facts
from deepwright.core.ledger import workspace
from deepwright.core.report import Sentence
from deepwright.data.image_pool import Pool, default_workers
from deepwright.data.media import Media

VERSION = 1
GROUP_IMAGES, GROUP_BYTES = 64, 4 * 2**20
KEPT_FROM = 256
"""So many images that were not known: fewer are decoded anew faster than a file is kept."""
SAVED_EVERY_S = 30.0
PASSING = frozenset({"images.decoder_died"})
"""Faults that another machine, or a quieter one, need not find; they are not kept."""


Found = Facts | Sentence
"""What decoding showed: facts, or the fault for which the image is set aside."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """One image: the hash of its bytes, and its facts or the fault for which it is set aside."""

    sha256: str
    facts: Facts | None
    fault: Sentence | None


def inspect(references: Sequence[str], workers: int | None = None) -> list[Inspected]:
    """Read and decode every image, each in a process that has its time and memory; known bytes are not decoded again.

    Raises ResourceError when a decoding process ends for another reason than an image.
    """
    store = _Store(workspace() / "images")
    found: list[Inspected | str] = []
    fresh: dict[str, Found | None] = {}
    asked: list[list[str]] = []

    def groups() -> Iterator[list[bytes]]:
        group: list[bytes] = []
        names: list[str] = []
        with Media() as media:
            for reference in references:
                try:
                    encoded = media.read(reference)
                except ResourceError:
                    raise
                except DataError as error:
                    found.append(Inspected("", None, Sentence(key=error.key, values=_plain(error.values))))
                    continue
                sha256 = hashlib.sha256(encoded).hexdigest()
                found.append(sha256)
                if sha256 in fresh or store.get(sha256) is not None:
                    continue
                fresh[sha256] = None
                group.append(encoded)
                names.append(sha256)
                if len(group) == GROUP_IMAGES or sum(map(len, group)) > GROUP_BYTES:
                    asked.append(names)
                    yield group
                    group, names = [], []
        if group:
            asked.append(names)
            yield group

    waiting = groups()
    first = next(waiting, None)
    if first is not None:
        num_workers = workers or (default_workers() if len(references) > GROUP_IMAGES else 1)
        saved = time.monotonic()
        with Pool(num_workers) as pool:
            for number, answers in enumerate(pool.facts(chain([first], waiting))):
                fresh.update(zip(asked[number], map(_found, answers), strict=True))
                if time.monotonic() - saved > SAVED_EVERY_S:
                    store.keep(fresh)
                    saved = time.monotonic()
        if len(fresh) >= KEPT_FROM:
            store.keep(fresh)
    return [_of(each, fresh.get(each) or store.get(each)) if isinstance(each, str) else each for each in found]


def _of(sha256: str, found: Found | None) -> Inspected:
    assert found is not None, f"{sha256} was asked for and not answered"
    return Inspected(sha256, found, None) if isinstance(found, Facts) else Inspected(sha256, None, found)


def _found(record: dict[str, Any]) -> Found:
    """From plain JSON."""
    if "bad" in record:
        return Sentence(**record["bad"])
    short = {name: sys.intern(record[name]) for name in ("mode", "format")}  # one object for a million images
    return Facts(**{**record, **short, "look": base64.b64decode(record["look"])})


def _record(found: Found) -> dict[str, Any]:
    """As plain JSON."""
    if isinstance(found, Sentence):
        return {"bad": found.model_dump()}
    return {**asdict(found), "look": base64.b64encode(found.look).decode()}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | float) else str(value) for name, value in values.items()}


class _Store:
    """Facts by the hash of an image's bytes, in sixteen files of the workspace; a file that is not what was written is
    as good as none, because decoding tells the same again."""

    def __init__(self, folder: Path) -> None:
        import PIL

        self.folder = folder / f"facts-{VERSION}-pillow-{PIL.__version__}"
        self._known: dict[str, dict[str, Found]] = {}

    def get(self, sha256: str) -> Found | None:
        return self._file(sha256[0]).get(sha256)

    def keep(self, fresh: dict[str, Found | None]) -> None:
        """Add what was found now; whatever another process has added meanwhile stays."""
        files: dict[str, dict[str, Found]] = {}
        for sha256, found in fresh.items():
            if isinstance(found, Facts) or (found is not None and found.key not in PASSING):
                files.setdefault(sha256[0], {})[sha256] = found
        with lock(self.folder / ".lock"):
            write_atomic(self.folder.parent / ".gitignore", b"*\n")
            for digit, here in sorted(files.items()):
                self._known.pop(digit, None)
                whole = {**self._file(digit), **here}
                body = "".join(json.dumps([name, _record(whole[name])]) + "\n" for name in sorted(whole)).encode()
                write_atomic(self._path(digit), hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
                self._known[digit] = whole

    def _file(self, digit: str) -> dict[str, Found]:
        if digit not in self._known:
            path = self._path(digit)
            content = path.read_bytes() if path.exists() else b"\n"
            head, _, body = content.partition(b"\n")
            sound = head == hashlib.sha256(body).hexdigest().encode()
            lines = map(json.loads, body.splitlines()) if sound else ()
            self._known[digit] = {sha256: _found(record) for sha256, record in lines}
        return self._known[digit]

    def _path(self, digit: str) -> Path:
        return self.folder / f"{digit}.jsonl"
