"""Dates: times to points on circles, for the cycles that the training part covers."""

from datetime import UTC, datetime

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.schema import Schema
from deepwright.data.dates import AutoDates, Cyclic, Elapsed

from .rows_of import dataset

DAY = 86_400.0


def times(seconds: np.ndarray) -> Dataset:
    data = dataset({"t": seconds.tolist(), "y": ["0"] * len(seconds)})
    schema = Schema(features=(data.schema["t"].model_copy(update={"type": "timestamp"}), data.schema["y"]))
    return data.with_schema(schema)


def cycles(seconds: np.ndarray) -> tuple[str, ...]:
    return next((op.cycles for op in AutoDates().fit(times(seconds)).operations), ())


def test_auto_gives_the_cycles_that_are_covered():
    assert cycles(np.arange(0.0, 800 * DAY, DAY / 4)) == ("year", "month", "week", "day")
    assert cycles(np.arange(0.0, 100 * DAY, DAY)) == ("month", "week")  # one time of the day, a part of a year
    assert cycles(np.arange(0.0, 3 * DAY, 3600.0)) == ("day",)
    assert cycles(np.array([5.0, 5.0])) == ()


def test_midnight_stands_beside_the_minute_before_it():
    fitted = Cyclic(cycles=["day"]).fit(times(np.array([0.0, DAY])))
    at = [
        datetime(2024, 5, 1, 23, 59, tzinfo=UTC),
        datetime(2024, 5, 2, tzinfo=UTC),
        datetime(2024, 5, 2, 12, tzinfo=UTC),
    ]
    found = fitted.apply({"t": np.array([moment.timestamp() for moment in at])})
    points = np.stack([found["t day sin"], found["t day cos"]], axis=1)
    assert np.linalg.norm(points[0] - points[1]) < 0.01 and np.linalg.norm(points[1] - points[2]) > 1.9


def test_the_elapsed_time_stays_unless_it_is_to_go():
    train = times(np.array([0.0, DAY]))
    assert "t" in Cyclic().fit(train).apply(train.inputs)
    assert "t" not in Cyclic(elapsed=False).fit(train).apply(train.inputs)
    assert Elapsed().fit(train).operations == ()


def test_what_auto_chose_is_told():
    (found,) = AutoDates().findings(times(np.arange(0.0, 3 * DAY, 3600.0)))
    assert "t (day)" in found.text
