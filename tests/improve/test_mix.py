"""MixUp and CutMix: the shares that images and targets have."""

import numpy as np
import pytest
import torch

from deepwright.improve.mix import CutMix, MixUp, kept_share, others


def test_every_image_has_another_one_and_is_once_another():
    torch.manual_seed(0)
    for count in (2, 3, 8):
        other = others(torch.zeros(count, 1, 1, 1))
        assert sorted(other.tolist()) == list(range(count))
        assert not bool((other == torch.arange(count)).any())


def test_mixup_is_the_weighted_mean():
    torch.manual_seed(1)
    given = torch.rand(5, 4, 4, 3) * 255
    mixed, other, kept = MixUp().mix(given)
    torch.testing.assert_close(mixed, kept * given + (1 - kept) * given[other])
    assert 0 < kept < 1


def test_cutmix_keeps_the_share_of_pixels_that_it_says():
    given = torch.arange(6.0).reshape(6, 1, 1, 1).expand(6, 9, 7, 1)
    for seed in range(20):
        torch.manual_seed(seed)
        mixed, other, kept = CutMix().mix(given)
        own = (mixed == given).float().mean(dim=(1, 2, 3))
        torch.testing.assert_close(own, torch.full((6,), kept))
        assert bool(((mixed == given) | (mixed == given[other])).all())


@pytest.mark.parametrize("concentration", [0.2, 1.0, 5.0])
def test_the_share_that_is_kept_is_beta_distributed(concentration):
    torch.manual_seed(0)
    drawn = np.array([kept_share(concentration) for _ in range(800)])
    assert abs(drawn.mean() - 0.5) < 0.05
    assert drawn.var() == pytest.approx(0.25 / (2 * concentration + 1), rel=0.15)
