"""The size that images get: chosen from the training part, with what the source says of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError, RecipeError
from deepwright.core.image import Reading
from deepwright.core.prepare import Prepare, Resize
from deepwright.core.schema import Feature, Schema
from deepwright.core.step import Fitted
from deepwright.data.image_size import choose_decode, flatten, sizes_of
from deepwright.data.prepare import fit_prepare
from tests.data.pictures import noise

SCHEMA = Schema(
    features=(Feature(name="photo", type="image"), Feature(name="label", type="category", role="target", levels=("a",)))
)


def data(folder: Path, images: list[Image.Image], part: str = "train") -> Dataset:
    references = []
    for place, image in enumerate(images):
        path = folder / f"{place}.png"
        image.save(path)
        references.append(str(path))
    columns = {"photo": np.array(references, object), "label": np.array(["a"] * len(images), object)}
    rows = np.arange(1, len(images) + 1)
    return Dataset(columns, SCHEMA, part, rows, rows.astype(np.uint64))  # type: ignore[arg-type]


def chosen(folder: Path, images: list[Image.Image], reading: Reading | None = None, **options: object):
    return choose_decode(data(folder, images), "photo", Resize(**options), reading)


def test_images_of_one_size_stay_as_they_are_up_to_the_bound(tmp_path: Path):
    decode, found = chosen(tmp_path, [noise(n, 28, 28).convert("L") for n in range(3)])
    assert (decode.height, decode.width, decode.channels, found.rule) == (28, 28, 1, "image_size_kept")
    decode, found = chosen(tmp_path, [noise(n, 120, 200) for n in range(3)])
    assert (decode.height, decode.width, decode.channels, found.rule) == (48, 80, 3, "image_size_one")


def test_images_of_several_sizes_become_squares_of_the_middle_shorter_side(tmp_path: Path):
    sides = [(36, 60), (44, 60), (90, 200)]
    decode, found = chosen(tmp_path, [noise(n, *side) for n, side in enumerate(sides)])
    assert (decode.height, decode.width, found.rule) == (44, 44, "image_size_square")


def test_one_image_in_colour_makes_all_of_them_rgb(tmp_path: Path):
    grey = [noise(n, 20, 20).convert("L") for n in range(3)]
    assert chosen(tmp_path, [*grey, noise(9, 20, 20)])[0].channels == 3
    assert chosen(tmp_path, [*grey, noise(9, 20, 20)], channels=1)[0].channels == 1


def test_a_size_that_is_asked_for_is_taken(tmp_path: Path):
    decode, found = chosen(tmp_path, [noise(0)], size=(24, 48), fit="pad")
    assert (decode.height, decode.width, decode.fit, found.rule) == (24, 48, "pad", "image_size_asked")
    assert chosen(tmp_path, [noise(0)], size=(24,))[0].form.shape == (24, 24, 3)
    with pytest.raises(RecipeError, match="takes one side of 8 to 4096"):
        Resize(size=(4,))


def test_a_turned_photograph_counts_as_it_is_seen(tmp_path: Path):
    train = data(tmp_path, [noise(0, 20, 50)])
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(0, 20, 50).save(tmp_path / "0.png", exif=exif)
    assert (sizes_of(train, "photo").width, sizes_of(train, "photo").height) == (20, 50)


def test_what_the_source_says_of_its_images_is_in_the_operation(tmp_path: Path):
    deep = Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * 100)
    decode, _ = chosen(tmp_path, [deep], Reading(background=7, levels=(0.0, 40_000.0), frame=0))
    assert (decode.background, decode.levels, decode.frame, decode.channels) == (7, (0.0, 40_000.0), 0, 1)
    pixels = decode.apply({"photo": np.array([(tmp_path / "0.png").read_bytes()], object)})["photo"]
    assert pixels.max() == round(39_900 / 40_000 * 255)


def test_sizes_are_learned_from_the_training_part_only(tmp_path: Path):
    for part in ("whole", "validation", "test"):
        with pytest.raises(LeakError):
            sizes_of(data(tmp_path, [noise(0)], part), "photo")


@pytest.mark.parametrize(("side", "channels", "width"), [(28, 1, 256), (32, 3, 243), (10, 1, 100)])
def test_linear_models_see_at_most_256_numbers(tmp_path: Path, side: int, channels: int, width: int):
    images = [noise(n, side, side).convert("RGB" if channels == 3 else "L") for n in range(2)]
    train = data(tmp_path, images)
    fitted, (tensor,) = fit_prepare(train, Prepare(), "flat")
    files = {"photo": np.array([Path(each).read_bytes() for each in train.columns["photo"]], object)}
    x = fitted.apply(files)["x"]
    assert x.shape == (2, width) and tensor.width == width and x.dtype == np.float32
    np.testing.assert_allclose(x.mean(), np.mean([np.asarray(each) / 255 for each in images]), atol=0.02)
    decode = fitted.operations[0]
    assert flatten(decode, to_one=True).rows == 1  # type: ignore[arg-type]


def test_a_network_of_images_gets_their_pixels(tmp_path: Path):
    train = data(tmp_path, [noise(n, 20, 30) for n in range(2)])
    fitted, (tensor,) = fit_prepare(train, Prepare(), "image")
    assert isinstance(fitted, Fitted)
    assert (tensor.name, tensor.dtype, tensor.shape) == ("photo", "uint8", (20, 30, 3))
