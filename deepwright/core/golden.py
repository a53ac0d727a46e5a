"""Golden rows: inputs drawn from the schema, never from the data, whose answers prove a bundle at export and load."""

from base64 import b64encode
from typing import Any

import numpy as np

from deepwright.core.schema import Feature, Schema

NUM_ROWS, GOLDEN_SEED = 16, 16
TEXTS = (
    "It is not the best of all, and this was not what we had in mind; but you can call now for 5 free ones!",
    "这家店的菜很好吃，送餐也不慢；不过价格有点高，下次不一定会来了。",
    "What is the name of the first man who was on it?",
    "I was told so by a friend of mine. I am not sure that I like it.",
    "",
    "the the the the the the the the the the the the the the the the the the the the the the the the",
    "No. 1, 2 and 3: see www.example.com/a?b=c -- done :-)",
    "È così; ¿por qué no? Das wäre schön. Это хорошо. 東京は大きい。안녕하세요",
    "\U0001f600 \u00a0\u3000ＦＵＬＬ ｗｉｄｔｈ\tand\nlines",
)
"""Texts of no data set: common words of several languages, none at all, one word often, marks and odd spaces."""


def golden_rows(schema: Schema, seed: int = GOLDEN_SEED) -> list[dict[str, Any]]:
    """16 rows: inside the ranges, at both ends, with missing values and with a level never seen.

    seed: a bundle's golden rows are those of the default; other seeds give further rows for other checks.
    """
    generator = np.random.default_rng(seed)
    columns = {feature.name: _values(feature, generator) for feature in schema.inputs}
    return [{name: values[row] for name, values in columns.items()} for row in range(NUM_ROWS)]


def _values(feature: Feature, generator: np.random.Generator) -> list[Any]:
    if feature.type in ("number", "timestamp"):
        low = feature.low if feature.low is not None else 0.0
        high = feature.high if feature.high is not None else 1.0
        # rounded, so that the rows stay readable; the ends themselves are exact, and high - low may overflow
        inside = [float(f"{(1 - share) * low + share * high:.6g}") for share in generator.random(NUM_ROWS)]
        values: list[Any] = [low, high, *(min(max(value, low), high) for value in inside[2:])]
    elif feature.type == "image":
        values = [_image(generator) for _ in range(NUM_ROWS)]
    elif feature.type == "text":
        values = [TEXTS[int(generator.integers(len(TEXTS)))] for _ in range(NUM_ROWS)]
        values[:2] = TEXTS[:2]
    else:
        levels = feature.levels or ("",)
        values = [levels[int(generator.integers(len(levels)))] for _ in range(NUM_ROWS)]
        values[2] = "a level never seen"
    if feature.can_be_missing:
        values[3] = None
    return values


def _image(generator: np.random.Generator) -> str:
    """A small picture of coarse colours under noise, as a PNM file in base64."""
    height, width = (int(side) for side in generator.integers(16, 49, 2))
    coarse = generator.integers(0, 256, (4, 4, 3))
    pixels = coarse[np.arange(height)[:, None] * 4 // height, np.arange(width)[None, :] * 4 // width]
    pixels = (pixels + generator.integers(-20, 21, (height, width, 3))).clip(0, 255).astype(np.uint8)
    return b64encode(b"P6 %d %d 255\n" % (width, height) + pixels.tobytes()).decode()
