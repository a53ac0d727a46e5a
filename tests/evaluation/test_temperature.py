"""Temperature: the known best one is found, and none is taken that does not help."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from deepwright.evaluation.classify import LogLoss
from deepwright.evaluation.temperature import LEAST, best_temperature, temper, tempered


def drawn(rows=2000, classes=3, sureness=1.0, seed=0):
    """Rows whose classes come as true probabilities say, and these probabilities made `sureness` times as sure."""
    draw = np.random.default_rng(seed)
    true = draw.dirichlet(np.full(classes, 0.7), rows)
    target = (draw.random(rows)[:, None] > true.cumsum(axis=1)).sum(axis=1)
    return target, tempered(true, 1 / sureness)


@pytest.mark.parametrize("sureness", [0.5, 3.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_temperature_undoes_what_made_answers_too_sure(classes, sureness):
    target, answer = drawn(4000, classes, sureness)
    found = temper(target, answer)
    assert found.temperature == pytest.approx(sureness, rel=0.08)
    assert found.log_loss[1] < found.log_loss[0]
    assert found.calibration_error[1] < found.calibration_error[0] / 2


def test_it_is_the_minimum_that_scipy_finds():
    target, answer = drawn(sureness=2.0)
    best = minimize_scalar(lambda t: LogLoss().value(target, tempered(answer, t)), bounds=(0.5, 5), method="bounded")
    assert best_temperature(target, answer, np.ones(len(target))) == pytest.approx(best.x, rel=0.01)


def test_none_is_taken_where_answers_are_as_sure_as_right():
    taken = []
    for seed in range(20):
        target, answer = drawn(500, 2, seed=seed)
        found = temper(target, answer, seed=seed)
        taken.append(found.helps)
        if not found.helps:
            np.testing.assert_array_equal(found.cross_fitted, answer)
    assert sum(taken) <= 5


def test_cross_fitted_answers_tell_the_gain_on_rows_that_did_not_choose():
    target, answer = drawn(200, 2, sureness=3.0)
    found = temper(target, answer)
    seen = LogLoss().value(target, tempered(answer, found.temperature))
    assert found.log_loss[0] > found.log_loss[1] > seen
    assert LogLoss().value(target, found.cross_fitted) == found.log_loss[1]


def test_rows_count_by_their_weight():
    first, second = drawn(2000, 2, 3.0), drawn(2000, 2, 0.5, seed=1)
    target, answer = (np.concatenate(pair) for pair in zip(first, second, strict=True))
    heavy = np.where(np.arange(4000) < 2000, 1.0, 1e-9)
    assert best_temperature(target, answer, heavy) == pytest.approx(3.0, rel=0.1)
    assert best_temperature(target, answer, 1 - heavy) == pytest.approx(0.5, rel=0.1)


def test_no_fault_among_few_rows_makes_answers_no_more_than_soundly_sure():
    target = np.arange(40) % 2
    answer = np.eye(2)[target] * 0.4 + 0.3
    sure = tempered(answer, temper(target, answer).temperature).max()
    assert 0.9 < sure < 0.99
    assert best_temperature(target, answer, np.ones(40)) > LEAST


def test_no_weight_at_all_leaves_answers_as_they_are():
    target, answer = drawn(20)
    assert best_temperature(target, answer, np.zeros(20)) == 1.0
