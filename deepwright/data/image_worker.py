"""A process that decodes images into a map: requests on its standard input, answers on its standard output.

    python -m deepwright.data.image_worker

A process of its own keeps a stranger's bytes away from the parent, and unlike multiprocessing it never imports the
user's script. It ends when its input does, so a killed parent leaves no orphan.

A request is a line of JSON {"map", "offset", "form", "sources": [{"path" or "num_bytes", "sha256"}]} and then the bytes
of the sources that have no path; its rows are written at `offset`. The answer is {"sha256" of the rows, "bad":
[[place, reason]]}, or {"changed": place} for a source that is not the one that was hashed, or {"errno", "why"}.
"""

import hashlib
import json
import os
import sys
import warnings
from typing import IO, Any

import numpy as np

from deepwright.core.errors import DataError
from deepwright.data.image_decode import Form, decode_image


def main() -> None:
    from PIL import Image

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    for line in requests:
        answers.write(json.dumps(_answer(json.loads(line), requests)).encode() + b"\n")
        answers.flush()


def _answer(request: dict[str, Any], blobs: IO[bytes]) -> dict[str, Any]:
    form = Form(**request["form"])
    given = [None if "path" in source else blobs.read(source["num_bytes"]) for source in request["sources"]]
    rows = np.zeros((len(given), *form.shape), np.uint8)
    bad: list[tuple[int, str]] = []
    try:
        for place, (source, blob) in enumerate(zip(request["sources"], given, strict=True)):
            encoded = _read(source["path"]) if blob is None else blob
            if hashlib.sha256(encoded).hexdigest() != source["sha256"]:
                return {"changed": place}
            try:
                rows[place] = decode_image(encoded, form)
            except DataError as error:
                bad.append((place, str(error)))
        _write(request["map"], request["offset"], memoryview(rows).cast("B"))
    except OSError as error:
        return {"errno": error.errno, "why": error.strerror or str(error)}
    return {"sha256": hashlib.sha256(rows).hexdigest(), "bad": bad}


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - a path may hold bytes that are no text
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
