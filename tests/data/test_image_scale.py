"""The scale of pixels: exact over the training rows, and over no others."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, LeakError
from deepwright.core.schema import Feature, Schema
from deepwright.data.image_build import build
from deepwright.data.image_map import ImageMap
from deepwright.data.image_scale import learn_scale
from tests.data.pictures import pngs


@pytest.fixture
def images(tmp_path: Path) -> ImageMap:
    return build(pngs(6), tmp_path, size=16, workers=1, say=lambda _: None)


def part(rows: int, name: str) -> Dataset:
    schema = Schema(features=(Feature(name="image", type="image"),))
    column = np.array([str(row) for row in range(rows)], object)
    return Dataset({"image": column}, schema, name, np.arange(rows), np.arange(rows).astype(np.uint64))  # type: ignore[arg-type]


def test_the_training_rows_have_mean_0_and_sd_1_in_each_channel(images: ImageMap):
    rows = np.array([1, 3, 4])
    scale = learn_scale(part(3, "train"), images, rows)
    scaled = scale.apply({"image": images.batch(rows)})["image"]
    np.testing.assert_allclose(scaled.mean(axis=(0, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=(0, 2, 3)), 1, atol=1e-6)
    assert scale != learn_scale(part(3, "train"), images, np.array([0, 2, 5]))


def test_it_learns_from_the_training_part_alone(images: ImageMap):
    with pytest.raises(LeakError):
        learn_scale(part(3, "validation"), images, np.arange(3))
    with pytest.raises(DataError, match="2 labels for 3 images"):
        learn_scale(part(3, "train"), images, np.arange(2))


def test_a_channel_that_never_changes_stays_finite(tmp_path: Path):
    from PIL import Image

    from tests.data.pictures import encoded

    blank = build([encoded(Image.new("RGB", (20, 20), (7, 7, 7)))], tmp_path, size=16, workers=1, say=lambda _: None)
    scale = learn_scale(part(1, "train"), blank, np.arange(1))
    assert scale.means == (7.0, 7.0, 7.0) and scale.sds == (1.0, 1.0, 1.0)
