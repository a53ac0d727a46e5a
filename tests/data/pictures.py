"""Small pictures made on the spot, as encoded bytes."""

import io
from typing import Any

import numpy as np
from PIL import Image


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(seed: int, height: int = 40, width: int = 60) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def pngs(num: int, height: int = 40, width: int = 60) -> list[bytes]:
    return [encoded(noise(seed, height, width)) for seed in range(num)]
