"""Calibration error: what it finds, and what chance alone shows."""

import numpy as np

from deepwright.evaluation.calibration import CalibrationError
from deepwright.evaluation.interval import interval


def _calibrated(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    positive = rng.random(n)
    return (rng.random(n) < positive).astype(int), np.stack([1 - positive, positive], axis=1)


def test_the_debiased_error_of_calibrated_rows_is_near_0_where_the_plain_one_is_not():
    rng = np.random.default_rng(0)
    plain, debiased = [], []
    for _ in range(50):
        target, answer = _calibrated(rng, 1000)
        plain.append(CalibrationError().value(target, answer))
        debiased.append(CalibrationError(estimate="debiased").value(target, answer))
    assert 0.03 < np.mean(plain) < 0.05, "the figure of the docstring"
    assert np.mean(debiased) < 0.5 * np.mean(plain)


def test_overconfidence_is_found_by_every_estimate():
    rng = np.random.default_rng(1)
    positive = rng.random(5000)
    target = (rng.random(5000) < 0.5 + 0.5 * (positive - 0.5)).astype(int)  # the gap is |p - 1/2| / 2
    answer = np.stack([1 - positive, positive], axis=1)
    for edges in ("width", "mass"):
        assert abs(CalibrationError(edges=edges).value(target, answer) - 0.125) < 0.02
        in_squares = CalibrationError(edges=edges, estimate="debiased").value(target, answer)
        assert abs(in_squares - np.sqrt(1 / 48)) < 0.01


def test_bins_of_equal_mass_hold_equally_many_rows_and_never_part_equal_scores():
    counts = np.ones((1, 8))
    assert CalibrationError(bins=4, edges="mass")._bins(np.arange(8), counts).tolist() == [[0, 0, 1, 1, 2, 2, 3, 3]]
    tied = np.array([[5.0, 1.0, 1.0, 1.0]])  # the first of four scores stands in five rows
    assert CalibrationError(bins=4, edges="mass")._bins(np.arange(4), tied).tolist() == [[0, 2, 3, 3]]


def test_it_has_no_interval():
    target, answer = _calibrated(np.random.default_rng(0), 100)
    assert interval(CalibrationError(), target, answer) == (None, None, "none")
