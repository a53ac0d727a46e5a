"""Calibration rows: held back from validation as a function of the row, in whole groups, the latest in time."""

import numpy as np
import pytest

from deepwright.core.errors import LeakError
from deepwright.core.seal import TEST, TRAIN, VALIDATION, make_split
from deepwright.core.step import require_part
from deepwright.data.calibration import hold_back
from deepwright.data.scale import Standard
from tests.data.rows_of import dataset, with_roles


def whole(rows=2000, **more):
    return dataset({"a": list(range(rows)), **more, "y": [float(i % 7) for i in range(rows)]}, part="whole")


def thirds(rows):
    return np.array([TRAIN, VALIDATION, TEST], np.int8)[np.arange(rows) % 3]


def test_a_share_of_validation_and_of_nothing_else_is_held_back():
    data, parts = whole(), thirds(2000)
    held, found = hold_back(data, parts, 0.3, 0.9)
    assert (parts[held] == VALIDATION).all()
    assert held.sum() == pytest.approx(200, abs=35)
    assert found == ()


def test_a_row_keeps_its_place_when_rows_are_added_or_removed():
    data, parts = whole(), thirds(2000)
    held, _ = hold_back(data, parts, 0.3, 0.9)
    some = np.flatnonzero(np.arange(2000) % 5 != 0)
    again, _ = hold_back(data.take(some), parts[some], 0.3, 0.9)
    assert (again == held[some]).all()


def test_too_few_rows_are_left_where_they_are_and_that_is_said():
    data = whole(60)
    held, (found,) = hold_back(data, thirds(60), 0.3, 0.95)
    assert not held.any()
    assert (found.rule, found.severity) == ("calibration_few", "warning")
    assert "needs 19 calibration rows, and of the 20 validation rows" in found.text


def test_groups_are_held_back_whole():
    data = with_roles(whole(2000, who=[f"p{i // 10}" for i in range(2000)]), who="group")
    parts = np.array([TRAIN, VALIDATION], np.int8)[np.arange(2000) // 10 % 2]
    held, (found,) = hold_back(data, parts, 0.3, 0.9)
    who = data.columns["who"]
    assert held.any() and not set(who[held]) & set(who[(parts == VALIDATION) & ~held])
    assert found.rule == "calibration_groups"


def test_the_latest_rows_are_held_back_where_rows_have_a_time():
    data = with_roles(whole(2000, when=[float(i) for i in range(2000)]), when="time")
    parts = np.where(np.arange(2000) < 1000, TRAIN, VALIDATION).astype(np.int8)
    held, (found,) = hold_back(data, parts, 0.3, 0.9)
    assert np.flatnonzero(held).tolist() == list(range(1700, 2000))
    assert found.rule == "calibration_time"


def test_validation_keeps_rows_of_every_class_it_had():
    labels = ["rare" if i in (1, 4) else "usual" for i in range(3000)]
    data = dataset({"a": list(range(3000)), "y": labels}, part="whole")
    for seed in range(20):
        shifted = np.roll(thirds(3000), seed * 3)
        held, _ = hold_back(data, shifted, 0.9, 0.9)
        left = set(data.target[(shifted == VALIDATION) & ~held])
        assert left == set(data.target[shifted == VALIDATION])


def test_equal_rows_stay_together():
    data = whole(200).take(np.repeat(np.arange(200), 2))
    parts = np.repeat(thirds(200), 2)
    held, _ = hold_back(data, parts, 0.5, 0.9)
    assert (held[::2] == held[1::2]).all()
    make_split(data, parts, held=held)  # else a LeakError


def test_neither_learning_nor_choosing_takes_calibration_rows_nor_calibrating_others():
    data, parts = whole(), thirds(2000)
    split = make_split(data, parts, held=hold_back(data, parts, 0.3, 0.9)[0])
    assert len(split.train) + len(split.validation) + len(split.calibration) + len(split.test) == 2000
    assert split.calibration.part == "calibration"
    with pytest.raises(LeakError):
        Standard().fit(split.calibration)
    with pytest.raises(LeakError):
        require_part(split.calibration, "validation", "decision")
    with pytest.raises(LeakError):
        split.calibration.take(np.arange(3), "validation")
    for other in (split.train, split.validation):
        with pytest.raises(LeakError):
            require_part(other, "calibration", "intervals")


def test_a_row_in_validation_and_calibration_at_once_is_a_leak():
    data = whole(6).take(np.array([0, 1, 2, 2]))
    parts = np.array([TRAIN, TEST, VALIDATION, VALIDATION], np.int8)
    with pytest.raises(LeakError):
        make_split(data, parts, held=np.array([False, False, True, False]))
