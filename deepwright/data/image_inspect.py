"""Inspect: every image decoded in full once, and what that showed kept by the hash of its bytes."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
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
    fresh: dict[str, dict[str, Any] | None] = {}
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
                fresh.update(zip(asked[number], answers, strict=True))
                if time.monotonic() - saved > SAVED_EVERY_S:
                    store.keep(fresh)
                    saved = time.monotonic()
        if len(fresh) >= KEPT_FROM:
            store.keep(fresh)
    return [_of(each, fresh.get(each) or store.get(each)) if isinstance(each, str) else each for each in found]


def _of(sha256: str, record: dict[str, Any] | None) -> Inspected:
    assert record is not None, f"{sha256} was asked for and not answered"
    if "bad" in record:
        return Inspected(sha256, None, Sentence(**record["bad"]))
    return Inspected(sha256, Facts(**{**record, "look": base64.b64decode(record["look"])}), None)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | float) else str(value) for name, value in values.items()}


class _Store:
    """Facts by the hash of an image's bytes, in sixteen files of the workspace; a file that is not what was written is
    as good as none, because decoding tells the same again."""

    def __init__(self, folder: Path) -> None:
        import PIL

        self.folder = folder / f"facts-{VERSION}-pillow-{PIL.__version__}"
        self._known: dict[str, dict[str, dict[str, Any]]] = {}

    def get(self, sha256: str) -> dict[str, Any] | None:
        return self._file(sha256[0]).get(sha256)

    def keep(self, fresh: dict[str, dict[str, Any] | None]) -> None:
        """Add what was found now; whatever another process has added meanwhile stays."""
        lasting = {
            name: record
            for name, record in fresh.items()
            if record is not None and record.get("bad", {}).get("key") not in PASSING
        }
        with lock(self.folder / ".lock"):
            write_atomic(self.folder.parent / ".gitignore", b"*\n")
            for digit in sorted({name[0] for name in lasting}):
                self._known.pop(digit, None)
                here = {name: record for name, record in lasting.items() if name[0] == digit}
                whole = {**self._file(digit), **here}
                body = "".join(json.dumps([name, whole[name]]) + "\n" for name in sorted(whole)).encode()
                write_atomic(self._path(digit), hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
                self._known[digit] = whole

    def _file(self, digit: str) -> dict[str, dict[str, Any]]:
        if digit not in self._known:
            path = self._path(digit)
            content = path.read_bytes() if path.exists() else b"\n"
            head, _, body = content.partition(b"\n")
            sound = head == hashlib.sha256(body).hexdigest().encode()
            self._known[digit] = dict(json.loads(line) for line in body.splitlines()) if sound else {}
        return self._known[digit]

    def _path(self, digit: str) -> Path:
        return self.folder / f"{digit}.jsonl"
