"""Label safety: digits lose their labels in a mirror, symmetric images do not, and only training rows are asked."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError
from deepwright.core.schema import Feature, Schema
from deepwright.improve.colour import Colour
from deepwright.improve.label_safety import Survival, survivals
from deepwright.improve.places import Crop, Flip, Rotate


def rows(count: int, levels: tuple[str, ...] = (), part: str = "train", group: np.ndarray | None = None) -> Dataset:
    kind = "category" if levels else "number"
    features = [Feature(name="y", type=kind, role="target", levels=levels)]
    columns = {"y": np.zeros(count)}
    if group is not None:
        features.append(Feature(name="who", type="category", role="group"))
        columns["who"] = group
    schema = Schema(features=tuple(features))
    return Dataset(columns, schema, part, np.arange(count), np.arange(count, dtype=np.uint64))


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    found = load_digits()
    return (found.images * 15.9).astype(np.uint8)[..., None], found.target.astype(np.int64)


def outcomes(images, target, changes, **options) -> dict[str, Survival]:
    levels = tuple(map(str, range(int(target.max()) + 1))) if target.dtype == np.int64 else ()
    found = survivals(rows(len(images), levels, **options), images, target, changes)
    return {f"{change.kind} {place}": each for place, (change, each) in enumerate(zip(changes, found, strict=True))}


def test_digits_survive_neither_a_mirror_nor_a_quarter_turn_but_a_crop(digits):
    found = outcomes(*digits, [Flip(), Flip(axis="vertical"), Rotate(quarters=True), Crop(), Rotate(degrees=10)])
    assert [each.outcome for each in found.values()] == ["off", "off", "off", "kept", "kept"]
    assert [each.name for each in found.values()][1:3] == ["flip axis=vertical", "rotate quarters=True"]
    flip = found["flip 0"]
    assert flip.plain > 0.95 and flip.changed < 0.45 and 0.5 < flip.low < flip.lost < flip.high
    assert flip.rows == 898 and flip.worst in "0123456789" and flip.worst_lost > 0.8


def blobs(count: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Three classes by shape (a disc, a ring, a cross), at any place and brightness: symmetric as a set."""
    draw = np.random.default_rng(0)
    y, x = np.mgrid[:12, :12]
    images, target = np.zeros((count, 12, 12, 1), np.uint8), draw.integers(0, 3, count)
    for place, kind in enumerate(target):
        cy, cx = draw.integers(4, 8, 2)
        far = np.hypot(y - cy, x - cx)
        shape = (far < 3.5) if kind == 0 else (abs(far - 3) < 0.9) if kind == 1 else ((y == cy) | (x == cx)) & (far < 4)
        images[place, ..., 0] = draw.integers(0, 40, (12, 12)) + shape * draw.integers(120, 200)
    return images, target


def test_a_set_that_is_symmetric_keeps_its_flips_and_turns():
    found = outcomes(*blobs(), [Flip(axis="both"), Rotate(quarters=True), Crop(pad=0.1)])
    assert [each.outcome for each in found.values()] == ["kept"] * 3
    assert all(each.plain > 0.9 and each.high < 0.15 for each in found.values())


def test_one_class_that_changes_is_enough():
    # Of the three shapes the ring is open, to the left: its mirror image is no longer it.
    images, target = blobs(900)
    target = np.concatenate([target, np.full(300, 3)])
    left = images[:900][target[:900] == 1][:300].copy()
    images = np.concatenate([images, left[:, :, ::-1]])[: 900 + len(left)]
    target = target[: len(images)]
    for place in range(len(images)):  # classes 1 and 3: a ring with a gap to one side
        if target[place] in (1, 3):
            lit = images[place, ..., 0] > 100
            columns = np.nonzero(lit.any(axis=0))[0]
            half = lit & (
                (np.arange(12) < columns.mean())[None] if target[place] == 1 else (np.arange(12) > columns.mean())[None]
            )
            images[place, ..., 0][half] = 20
    found = outcomes(images, target, [Flip(), Flip(axis="vertical")])
    assert [each.outcome for each in found.values()] == ["off", "kept"]
    assert found["flip 0"].worst in ("1", "3")


def test_colour_is_off_where_the_label_is_the_hue():
    draw = np.random.default_rng(0)
    target = draw.integers(0, 3, 600)
    images = np.clip(draw.normal(90, 20, (600, 10, 10, 3)), 0, 255).astype(np.uint8)
    images[np.arange(600), ..., target] = np.minimum(images[np.arange(600), ..., target].astype(int) + 70, 255)
    found = outcomes(images, target, [Colour(hue=0.5, saturation=0.0), Colour()])
    assert [each.outcome for each in found.values()] == ["off", "kept"]


def test_values_that_a_mirror_changes_are_noticed():
    draw = np.random.default_rng(0)
    place = draw.integers(1, 11, 500)
    images = draw.integers(0, 40, (500, 12, 12, 1)).astype(np.uint8)
    images[np.arange(500), :, place] += 150
    values = place.astype(np.float64)
    found = outcomes(images, values, [Flip(), Flip(axis="vertical")])
    assert [each.outcome for each in found.values()] == ["off", "kept"]
    assert found["flip 0"].plain > 0.8 and found["flip 0"].worst is None


def test_labels_by_chance_cannot_be_judged():
    draw = np.random.default_rng(0)
    images, target = draw.integers(0, 256, (300, 8, 8, 1)).astype(np.uint8), draw.integers(0, 3, 300)
    assert outcomes(images, target, [Flip()])["flip 0"].outcome == "unclear"


def test_a_group_stands_in_one_half():
    # Images of one object are nearly equal: with its twin in the other half, each would be known by heart.
    draw = np.random.default_rng(0)
    objects = draw.integers(0, 256, (60, 8, 8, 1))
    images = np.repeat(objects, 8, axis=0).astype(np.uint8)
    target = np.repeat(draw.integers(0, 2, 60), 8)
    group = np.repeat([f"object {number}" for number in range(60)], 8).astype(object)
    apart = outcomes(images, target, [Flip()], group=group)["flip 0"]
    together = outcomes(images, target, [Flip()])["flip 0"]
    assert together.plain > 0.9 > 0.75 > apart.plain


def test_large_images_are_brought_down_and_few_rows_are_not_asked(digits):
    images = digits[0][:200].repeat(12, axis=1).repeat(16, axis=2)
    assert outcomes(images, digits[1][:200], [Flip()])["flip 0"].outcome == "off"
    few = outcomes(digits[0][:12], digits[1][:12], [Flip(), Crop()])
    assert [(each.outcome, each.rows) for each in few.values()] == [("few", 6)] * 2
    group = np.full(200, "one", object)
    assert outcomes(images, digits[1][:200], [Flip()], group=group)["flip 0"].outcome == "few"


def test_the_same_rows_give_the_same_figures_and_torchs_draws_stay(digits):
    images, target = digits[0][:300], digits[1][:300]
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = outcomes(images, target, [Flip(), Crop()])
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert outcomes(images, target, [Flip(), Crop()]) == first


@pytest.mark.parametrize("part", ["validation", "test", "whole"])
def test_no_other_part_is_asked(digits, part):
    with pytest.raises(LeakError, match="augment"):
        outcomes(*digits, [Flip()], part=part)
