"""An open map: batches, and that a changed bit is refused."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError
from deepwright.data.image_build import build
from deepwright.data.image_map import ImageMap, open_map
from tests.data.pictures import pngs


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageMap:
    sources = pngs(10)
    sources[2] = b"<html>"
    folder = tmp_path_factory.mktemp("maps")
    return build(sources, folder, size=(20, 24), workers=1, max_set_aside=0.2, say=lambda _: None)


@pytest.fixture
def copy(images: ImageMap, tmp_path: Path) -> Path:
    for file in images.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_no_index_reaches_what_was_set_aside(images: ImageMap):
    assert images.shape == (9, 20, 24, 3) and images.origin.tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9]
    assert (images.batch(np.arange(9)) == images.pixels[images.origin]).all()
    assert (images.pixels[2] == 0).all() and images.batch(np.arange(9)).any((1, 2, 3)).all()


def test_without_a_seed_the_centre_comes_and_with_one_the_draws_of_the_epoch(images: ImageMap):
    index = np.array([4, 0, 8])
    assert (images.batch(index, crop=(16, 16)) == images.pixels[images.origin[index], 2:18, 4:20]).all()
    first = images.batch(index, crop=(16, 16), seed=1, epoch=1)
    assert (first == images.batch(index, crop=(16, 16), seed=1, epoch=1)).all()
    assert (first != images.batch(index, crop=(16, 16), seed=1, epoch=2)).any()
    assert (images.batch(index[::-1], crop=(16, 16), seed=1, epoch=1) == first[::-1]).all()


def test_channels_first_is_a_view_of_the_same_memory(images: ImageMap):
    found = images.batch(np.array([1, 2]), channels_first=True)
    assert found.shape == (2, 3, 20, 24) and found.strides[1] == 1
    assert (found.transpose(0, 2, 3, 1) == images.batch(np.array([1, 2]))).all()


def test_no_index_gives_no_images(images: ImageMap):
    assert images.batch(np.zeros(0, np.int64), seed=0).shape == (0, 20, 24, 3)


@pytest.mark.parametrize(
    ("index", "options", "key"),
    [
        (np.array([9]), {}, "images.index_range"),
        (np.array([-1]), {}, "images.index_range"),
        (np.array([0.5]), {}, "images.index_kind"),
        (np.array([[1]]), {}, "images.index_kind"),
        (np.array([1]), {"crop": (21, 24)}, "images.crop"),
        (np.array([1]), {"crop": (0, 4)}, "images.crop"),
    ],
)
def test_what_does_not_fit_is_refused(images: ImageMap, index: np.ndarray, options: dict, key: str):
    with pytest.raises(DataError) as caught:
        images.batch(index, **options)
    assert caught.value.key == key


def test_an_unchanged_copy_opens(copy: Path, images: ImageMap):
    again = open_map(copy)
    assert again.address == images.address and again.set_aside == images.set_aside
    assert again.set_aside[0].number == 2 and "begins with b'<html>'" in again.set_aside[0].reason


@pytest.mark.parametrize("name", ["pixels.npy", "map.json"])
@pytest.mark.parametrize("place", [0, 7, 70, 0.5, -2])
def test_one_flipped_bit_is_refused(copy: Path, name: str, place: float):
    content = bytearray((copy / name).read_bytes())
    content[int(place * len(content)) if isinstance(place, float) else place] ^= 4
    (copy / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name} is not as it was written.*Delete the folder"):
        open_map(copy)


@pytest.mark.parametrize("name", ["pixels.npy", "map.json"])
def test_a_cut_file_is_refused(copy: Path, name: str):
    (copy / name).write_bytes((copy / name).read_bytes()[:-100])
    with pytest.raises(DataError, match="is not as it was written"):
        open_map(copy)


def test_a_folder_without_a_map_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="there is no image map here"):
        open_map(tmp_path)
