"""Augmentations that move pixels: what goes where, known by hand or by torchvision's and PIL's rules."""

import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.improve.places import Crop, Flip, ResizedCrop, Rotate, Scale, Translate, matrices, shifted, warped


def numbered(height: int, width: int, count: int = 1) -> torch.Tensor:
    """Bytes [B, H, W, 1], each pixel's number in its image."""
    return torch.arange(height * width, dtype=torch.uint8).reshape(1, height, width, 1).repeat(count, 1, 1, 1)


def test_about_its_share_of_images_is_mirrored_and_no_other():
    torch.manual_seed(0)
    given = numbered(2, 3, 4000)
    found = Flip(share=0.3).change(given)
    is_mirrored = (found == given.flip(2)).flatten(1).all(dim=1)
    is_same = (found == given).flatten(1).all(dim=1)
    assert bool((is_mirrored ^ is_same).all())
    assert abs(float(is_mirrored.float().mean()) - 0.3) < 0.03


def test_both_axes_mirror_each_by_itself():
    torch.manual_seed(0)
    found = Flip(axis="both").change(numbered(2, 2, 2000)).flatten(1)
    ways = ([0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0])
    counts = [int((found == torch.tensor(way)).all(dim=1).sum()) for way in ways]
    assert sum(counts) == 2000 and min(counts) > 420


@pytest.mark.parametrize(
    ("fill", "row"),
    [("reflect", [2, 1, 0, 1, 2]), ("edge", [0, 0, 0, 1, 2]), ("black", [0, 0, 0, 1, 2])],
)
def test_what_comes_in_from_outside_is_as_asked(fill, row):
    found = shifted(numbered(1, 5, 400), 0, 2, fill)[:, 0, :, 0].tolist()
    assert row in found
    assert ([2, 3, 4, 0, 0] in found) == (fill == "black")
    assert len({tuple(each) for each in found}) == 5


def test_every_shift_up_to_the_padding_is_as_likely():
    torch.manual_seed(0)
    given = numbered(8, 8, 5000)
    found = Crop(pad=0.125, fill="edge").change(given)
    middle = found[:, 4, 4, 0].int() - 36
    down, right = torch.div(middle + 1, 8, rounding_mode="floor"), (middle + 1).remainder(8) - 1
    assert sorted(set(down.tolist())) == [-1, 0, 1] and sorted(set(right.tolist())) == [-1, 0, 1]
    counts = torch.bincount((down + 1) * 3 + right + 1, minlength=9)
    assert float(counts.min()) > 5000 / 9 * 0.85


def test_a_translation_moves_along_each_axis_by_its_own_share():
    torch.manual_seed(0)
    found = Translate(horizontal=0.4, vertical=0.0, fill="black").change(numbered(1, 5, 200))
    assert bool((found[:, 0, 2, 0] <= 4).all()) and len(set(found[:, 0, 2, 0].tolist())) == 5
    still = Translate(horizontal=0.0, vertical=0.0).change(numbered(4, 4))
    assert torch.equal(still, numbered(4, 4))


def test_quarter_turns_are_torchs_own_and_all_alike():
    torch.manual_seed(0)
    given = numbered(3, 3, 2000)
    found = Rotate(quarters=True).change(given)
    counts = [int((found == given.rot90(turns, (1, 2))).flatten(1).all(dim=1).sum()) for turns in range(4)]
    assert sum(counts) == 2000 and min(counts) > 420


def test_quarter_turns_of_an_oblong_are_refused():
    with pytest.raises(RecipeError, match=r"2 x 3 pixels cannot be turned by 90 degrees"):
        Rotate(quarters=True).change(numbered(2, 3))


def test_a_warp_by_nothing_is_the_image_and_by_one_pixel_its_neighbour():
    given = numbered(4, 6)
    one, zero = torch.ones(1), torch.zeros(1)
    assert torch.equal(warped(given, matrices(one, zero, zero, zero, one, zero), "edge"), given)
    right = warped(given, matrices(one, zero, one, zero, one, zero), "black")
    assert torch.equal(right[:, :, :5], given[:, :, 1:]) and int(right[:, :, 5].sum()) == 0


def test_a_warp_by_a_quarter_turn_is_the_quarter_turn():
    given = numbered(5, 5)
    cos, sin, zero = torch.zeros(1), torch.ones(1), torch.zeros(1)
    turned = warped(given, matrices(cos, -sin, zero, sin, cos, zero), "black")
    assert torch.equal(turned, given.rot90(1, (1, 2))) or torch.equal(turned, given.rot90(-1, (1, 2)))


def test_angles_and_sizes_are_within_their_bounds():
    # A bright pixel 6 to the right of the middle: where it is afterwards tells the angle and the size.
    given = torch.zeros(300, 15, 15, 1)
    given[:, 7, 13] = 255.0
    axis = torch.arange(15.0) - 7

    def place(found):
        mass = found[..., 0] / found.sum(dim=(1, 2, 3))[:, None, None]
        return (mass * axis).sum(dim=(1, 2)), (mass * axis[:, None]).sum(dim=(1, 2))

    torch.manual_seed(0)
    x, y = place(Rotate(degrees=20, fill="black").change(given))
    angles = torch.rad2deg(torch.atan2(y, x))
    assert 18 < float(angles.max()) < 21 and -21 < float(angles.min()) < -18
    x, y = place(Scale(factor=1.15, fill="black").change(given))
    assert 6.6 < float(x.max()) < 7.0 and 5.1 < float(x.min()) < 5.4
    assert float(y.abs().max()) < 0.01


def test_a_resized_crop_shows_at_least_its_least_area():
    torch.manual_seed(0)
    height, width = 20, 20
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(20.0), indexing="ij")
    given = torch.stack([y, x], dim=-1)[None].repeat(500, 1, 1, 1)
    found = ResizedCrop(least=0.4, stretch=1.5).change(given)
    rows = (found[:, -1, 0, 0] - found[:, 0, 0, 0]) / (height - 1)
    columns = (found[:, 0, -1, 1] - found[:, 0, 0, 1]) / (width - 1)
    area, ratio = rows * columns, columns / rows
    assert 0.36 < float(area.min()) < 0.45 and 0.9 < float(area.max()) <= 1.0
    assert 1.2 < float(ratio.max()) < 1.55
    assert float(found.min()) == 0.0 and float(found.max()) == 19.0
