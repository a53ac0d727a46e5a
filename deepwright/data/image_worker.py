"""A process that decodes images: requests on its standard input, answers on its standard output.

    python -m deepwright.data.image_worker

A process of its own keeps a stranger's bytes away from the parent, and unlike multiprocessing it never imports the
user's script. It ends when its input does, so a killed parent leaves no orphan. A decoder that hangs ends it: each
image has its time, after which the system kills the process; memory beyond the limit is refused to the decoder.

A request is a line of JSON and then the bytes of the sources that name no path. Each image is answered by a line of its
own as soon as it is done, so that the parent knows which one it died of.

* {"do": "facts", "sources": [{"num_bytes"}]}: a line with the image's facts, or {"bad": {"key", "values"}}.
* {"do": "pixels", "map", "offset", "form", "skip": {PLACE: reason}, "sources": [{"path" or "reference" or "num_bytes",
  "sha256"}]}: its rows are written at `offset`. A line {} or {"bad": reason} or {"changed": true} for each, then
  {"sha256" of the rows} or {"errno", "why"}.
"""

import base64
import hashlib
import json
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from deepwright.core.errors import DataError
from deepwright.core.image import Form, decode_image, image_facts
from deepwright.data.media import Media

CPU_S, WALL_S = 20.0, 120.0
"""For one image: seconds of work, and of waiting for a disk that does not answer."""
MEMORY_BYTES = 2 * 2**30
"""Beyond what the process holds before the first image."""


def main() -> None:
    from PIL import Image

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    _limit_memory()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    media = Media()
    for line in requests:
        request = json.loads(line)
        answered = _facts(request, requests) if request["do"] == "facts" else _pixels(request, requests, media)
        for answer in answered:
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()


def _facts(request: dict[str, Any], blobs: IO[bytes]) -> Iterator[dict[str, Any]]:
    given = [blobs.read(source["num_bytes"]) for source in request["sources"]]
    for encoded in given:
        with _limited_time():
            answer = facts_record(encoded)
        yield answer


def facts_record(encoded: bytes) -> dict[str, Any]:
    """An image's facts as plain JSON, or {"bad": {"key", "values"}}."""
    try:
        facts = asdict(image_facts(encoded))
    except DataError as error:
        return {"bad": {"key": error.key, "values": error.values}}
    return {**facts, "look": base64.b64encode(facts["look"]).decode()}


def _pixels(request: dict[str, Any], blobs: IO[bytes], media: Media) -> Iterator[dict[str, Any]]:
    form = Form(**request["form"])
    given = [blobs.read(source["num_bytes"]) if "num_bytes" in source else None for source in request["sources"]]
    skip = request["skip"]
    rows = np.zeros((len(given), *form.shape), np.uint8)
    try:
        for place, (source, blob) in enumerate(zip(request["sources"], given, strict=True)):
            if str(place) in skip:
                yield {"bad": skip[str(place)]}
                continue
            with _limited_time():
                try:
                    encoded = _read(source, media) if blob is None else blob
                except DataError:  # what could be read before is gone
                    encoded = b""
                if hashlib.sha256(encoded).hexdigest() != source["sha256"]:
                    yield {"changed": True}
                    return
                answer = {}
                try:
                    rows[place] = decode_image(encoded, form)
                except DataError as error:
                    answer = {"bad": str(error)}
            yield answer
        _write(request["map"], request["offset"], memoryview(rows).cast("B"))
    except OSError as error:
        yield {"errno": error.errno, "why": error.strerror or str(error)}
    else:
        yield {"sha256": hashlib.sha256(rows).hexdigest()}


@contextmanager
def _limited_time() -> Iterator[None]:
    """The system ends the process when one image takes too long: no Python runs inside of a decoder that hangs."""
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    signal.setitimer(signal.ITIMER_REAL, WALL_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _limit_memory() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _held_bytes() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _held_bytes() -> int:
    """Data that this process holds. The highest so far, ru_maxrss, would begin at the parent's, however large it is."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    import psutil

    return int(psutil.Process().memory_info().vms)


def _read(source: dict[str, Any], media: Media) -> bytes:
    if "reference" in source:
        return media.read(source["reference"])
    with open(source["path"], "rb") as file:  # noqa: PTH123 - a path may hold bytes that are no text
        return file.read()


def _write(path: str, offset: int, content: memoryview) -> None:
    """Through the file and not through a memory map: a full disk is then an error and no signal."""
    handle = os.open(path, os.O_WRONLY)
    try:
        while content:
            written = os.pwrite(handle, content, offset)
            content, offset = content[written:], offset + written
    finally:
        os.close(handle)


if __name__ == "__main__":
    main()
