import numpy as np
import torch

from deepwright.train.randomness import generators, permutation, seed_for


def test_a_seed_depends_on_seed_purpose_and_place_and_nothing_else():
    seeds = {seed_for(s, p, *place) for s in (0, 1) for p in ("order", "step") for place in ((0,), (1,), (1, 0), (11,))}
    assert len(seeds) == 16


def test_seeds_stay_as_they_are_or_old_checkpoints_would_go_on_differently():
    assert seed_for(3, "step", 7) == 9757031702152030008


def test_a_permutation_has_every_row_once_and_differs_by_epoch():
    first, second = permutation(0, "order", 0, 1000), permutation(0, "order", 1, 1000)
    assert np.array_equal(np.sort(first), np.arange(1000))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, permutation(0, "order", 0, 1000))


def test_seeding_the_generators_is_seeding_torch():
    torch.manual_seed(12345)
    expected = torch.rand(3)
    for generator in generators(torch.device("cpu")):
        generator.manual_seed(12345)
    assert torch.equal(torch.rand(3), expected)
