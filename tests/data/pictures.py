"""Small pictures made on the spot, as encoded bytes."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from deepwright.data.image_worker import _pixels, facts_record
from deepwright.data.media import Media


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(seed: int, height: int = 40, width: int = 60) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def pngs(num: int, height: int = 40, width: int = 60) -> list[bytes]:
    return [encoded(noise(seed, height, width)) for seed in range(num)]


class InProcess:
    """In place of the decoding processes, where a test is not about them."""

    def __init__(self, workers: int) -> None:
        self.num_workers = workers

    def __enter__(self) -> "InProcess":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def facts(self, groups: Iterable[list[bytes]]) -> Iterator[list[dict[str, Any]]]:
        return ([facts_record(encoded) for encoded in group] for group in groups)

    def pixels(self, requests: Iterable[tuple[dict[str, Any], list[bytes]]]) -> Iterator[dict[str, Any]]:
        with Media() as media:
            for request, blobs in requests:
                *each, last = _pixels({**request, "skip": {}}, io.BytesIO(b"".join(blobs)), media)
                bad = [[place, answer["bad"]] for place, answer in enumerate(each) if "bad" in answer]
                yield {**last, "bad": bad}
