"""Spikes: placeholders and caps are found, and what only looks like one is not."""

import numpy as np
import pytest

from deepwright.data.spikes import cap, placeholder

NORMAL = np.random.default_rng(0).normal(120.0, 30.0, 400).round()
SKEWED = np.random.default_rng(1).gamma(2.0, 60.0, 400).round() + 14


def with_value(column: np.ndarray, value: float, rows: int) -> np.ndarray:
    return np.concatenate([column, np.full(rows, value)])


@pytest.mark.parametrize("value", [0.0, -1.0, -999.0, 999.0])
def test_a_few_placeholders_far_from_a_bell_are_clear(value: float):
    column = NORMAL[np.abs(NORMAL - 120.0) < 70.0]
    spike = placeholder(with_value(column, value, 4))
    assert spike is not None and (spike.value, spike.rows, spike.is_clear) == (value, 4, True)


def test_many_zeros_before_a_skewed_column_are_clear_and_few_are_only_named():
    many, few = placeholder(with_value(SKEWED, 0.0, 300)), placeholder(with_value(SKEWED, 0.0, 8))
    assert many is not None and many.is_clear and many.share == pytest.approx(300 / 700)
    assert few is not None and not few.is_clear


def test_what_most_rows_have_is_never_clear():
    column = NORMAL[np.abs(NORMAL - 120.0) < 70.0]
    ordinary = placeholder(with_value(column, 0.0, 2 * len(column)))  # as most people have lost no capital
    rare = placeholder(with_value(column, 0.0, len(column)))
    assert ordinary is not None and not ordinary.is_clear
    assert rare is not None and rare.is_clear


@pytest.mark.parametrize(
    "column",
    [
        np.random.default_rng(0).poisson(3.0, 500).astype(float),  # counts
        with_value(np.random.default_rng(0).exponential(100.0, 400), 0.0, 300),  # the next value is near
        with_value(np.random.default_rng(0).lognormal(8.0, 1.0, 60).round(), 0.0, 900),  # mostly zero, like gains
        np.array([0.0, 1.0] * 100),
        with_value(np.repeat([20.0, 30.0, 40.0], 100), 0.0, 30),  # a scale of few values
        with_value(NORMAL, 0.0, 1),  # one outlier
        NORMAL,
        np.full(50, np.nan),
        np.array([]),
    ],
)
def test_an_honest_value_is_no_placeholder(column: np.ndarray):
    assert placeholder(column) is None


def test_a_cap_is_a_pile_at_an_end_of_many_values():
    values = np.random.default_rng(0).normal(2e5, 5e4, 2000).round()
    spike = cap(with_value(values[values < 300_000], 300_001.0, 90))
    assert spike is not None and (spike.value, spike.rows) == (300_001.0, 90)
    low = cap(with_value(-values[values < 300_000], -300_001.0, 90))
    assert low is not None and low.value == -300_001.0


@pytest.mark.parametrize(
    "column",
    [
        NORMAL,
        np.random.default_rng(0).poisson(40.0, 3000).astype(float),
        with_value(np.random.default_rng(0).exponential(100.0, 2000), 0.0, 1000),  # zeros are no cap
        np.repeat(np.arange(5.0), 100),
    ],
)
def test_a_thinning_end_is_no_cap(column: np.ndarray):
    assert cap(column) is None
