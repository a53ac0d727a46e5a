"""MASE: learned from the training part, by group and in the order of time."""

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError, RecipeError
from deepwright.core.schema import Feature, Schema
from deepwright.evaluation.mase import Mase


def _sales(*, part: str = "train", has_time: bool = True) -> Dataset:
    """Two shops of six days each, rows in no order: one sells 1 more each day, the other alternates by 4."""
    day = np.tile(np.arange(6.0), 2)
    shop = np.repeat(np.array(["a", "b"], object), 6)
    sold = np.concatenate([np.arange(6.0), 10 + 4 * (np.arange(6) % 2)])
    order = np.random.default_rng(0).permutation(12)
    features = (
        Feature(name="shop", type="category", role="group", levels=("a", "b")),
        Feature(name="day", type="number", role="time" if has_time else "input"),
        Feature(name="sold", type="number", role="target"),
    )
    columns = {"shop": shop[order], "day": day[order], "sold": sold[order]}
    return Dataset(columns, Schema(features=features), part, np.arange(12), np.arange(12, dtype=np.uint64))


def test_the_naive_error_is_of_neighbours_in_time_within_a_group():
    assert Mase().fit(_sales()).naive_error == 2.5
    assert Mase(season=2).fit(_sales()).naive_error == 1.0
    fitted = Mase().fit(_sales())
    assert fitted.name == "mase"
    assert fitted.value(np.array([1.0, 2.0]), np.array([2.0, 6.0])) == 1.0


def test_it_learns_from_the_training_part_alone():
    with pytest.raises(LeakError):
        Mase().fit(_sales(part="validation"))


def test_a_training_part_that_never_moves_leaves_it_undefined():
    fitted = Mase(season=9).fit(_sales())
    assert fitted.naive_error == 0
    assert np.isnan(fitted.value(np.zeros(3), np.ones(3)))


def test_rows_without_a_time_are_refused_and_a_given_error_is_taken():
    with pytest.raises(RecipeError) as error:
        Mase(season=7).fit(_sales(has_time=False))
    assert str(error.value) == (
        "mase(season=7): found rows without an order in time; errors are measured by how far the target moves from one "
        "season to the next. Name the column of time with --time COLUMN, or give naive_error=."
    )
    assert Mase(naive_error=3.0).fit(_sales(has_time=False)).naive_error == 3.0


def test_without_a_naive_error_it_says_so():
    with pytest.raises(RecipeError) as error:
        Mase().value(np.zeros(3), np.ones(3))
    assert str(error.value) == (
        "mase: found nothing to measure errors by; give naive_error=, the mean absolute step of the training part from "
        "one season to the next, or let a run learn it."
    )
