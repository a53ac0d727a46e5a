"""Windows: views that cross no series, gap or part."""

import numpy as np
import pytest

from deepwright.core.errors import DataError
from deepwright.data.windows import history_columns, offsets_of, windows


def values(moments: int = 30, dimensions: int = 2) -> np.ndarray:
    return np.arange(moments * dimensions, dtype=np.float32).reshape(moments, dimensions)


def test_history_and_future_lie_side_by_side():
    found = windows(values(), np.array([0, 30]), length=4, horizon=2)
    assert len(found) == 25
    assert found.history(np.array([3]))[0, :, 0].tolist() == [6, 8, 10, 12]
    assert found.future(np.array([3]))[0, :, 0].tolist() == [14, 16]
    assert found.last_known[3] == 6


def test_windows_are_a_view_of_the_one_array():
    array = values()
    found = windows(array, np.array([0, 30]), length=4, horizon=2)
    assert np.shares_memory(found.view, array) and found.view.shape == (25, 6, 2)
    assert found.values is array


def test_no_window_crosses_two_series_or_a_gap():
    entities = np.array([0] * 10 + [1] * 20)
    offsets = offsets_of(entities, np.array([15]))
    found = windows(values(), offsets, length=3, horizon=1)
    runs = np.searchsorted(offsets, found.starts, side="right")
    ends = np.searchsorted(offsets, found.starts + 3, side="right")
    assert (runs == ends).all()
    assert len(found) == (10 - 3) + (6 - 3) + (14 - 3)


@pytest.mark.parametrize(
    ("part", "reach_back", "first", "count"),
    [("train", False, 0, 17), ("validation", False, 20, 3), ("validation", True, 17, 6), ("test", True, 23, 4)],
)
def test_what_is_predicted_lies_in_its_part(part: str, reach_back: bool, first: int, count: int):
    parts = np.array([0] * 20 + [1] * 6 + [2] * 4, np.int8)
    found = windows(values(), np.array([0, 30]), length=3, horizon=1, parts=parts, part=part, reach_back=reach_back)
    assert (found.starts[0], len(found)) == (first, count)
    number = {"train": 0, "validation": 1, "test": 2}[part]
    assert (parts[found.starts + 3] == number).all() and (parts[found.starts] <= number).all()


def test_training_never_reaches_into_a_later_part_whatever_is_asked():
    parts = np.array([1] * 10 + [0] * 20, np.int8)  # validation first
    found = windows(values(), np.array([0, 30]), length=3, horizon=1, parts=parts, part="train", reach_back=True)
    assert found.starts.min() == 10


def test_the_stride_is_counted_within_each_run():
    found = windows(values(), np.array([0, 7, 30]), length=3, horizon=0, stride=4)
    assert found.starts.tolist() == [0, 4, 7, 11, 15, 19, 23, 27]


def test_a_window_longer_than_every_run_is_refused():
    with pytest.raises(DataError, match=r"takes 21 moments .*, and the longest series without a break has 20"):
        windows(values(), np.array([0, 10, 30]), length=20, horizon=1)


def test_a_part_that_is_too_short_for_a_window_is_refused():
    parts = np.array([0] * 28 + [1] * 2, np.int8)
    with pytest.raises(DataError, match="reach_back"):
        windows(values(), np.array([0, 30]), length=3, horizon=1, parts=parts, part="validation")


@pytest.mark.parametrize("index", [[25], [-1], [[0]], [0.5]])
def test_an_index_that_does_not_exist_is_refused(index: list):
    found = windows(values(), np.array([0, 30]), length=4, horizon=2)
    with pytest.raises(DataError, match="windows are numbered from 0 to 25"):
        found.history(np.array(index))


def test_history_columns_of_one_run_are_views():
    array = values().astype(np.float64)
    columns = history_columns(array, np.array([0, 30]), ("a", "b"), 5)
    assert columns["a"].shape == (26, 5) and np.shares_memory(columns["a"], array)
    several = history_columns(array, np.array([0, 10, 13, 30]), ("a", "b"), 5)
    assert several["b"].shape == (6 + 13, 5) and several["b"][6].tolist() == array[13:18, 1].tolist()


@pytest.mark.parametrize("options", [{"length": 0}, {"length": 3, "horizon": -1}, {"length": 3, "stride": 0}])
def test_sizes_that_make_no_window_are_refused(options: dict):
    with pytest.raises(DataError, match="1 or more"):
        windows(values(), np.array([0, 30]), **options)
