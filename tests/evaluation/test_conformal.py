"""Conformal kinds: the bounds they take, and that the faults which cover too little are seen."""

import numpy as np
import pytest

from benchmarks.conformal import LEVEL, MOST_OFF, SIMULATIONS, learned_rows, off, plain_quantile
from deepwright.core.bundle import Answers
from deepwright.core.conformal import class_scores
from deepwright.evaluation.conformal import Absolute, Aps, Labels, Lac, Raps, Scaled
from deepwright.evaluation.covered import covered


@pytest.mark.parametrize("name", SIMULATIONS)
def test_new_rows_are_covered_as_often_as_is_said(name):
    assert off(SIMULATIONS[name], 100, 150) <= MOST_OFF


@pytest.mark.parametrize(("fault", "rows"), [(plain_quantile, 20), (learned_rows, 100)])
def test_a_planted_fault_is_seen(fault, rows):
    assert off(fault, rows, 150) > MOST_OFF


def test_a_scale_makes_intervals_in_proportion():
    draw = np.random.default_rng(0)
    scale = draw.uniform(0.5, 2, 200)
    target = scale * draw.normal(size=200)
    found = Scaled().calibrate(target, np.zeros(200), scale)
    width = np.diff(found.interval(np.zeros(200), scale), axis=1)[:, 0]
    np.testing.assert_allclose(width / scale, 2 * found.bound)
    plain = Absolute().calibrate(target, np.zeros(200))
    assert found.bound == np.sort(np.abs(target / scale))[180] and plain.bound == np.sort(np.abs(target))[180]


@pytest.mark.parametrize("part", [Lac(), Aps(), Raps(penalty=0.2, rank=1)])
def test_the_bound_is_of_the_true_classes_scores(part):
    draw = np.random.default_rng(0)
    probability = draw.dirichlet(np.ones(4), 99)
    target = draw.integers(0, 4, 99)
    penalty, rank = getattr(part, "penalty", 0.0), getattr(part, "rank", 0)
    own = class_scores(probability, part.kind, penalty, rank)[np.arange(99), target]
    assert part.calibrate(target, probability).bound == np.sort(own)[89]


def answers(**more):
    return Answers(("a", "b", "c"), np.full((4, 3), 1 / 3), None, np.zeros(4, bool), **more)


def test_coverage_and_size_of_sets_are_told():
    sets = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]], bool)
    found = covered(np.array([0, 1, 1, 2]), answers(sets=sets), part="test", member="m", optimistic=False)
    assert [(n.metric, n.value, n.n, n.part) for n in found] == [
        ("set_coverage", 0.75, 4, "test"),
        ("set_size", 1.75, 4, "test"),
    ]
    assert found[0].low < 0.75 < found[0].high


def test_a_set_of_labels_covers_a_row_where_it_holds_them_all():
    probability = np.array([[0.9, 0.2], [0.4, 0.7], [0.3, 0.1], [0.6, 0.8]], np.float32)
    target = np.array([[1, 0], [1, 1], [0, 0], [0, 1]], bool)
    conformal = Labels(level=0.5).calibrate(target, probability)
    assert conformal.bound == pytest.approx(0.2), (
        "the scores are .1, .6, 0 (no label) and .2, and the third is the bound"
    )
    sets = conformal.sets(probability)
    assert sets.tolist() == [[True, False], [False, False], [False, False], [False, True]]
    found = covered(
        target, Answers(("a", "b"), probability, None, np.zeros(4, bool), sets=sets, has_labels=True),
        part="test", member="m", optimistic=False,
    )  # fmt: skip
    assert [(n.metric, n.value) for n in found] == [("set_coverage", 0.75), ("set_size", 0.5)]


def test_coverage_and_width_of_intervals_are_told_and_nothing_of_neither():
    target, ends = np.array([1.0, 2.0, 3.0, 4.0]), np.array([[0, 2], [0, 1], [2, 4], [4, 8]], float)
    given = Answers((), None, target.astype(np.float32), np.zeros(4, bool), interval=ends)
    found = covered(target, given, part="validation", member="m", optimistic=True)
    assert [(n.metric, n.value, n.optimistic) for n in found] == [
        ("coverage", 0.75, True),
        ("interval_width", 2.25, True),
    ]
    assert covered(np.zeros(4, int), answers(), part="test", member="m", optimistic=False) == ()
    assert LEVEL == 0.9
