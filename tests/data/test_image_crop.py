"""Crops: the same as cutting one by one, and a function of (seed, epoch, index) alone."""

import numpy as np
import pytest

from deepwright.data.image_crop import cut, draw_crops

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 20, 26, 3), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(16, 19), (20, 26), (1, 1)])
def test_crops_are_what_slicing_one_by_one_gives(size: tuple[int, int], channels: int):
    pixels = np.ascontiguousarray(PIXELS[..., :channels])
    index = np.array([3, 3, 29, 0, *range(20)])
    top, left, is_flipped = draw_crops(index, (20 - size[0], 26 - size[1]), seed=1, epoch=2, flip=True)
    is_flipped[:8] = True  # a block without an upright one
    out = np.empty((len(index), *size, channels), np.uint8)
    cut(pixels, index, top, left, is_flipped, out)
    for place, row in enumerate(index):
        expected = pixels[row, top[place] : top[place] + size[0], left[place] : left[place] + size[1]]
        assert (out[place] == (expected[:, ::-1] if is_flipped[place] else expected)).all()


def test_draws_depend_on_seed_epoch_and_index_and_on_nothing_else():
    index = np.arange(1000)
    drawn = np.stack(draw_crops(index, (32, 32), seed=5, epoch=3, flip=True))
    order = np.random.default_rng(0).permutation(1000)
    assert (np.stack(draw_crops(index[order], (32, 32), seed=5, epoch=3, flip=True)) == drawn[:, order]).all()
    for other in ({"seed": 6, "epoch": 3}, {"seed": 5, "epoch": 4}):
        assert (np.stack(draw_crops(index, (32, 32), flip=True, **other)) != drawn).any(0).mean() > 0.99


def test_every_offset_is_equally_likely_and_half_are_flipped():
    top, left, is_flipped = draw_crops(np.arange(66_000), (32, 32), seed=0, epoch=0, flip=True)
    for offsets in (top, left):
        counts = np.bincount(offsets)
        assert len(counts) == 33 and np.abs(counts / 2000 - 1).max() < 0.1  # 4.5 standard deviations
    assert abs(is_flipped.mean() - 0.5) < 0.01
    assert np.abs(np.corrcoef([top, left, is_flipped]) - np.eye(3)).max() < 0.02


def test_nothing_is_flipped_when_flip_is_off():
    assert not draw_crops(np.arange(100), (2, 2), seed=0, epoch=0, flip=False)[2].any()
