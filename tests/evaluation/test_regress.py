"""Metrics of regression against scikit-learn, weighted and degenerate rows too."""

import numpy as np
import pytest
from sklearn import metrics as sk

from deepwright.core.errors import RecipeError
from deepwright.evaluation.interval import interval
from deepwright.evaluation.regress import R2, Mae, Mape, MaxError, MedianAbsoluteError, Mse, Pinball, Rmse

PAIRS = (
    (Mse, sk.mean_squared_error),
    (Rmse, sk.root_mean_squared_error),
    (Mae, sk.mean_absolute_error),
    (Mape, sk.mean_absolute_percentage_error),
    (R2, sk.r2_score),
)


@pytest.mark.parametrize(("kind", "reference"), PAIRS)
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_every_metric_equals_scikit_learns_with_and_without_weights(kind, reference, shift: float):
    rng = np.random.default_rng(0)
    target = rng.normal(size=300) + shift
    answer = target + 0.5 * rng.normal(size=300)
    weight = rng.integers(0, 4, 300).astype(float)
    assert kind().value(target, answer) == pytest.approx(reference(target, answer), rel=1e-12)
    assert kind().value(target, answer, weight) == pytest.approx(
        reference(target, answer, sample_weight=weight), rel=1e-12 if shift == 0 else 1e-11
    )


def test_r2_of_a_constant_target_is_undefined():
    assert np.isnan(R2().value(np.full(7, 0.1), np.arange(7.0)))
    assert np.isnan(R2().value(np.array([3.0]), np.array([3.0])))


def test_r2_is_undefined_under_weights_that_leave_one_value():
    rng = np.random.default_rng(0)
    for trial in range(50):
        target = rng.normal(size=5)
        assert np.isnan(R2().value(target, np.zeros(5), 5.0 * (np.arange(5) == trial % 5)))


def test_mape_is_undefined_with_a_target_of_0():
    assert np.isnan(Mape().value(np.array([0.0, 1.0]), np.array([0.0, 1.0])))


def test_pinball_takes_one_level_per_answer():
    with pytest.raises(RecipeError) as error:
        Pinball(levels=(0.1, 0.9)).value(np.zeros(2), np.zeros(2))
    assert str(error.value) == (
        "pinball(levels=[0.1, 0.9]): found 1 answers per row for 2 levels; give one quantile level per answer with "
        "levels=."
    )
    with pytest.raises(RecipeError, match="levels"):
        Pinball(levels=(0.0,))


def test_the_largest_error_has_no_interval_since_more_rows_make_it_larger():
    target, answer = np.zeros(50), np.linspace(0.0, 1.0, 50)
    assert interval(MaxError(), target, answer) == (None, None, "none")
    low, high, _ = interval(MedianAbsoluteError(), target, answer)
    assert low is not None and low < MedianAbsoluteError().value(target, answer) < high
