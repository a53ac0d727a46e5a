"""Metrics of several labels at their edges; test_every_metric.py has the values."""

import numpy as np

from deepwright.evaluation.interval import interval, proportion
from deepwright.evaluation.multi_label import LabelRankingPrecision, SubsetAccuracy


def test_a_row_without_labels_is_right_when_none_is_answered():
    target = np.zeros((2, 3), bool)
    answer = np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 0.6]])
    assert SubsetAccuracy().value(target, answer) == 0.5
    assert LabelRankingPrecision().value(target, answer) == 1


def test_a_label_is_answered_from_a_half_on():
    assert SubsetAccuracy().value(np.array([[True, False]]), np.array([[0.5, np.nextafter(0.5, 0)]])) == 1


def test_the_interval_of_the_share_of_right_rows_is_wilsons():
    target = np.random.default_rng(0).random((40, 2)) < 0.5
    answer = np.where(np.arange(40)[:, None] < 30, target, ~target).astype(float)
    assert interval(SubsetAccuracy(), target, answer) == (*proportion(30, 40), "wilson")
    low, high, _ = interval(LabelRankingPrecision(), target, answer * 0.9 + 0.05)
    assert low is not None and 0 < low < high < 1
