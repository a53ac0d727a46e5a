"""The step of a series: seconds, counts or calendar months, its gaps and what fits no step."""

import numpy as np
import pytest

from deepwright.core.errors import RecipeError
from deepwright.data.series_step import rhythm, seconds_in

DAY = 86_400.0


def days(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[s]").astype(np.float64)


def test_hours_without_a_gap_are_regular():
    found = rhythm(np.arange(48) * 3600.0)
    assert (found.step, found.is_months, found.is_regular) == (3600.0, False, True)


def test_gaps_know_where_they_are_and_how_much_is_missing():
    found = rhythm(np.delete(np.arange(20) * 60.0, [5, 6, 12]))
    assert (found.gaps.tolist(), found.missing.tolist(), found.irregular.tolist()) == ([4, 9], [2, 1], [])
    assert found.breaks.tolist() == [4, 9]


def test_a_distance_that_is_no_whole_step_is_irregular():
    found = rhythm(np.array([0.0, 60.0, 120.0, 150.0, 210.0, 270.0]))
    assert (found.gaps.tolist(), found.irregular.tolist()) == ([], [2])


def test_months_of_unequal_days_are_one_step():
    starts = days("2023-11-01", "2023-12-01", "2024-01-01", "2024-02-01", "2024-03-01", "2024-05-01")
    ends = days("2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30")
    found = rhythm(starts)
    assert (found.step, found.is_months, found.missing.tolist()) == (1.0, True, [1])
    assert rhythm(ends).is_regular and rhythm(ends).is_months


def test_weeks_are_no_months():
    found = rhythm(np.arange(30) * 7 * DAY)
    assert (found.step, found.is_months, found.is_regular) == (7 * DAY, False, True)


def test_a_count_is_never_months():
    assert not rhythm(np.array([0.0, 31.0, 59.0]) * DAY, is_count=True).is_months


def test_one_moment_has_no_step():
    assert rhythm(np.array([5.0])).step == 0.0


@pytest.mark.parametrize("text", ["", "0h", "1 month", "h", "-1h", "1.5h"])
def test_what_is_no_length_of_time_is_refused(text: str):
    with pytest.raises(RecipeError, match="is no length of time"):
        seconds_in(text, "--source.resample")
