"""TrivialAugment: each change beside PIL's, and how often which is drawn."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from deepwright.improve import trivial_augment as changes
from deepwright.improve.trivial_augment import CHANGES, TrivialAugment

PIXELS = np.random.default_rng(0).integers(40, 200, (16, 16, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)


def one(change, level: float) -> np.ndarray:
    return change(torch.from_numpy(PIXELS.copy())[None], torch.tensor([level]))[0].numpy()


@pytest.mark.parametrize(
    ("change", "level", "theirs", "most"),
    [
        (changes.auto_contrast, 0.0, lambda: ImageOps.autocontrast(PICTURE), 1),
        (changes.equalize, 0.0, lambda: ImageOps.equalize(PICTURE), 6),
        (changes.posterize, 0.67, lambda: ImageOps.posterize(PICTURE, 4), 0),
        (changes.solarize, 0.5, lambda: ImageOps.solarize(PICTURE, 128), 0),
        (changes.brightness, 0.5, lambda: ImageEnhance.Brightness(PICTURE).enhance(1.495), 1),
        (changes.brightness, -0.5, lambda: ImageEnhance.Brightness(PICTURE).enhance(0.505), 1),
        (changes.colour, -0.5, lambda: ImageEnhance.Color(PICTURE).enhance(0.505), 1),
        (changes.contrast, 0.5, lambda: ImageEnhance.Contrast(PICTURE).enhance(1.495), 1),
        (changes.translate_x, 0.25, lambda: PICTURE.transform(PICTURE.size, Image.AFFINE, (1, 0, 4, 0, 1, 0)), 0),
        (changes.translate_y, -0.25, lambda: PICTURE.transform(PICTURE.size, Image.AFFINE, (1, 0, 0, 0, 1, -4)), 0),
    ],
)  # fmt: skip
def test_a_change_is_pils(change, level, theirs, most):
    assert int(np.abs(one(change, level).astype(int) - np.asarray(theirs()).astype(int)).max()) <= most


def test_sharpness_is_pils_but_for_the_border():
    theirs = np.asarray(ImageEnhance.Sharpness(PICTURE).enhance(0.505)).astype(int)
    assert int(np.abs(one(changes.sharpness, -0.5).astype(int) - theirs)[1:-1, 1:-1].max()) <= 1


def test_turning_and_shearing_are_pils_between_pixels():
    smooth = np.kron(PIXELS[:4, :4], np.ones((4, 4, 1))).astype(np.uint8)
    image = torch.from_numpy(smooth)[None]
    turned = changes.rotate(image, torch.tensor([30 / 135]))[0].numpy().astype(int)
    theirs = [np.asarray(Image.fromarray(smooth).rotate(a, Image.BILINEAR)).astype(int) for a in (30, -30)]
    assert min(np.abs(turned - each)[4:12, 4:12].mean() for each in theirs) < 2
    sheared = changes.shear_x(image, torch.tensor([0.5]))[0].numpy()
    np.testing.assert_array_equal(sheared.shape, smooth.shape)
    assert np.abs(sheared[7:9].astype(int) - smooth[7:9]).mean() < np.abs(sheared[:2].astype(int) - smooth[:2]).mean()


def test_an_image_of_one_colour_stays_under_contrast_and_equalizing():
    flat = torch.full((1, 8, 8, 3), 90, dtype=torch.uint8)
    for change in (changes.auto_contrast, changes.equalize):
        assert torch.equal(change(flat, torch.zeros(1)), flat)


def test_each_change_is_drawn_as_often_as_any_other(monkeypatch):
    seen = []

    def note(number):
        return lambda images, level: seen.append((number, len(images), level.abs().max().item())) or images

    monkeypatch.setattr(changes, "CHANGES", tuple(note(number) for number in range(len(CHANGES))))
    torch.manual_seed(0)
    TrivialAugment(strength=0.5).change(torch.zeros(14_000, 1, 1, 1, dtype=torch.uint8))
    assert [number for number, _, _ in seen] == list(range(14))
    assert all(850 < count < 1150 for _, count, _ in seen)
    assert all(level == pytest.approx(0.5) for _, _, level in seen)
