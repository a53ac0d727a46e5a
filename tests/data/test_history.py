"""Steps on windows: what they choose of the training part, and known numbers."""

import numpy as np
import pytest

from deepwright.core.errors import DataError
from deepwright.data.history import Differences, Lags, Resampling, Rolling, Spectrum
from tests.conformance.histories import part_of, series, windows


@pytest.fixture(scope="module")
def columns() -> dict[str, np.ndarray]:
    return windows(series())


def test_lags_are_the_newest_three_and_the_season_of_the_training_part(columns):
    train = part_of(columns, "train")
    lags = {operation.columns[0]: operation.lags for operation in Lags().fit(train).operations}
    assert lags["load"] == (1, 2, 3, 12) and lags["price"][:3] == (1, 2, 3)
    assert "load (1, 2, 3, 12)" in Lags().findings(train)[0].text


def test_lag_1_is_the_newest_moment_and_names_say_so(columns):
    result = Lags(lags=(1, 12)).fit(part_of(columns, "train")).apply(columns)
    np.testing.assert_array_equal(result["load lag 1"], columns["load"][:, -1])
    np.testing.assert_array_equal(result["load lag 12"], series()[12:109, 0])


def test_a_difference_over_a_season_takes_the_wave_out(columns):
    result = Differences(lags=(12,)).fit(part_of(columns, "train")).apply(columns)
    assert result["load change 12"].std() < 0.2 < columns["load"][:, -1].std()


def test_rolling_looks_at_a_season_where_no_width_is_named(columns):
    result = Rolling(quantiles=(0.5,)).fit(part_of(columns, "train")).apply(columns)
    np.testing.assert_allclose(result["load mean of 12"], columns["load"][:, -12:].mean(axis=1))
    np.testing.assert_allclose(result["load quantile 0.5 of 12"], np.median(columns["load"][:, -12:], axis=1))


def test_the_wave_lies_in_one_band_of_the_spectrum(columns):
    result = Spectrum(bands=3).fit(part_of(columns, "train")).apply(columns)
    shares = np.stack([result[f"load band {band}"] for band in (1, 2, 3)])
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, rtol=1e-9)
    assert (shares.max(axis=0) > 0.9).all()


def test_resampled_windows_go_into_further_steps(columns):
    train = part_of(columns, "train")
    coarse = Resampling(every=4, by="last").fit(train)
    result = coarse.apply(columns)
    assert result["load"].shape == (97, 6)
    then = coarse.then(Lags(lags=(2,)).fit(part_of({name: result[name] for name in ("load", "price")}, "train")))
    np.testing.assert_array_equal(then.apply(columns)["load lag 2"], columns["load"][:, -5])


@pytest.mark.parametrize(
    "step", [Lags(lags=(25,)), Differences(lags=(24,)), Rolling(widths=(25,)), Spectrum(width=25), Resampling(every=25)]
)
def test_more_than_the_window_has_is_refused(step, columns):
    with pytest.raises(DataError, match="a window has 24 moments and 25 are looked at"):
        step.fit(part_of(columns, "train"))
