"""Blending: the weight that is best, single members where they are as good, and choices without favour."""

import numpy as np
import pytest

from deepwright.evaluation.blend import GRID, blend, mixed
from deepwright.evaluation.classify import LogLoss


def values(rows: int, share: float, seed: int = 0):
    """Two members with independent errors whose best mean has `share` of the first."""
    draw = np.random.default_rng(seed)
    target = draw.normal(size=rows)
    first_sd, second_sd = np.sqrt(1 - share), np.sqrt(share)
    return target, target + first_sd * draw.normal(size=rows), target + second_sd * draw.normal(size=rows)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_the_share_is_the_one_that_theory_gives(share):
    target, first, second = values(20_000, share)
    assert blend(target, first, second, "regression").share == pytest.approx(share, abs=0.051)


def test_no_other_share_has_less_loss():
    draw = np.random.default_rng(0)
    target = draw.integers(0, 2, 3000)
    scores = [target * 1.5 - 0.75 + draw.normal(size=3000) for _ in range(2)]
    first, second = (np.stack([1 / (1 + np.exp(s)), 1 / (1 + np.exp(-s))], axis=1) for s in scores)
    found = blend(target, first, second, "classification").share
    losses = [LogLoss().value(target, mixed(share, first, second)) for share in GRID]
    assert 0.3 < found < 0.7
    assert losses[GRID.tolist().index(found)] == min(losses)


def test_a_member_that_adds_nothing_is_left_out():
    target, first, _ = values(500, 0.5)
    assert blend(target, first, first + np.random.default_rng(1).normal(size=500), "regression").share == 1.0
    assert blend(target, first, first, "regression").share in (0.0, 1.0)


def test_few_rows_give_a_single_member():
    formed = [0 < blend(*values(12, 0.9, seed), "regression").share < 1 for seed in range(40)]
    assert np.mean(formed) < 0.5
    assert all(0 < blend(*values(2000, 0.5, seed), "regression").share < 1 for seed in range(5))


def test_weights_count_rows():
    target, first, second = values(1000, 0.5)
    weight = np.random.default_rng(0).integers(0, 3, 1000).astype(float)
    repeated = np.repeat(np.arange(1000), weight.astype(int))
    found = blend(target, first, second, "regression", weight).share
    assert found == pytest.approx(blend(target[repeated], first[repeated], second[repeated], "regression").share)


def test_cross_fitted_answers_are_made_with_shares_that_did_not_see_their_rows():
    target, first, second = values(400, 0.5)
    found = blend(target, first, second, "regression", seed=3)
    fold = np.random.default_rng(3).permutation(400) % 5
    shares = (found.cross_fitted - second) / (first - second)
    for number in range(5):
        here = fold == number
        own = np.unique(shares[here].round(6))
        assert len(own) == 1
        changed = target.copy()
        changed[here] += 100.0  # what stands in a fold does not move its own share
        again = blend(changed, first, second, "regression", seed=3).cross_fitted
        np.testing.assert_allclose(again[here], found.cross_fitted[here])
