"""Near images: copies are found however they were changed, and others are not."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from deepwright.core.image import image_facts
from deepwright.data.image_alike import looks_of, near_pairs
from tests.data.pictures import encoded

NUM = 60


def scene(seed: int) -> Image.Image:
    """Smooth shapes, as in a photograph: no two seeds look alike."""
    draw = np.random.default_rng(seed)
    small = draw.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC)


CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "packed again": lambda image: encoded(image, "JPEG", quality=40),
    "smaller": lambda image: encoded(image.resize((80, 60))),
    "lighter": lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.15)),
    "less contrast": lambda image: encoded(ImageEnhance.Contrast(image).enhance(0.7)),
    "mirrored": lambda image: encoded(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "cut at the edge": lambda image: encoded(image.crop((2, 2, 158, 118))),
}


@pytest.fixture(scope="module")
def originals() -> list[bytes]:
    return [image_facts(encoded(scene(seed))).look for seed in range(NUM)]


@pytest.mark.parametrize("name", CHANGES)
def test_changed_copies_are_found(name: str, originals: list[bytes]):
    copies = [image_facts(CHANGES[name](scene(seed))).look for seed in range(NUM)]
    pairs = near_pairs(looks_of([*originals, *copies]))
    assert pairs is not None
    found = {tuple(pair) for pair in pairs.tolist()}
    wanted = {(seed, NUM + seed) for seed in range(NUM)}
    assert len(found & wanted) >= 0.95 * NUM and len(found - wanted) == 0


def test_different_images_and_plain_ones_are_no_pairs(originals: list[bytes]):
    plain = [image_facts(encoded(Image.new("RGB", (40, 40), (level,) * 3))).look for level in (0, 1, 255)]
    for looks in ([*originals, *plain], originals[:1], plain[:1]):
        assert np.shape(near_pairs(looks_of(looks))) == (0, 2)


def test_images_that_hashes_do_not_tell_apart_are_not_compared():
    strokes = np.zeros((3000, 8, 9), np.uint8)
    strokes[:, 2:6, 4] = np.random.default_rng(0).integers(100, 255, (3000, 4))
    assert near_pairs(strokes) is None
