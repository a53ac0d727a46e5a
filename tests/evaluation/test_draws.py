"""How rows are drawn: groups stay whole, blocks are consecutive, and their length follows the autocorrelation."""

import numpy as np
import pytest

from deepwright.evaluation.draws import Dependence, Draws, block_length
from deepwright.evaluation.interval import interval, intervals
from deepwright.evaluation.regress import Mae


def _rows(generator: np.random.Generator, num_groups: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Errors of which half the variance is of the group; and the groups."""
    group = np.repeat(np.arange(num_groups), size)
    errors = generator.normal(size=num_groups)[group] + generator.normal(size=len(group))
    return errors, group


def _series(generator: np.random.Generator, n: int) -> np.ndarray:
    """An autoregressive series, each value 0.8 of the one before and a normal draw."""
    draws, series = generator.normal(size=n + 100), np.zeros(n + 100)
    for place in range(1, n + 100):
        series[place] = 0.8 * series[place - 1] + draws[place]
    return series[100:]


def test_rows_of_a_group_are_drawn_together():
    group = np.array([2, 0, 1, 1, 2, 2])
    (way,) = Dependence(group=group).draws(np.zeros((1, 6)))
    weights = np.concatenate(list(way.weights(50, 3)))
    assert (way.kind, way.pieces) == ("groups", 3)
    for number in range(3):
        assert (np.ptp(weights[:, group == number], axis=1) == 0).all()
    assert (weights[:, [1, 2, 0]].sum(axis=1) == 3).all()


def test_blocks_are_consecutive_moments_and_wrap_around():
    weights = next(Draws(10, np.arange(10), 5, "blocks").weights(200, 0))
    assert weights.shape == (200, 10)
    assert (weights.sum(axis=1) == 10).all()
    changes = (np.diff(weights, axis=1, append=weights[:, :1]) != 0).sum(axis=1)
    assert changes.max() <= 4  # two blocks have four ends at most
    assert weights.mean(axis=0) == pytest.approx(np.ones(10), abs=0.2)


def test_blocks_are_long_where_a_series_remembers_and_short_where_not():
    generator = np.random.default_rng(0)
    assert block_length(generator.normal(size=1000)) <= 2
    assert 10 <= block_length(_series(generator, 1000)) <= 60
    assert block_length(np.ones(50)) == 1


def test_rows_of_the_same_moment_are_drawn_together():
    dependence = Dependence.of(None, np.array([3.0, 1.0, 3.0, 2.0]))
    assert dependence.moment.tolist() == [2, 0, 2, 1]
    (way,) = dependence.draws(np.zeros((1, 4)))
    weights = next(way.weights(20, 0))
    assert (weights[:, 0] == weights[:, 2]).all()


def test_groups_of_one_row_each_are_no_dependence():
    assert Dependence.of(np.array(["a", "b", "c"], dtype=object), None) is None
    assert Dependence.of(None, None) is None


def test_of_two_ways_the_one_with_too_few_pieces_gives_way():
    moment, group = np.arange(200), np.arange(200) % 3
    (way,) = Dependence(group, moment).draws(np.random.default_rng(0).normal(size=(1, 200)))
    assert way.kind == "blocks"
    both = Dependence(np.arange(200) % 40, moment).draws(np.random.default_rng(0).normal(size=(1, 200)))
    assert [way.kind for way in both] == ["groups", "blocks"]


def test_the_wider_of_two_ways_is_given():
    errors, group = _rows(np.random.default_rng(0), 40, 10)
    zeros, moment = np.zeros(len(errors)), np.random.default_rng(1).permutation(len(errors))
    both, alone = (intervals((Mae(),), zeros, errors, dependence=Dependence(group, when))[0] for when in (moment, None))
    assert both[2] == alone[2] == "bootstrap_groups"
    assert both[0] <= alone[0] and both[1] >= alone[1]


def test_fewer_than_four_groups_give_no_interval():
    errors, group = _rows(np.random.default_rng(0), 3, 20)
    assert intervals((Mae(),), np.zeros(60), errors, dependence=Dependence(group)) == ((None, None, "none"),)


def _covered(num_trials: int, make, dependence) -> tuple[float, float]:
    """The share of trials whose interval holds the mean absolute error: drawn as rows hang together, and each alone."""
    truth = np.abs(make(np.random.default_rng(999), 1000)).mean()
    found = np.zeros(2)
    for trial in range(num_trials):
        errors = make(np.random.default_rng((5, trial)), 1)
        zeros = np.zeros(len(errors))
        for place, bounds in enumerate(
            (intervals((Mae(),), zeros, errors, dependence=dependence, seed=trial)[0], interval(Mae(), zeros, errors))
        ):
            found[place] += bounds[0] <= truth <= bounds[1]
    return tuple(found / num_trials)


def test_intervals_of_clustered_rows_cover_and_the_plain_ones_do_not():
    """100 trials: coverage of 95 % gives less than 88 % once in 250 such checks."""
    group = np.repeat(np.arange(40), 10)
    together, alone = _covered(100, lambda generator, times: _rows(generator, 40 * times, 10)[0], Dependence(group))
    assert together >= 0.88 > 0.85 > alone


def test_intervals_of_a_series_cover_and_the_plain_ones_do_not():
    dependence = Dependence(moment=np.arange(400))
    together, alone = _covered(100, lambda generator, times: _series(generator, 400 * min(times, 500)), dependence)
    assert together >= 0.86 > 0.8 > alone
