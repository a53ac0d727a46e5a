"""Metrics of intervals; test_every_metric.py has the values."""

import numpy as np
import pytest

from deepwright.evaluation.coverage import Coverage, IntervalWidth
from deepwright.evaluation.interval import interval, proportion


def test_coverage_has_the_interval_of_a_proportion_and_width_that_of_a_mean():
    rng = np.random.default_rng(0)
    target = rng.normal(size=200)
    ends = np.stack([np.full(200, -1.0), 1.0 + rng.random(200)], axis=1)
    inside = int(((target >= ends[:, 0]) & (target <= ends[:, 1])).sum())
    assert interval(Coverage(), target, ends) == (*proportion(inside, 200), "wilson")
    low, high, method = interval(IntervalWidth(), target, ends)
    assert (method, low < IntervalWidth().value(target, ends) < high) == ("bootstrap_t", True)


def test_the_ends_belong_to_the_interval():
    assert Coverage().value(np.array([1.0, 2.0]), np.array([[1.0, 1.5], [1.5, 2.0]])) == 1


def test_an_end_without_bound_covers_and_leaves_the_width_undefined():
    ends = np.array([[-np.inf, np.inf]] * 5)
    assert Coverage().value(np.zeros(5), ends) == 1
    assert not np.isfinite(IntervalWidth().value(np.zeros(5), ends))
    assert interval(IntervalWidth(), np.zeros(5), ends) == (None, None, "none")


def test_weights_count_rows():
    assert Coverage().value(np.array([0.0, 9.0]), np.array([[0, 1], [0, 1.0]]), np.array([3.0, 1.0])) == pytest.approx(
        0.75
    )
