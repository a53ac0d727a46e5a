"""Augmentations of what pixels hold, beside numbers worked out by hand and scipy's blur."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from deepwright.improve.colour import Blur, Colour, Erase, rectangle

NONE = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0}


def noise(count: int = 4, side: int = 12, channels: int = 3) -> torch.Tensor:
    return torch.randint(0, 256, (count, side, side, channels), generator=torch.Generator().manual_seed(0)).float()


@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_asked_is_nothing_done(channels):
    torch.testing.assert_close(
        Colour(**NONE).change(noise(channels=channels)), noise(channels=channels), atol=1e-2, rtol=0
    )


def test_brightness_is_a_factor_for_each_image():
    torch.manual_seed(0)
    given = torch.full((500, 2, 2, 3), 100.0)
    found = Colour(**{**NONE, "brightness": 0.5}).change(given)
    each = found[:, 0, 0, 0]
    torch.testing.assert_close(found, each[:, None, None, None].expand_as(found))
    assert 50 <= float(each.min()) < 53 and 147 < float(each.max()) <= 150


def test_contrast_keeps_the_mean_and_saturation_the_brightness():
    torch.manual_seed(0)
    given = noise() / 255 * 60 + 100
    weights = torch.tensor([0.299, 0.587, 0.114])
    grey = (given * weights).sum(-1)
    by_contrast = Colour(**{**NONE, "contrast": 0.5}).change(given)
    torch.testing.assert_close((by_contrast * weights).sum(-1).mean((1, 2)), grey.mean((1, 2)), atol=0.01, rtol=0)
    assert not torch.allclose((by_contrast * weights).sum(-1), grey, atol=1)
    for option in ("saturation", "hue"):
        found = Colour(**{**NONE, option: 0.4}).change(given)
        torch.testing.assert_close((found * weights).sum(-1), grey, atol=0.2, rtol=0)
        assert not torch.allclose(found, given, atol=1)


def test_half_the_circle_of_colours_turns_red_into_its_opposite():
    red = torch.tensor([150.0, 100.0, 100.0]).reshape(1, 1, 1, 3).repeat(400, 1, 1, 1)
    torch.manual_seed(0)
    found = Colour(**{**NONE, "hue": 0.5}).change(red)[:, 0, 0]
    grey = 0.299 * 150 + 0.701 * 100
    gaps = (found - (2 * grey - red[0, 0, 0])).abs().amax(dim=1)
    assert float(gaps.min()) < 1 and float(gaps.median()) > 10


def test_grey_images_have_brightness_and_contrast_alone():
    given = noise(channels=1)
    found = Colour(**{**NONE, "saturation": 1.0, "hue": 0.5}).change(given)
    torch.testing.assert_close(found, given, atol=1e-2, rtol=0)


def test_a_blur_is_scipys_of_some_width():
    torch.manual_seed(0)
    given = noise(count=1, side=20, channels=1)
    found = Blur(most=1.0, share=1.0).change(given)[0, :, :, 0].numpy()
    widths = np.linspace(0.1, 1.0, 400)
    gaps = [np.abs(ndimage.gaussian_filter(given[0, :, :, 0].numpy(), w, mode="mirror", truncate=2 / w) - found).max()
            for w in widths]  # fmt: skip
    assert min(gaps) < 1.5
    assert widths[int(np.argmin(gaps))] > 0.2


def test_a_blur_leaves_images_of_one_colour_and_those_it_does_not_fall_on():
    flat = torch.full((3, 9, 7, 3), 77, dtype=torch.uint8)
    assert torch.equal(Blur(most=2.0, share=1.0).change(flat), flat)
    given = noise(count=200).to(torch.uint8)
    torch.manual_seed(0)
    same = (Blur(share=0.25).change(given) == given).flatten(1).all(dim=1)
    assert 0.65 < float(same.float().mean()) < 0.85


def test_a_rectangle_is_as_large_as_asked_and_anywhere():
    torch.manual_seed(0)
    images = torch.zeros(2000, 8, 10, 1)
    inside = rectangle(images, torch.full((2000,), 3.0), torch.full((2000,), 4.0))
    assert set(inside.sum(dim=(1, 2, 3)).tolist()) == {12}
    often = inside.float().mean(dim=0)[:, :, 0]
    assert float(often[0, 0]) > 0.01 and float(often[-1, -1]) > 0.01 and float(often[4, 5]) > 0.2


@pytest.mark.parametrize("fill", ["mean", "black", "noise"])
def test_what_is_erased_is_one_rectangle_within_its_bounds(fill):
    torch.manual_seed(0)
    given = noise(count=100, side=20).clamp(min=1)
    found = Erase(least=0.1, most=0.3, fill=fill, share=1.0).change(given)
    covered = (found != given).any(dim=-1)
    share = covered.float().mean(dim=(1, 2))
    assert float(share.min()) > 0.06 and float(share.max()) < 0.34
    for mask in covered[:20]:
        rows, columns = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
        assert bool(mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].float().mean() > 0.95)
    if fill == "black":
        assert float(found[covered].abs().max()) == 0
    if fill == "mean":
        torch.testing.assert_close(found[0][covered[0]][0], given[0].mean(dim=(0, 1)))
