"""Periods: training before validation before test, ties together, borders by share or by name."""

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.seal import make_split
from deepwright.data.collect import collect
from deepwright.data.periods import Periods
from deepwright.data.split import choose_split, without_test
from deepwright.data.split_audit import split_findings

from .rows_of import dataset, with_roles


def days(num: int = 100, per_day: int = 3) -> Dataset:
    """Rows in disorder, several a day."""
    order = np.random.default_rng(0).permutation(num * per_day)
    rows = {"a": order.tolist(), "day": (order // per_day).tolist(), "y": [f"{i % 2}" for i in order]}
    return with_roles(dataset(rows, part="whole"), day="time")


def test_training_comes_before_validation_and_validation_before_test():
    whole = days()
    parts = Periods().assign(whole)
    spans = [(day.min(), day.max()) for part in range(3) for day in [whole.of_role("time")[parts == part]]]
    assert spans == [(0, 69), (70, 89), (90, 99)]
    (found,) = split_findings(whole, parts)
    assert found.rule == "time_borders"
    assert "--split time --split.validation_from 70 --split.test_from 90" in found.text


def test_rows_of_one_time_stay_together_however_many_they_are():
    rows = {"a": list(range(10)), "day": [1, 1, 2, 2, 2, 2, 2, 3, 3, 4], "y": list("0101010101")}
    whole = with_roles(dataset(rows, part="whole"), day="time")
    assert Periods().assign(whole).tolist() == [0] * 7 + [1, 1, 2]


def test_named_borders_hold_as_rows_are_added():
    fixed = Periods(validation_from="70", test_from="90")
    assert (fixed.assign(days()) == Periods().assign(days())).all()
    later = days(num=150)
    parts = fixed.assign(later)
    assert (later.of_role("time")[parts == 1] >= 70).all() and (later.of_role("time")[parts == 1] < 90).all()
    assert (parts == 2).sum() == 60 * 3


def test_dates_are_read_as_dates():
    stamps = [f"2024-01-{day:02d}" for day in range(1, 31)]
    recipe = Recipe.parse({"source": "table", "target": "y", "time": "when"})
    whole = collect(recipe, data={"a": [i % 7 for i in range(30)], "when": stamps, "y": list("01") * 15}).whole
    assert whole.schema["when"].role == "time"
    parts = Periods(validation_from="2024-01-11", test_from="2024-01-21T00:00:00").assign(whole)
    assert parts.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    (found,) = split_findings(whole, parts)
    assert "train 2024-01-01 - 2024-01-10; validation 2024-01-11 - 2024-01-20; test 2024-01-21" in found.text


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"validation_from": "90", "test_from": "70"}, "validation_from 90 lies after test_from 70"),
        ({"validation_from": "soon", "test_from": "90"}, "--split.validation_from: 'soon' is no time of that column"),
        ({"validation_from": "nan", "test_from": "90"}, "'nan' is no time"),
    ],
)
def test_a_border_that_is_none_is_refused(options, sentence):
    with pytest.raises(RecipeError, match=sentence):
        Periods(**options).assign(days())


def test_one_border_alone_is_refused():
    with pytest.raises(RecipeError, match="validation_from and test_from come together"):
        Periods(validation_from="70")


def test_a_border_beyond_all_rows_leaves_an_empty_part():
    with pytest.raises(DataError, match="leave none for the test part"):
        Periods(validation_from="70", test_from="900").assign(days())


def test_without_a_time_column_the_option_is_named():
    with pytest.raises(RecipeError, match=r"split time: no column is declared for it. Add --time COLUMN"):
        Periods().assign(dataset({"a": [1, 2, 3], "y": ["0", "1", "1"]}, part="whole"))


def test_rows_of_one_hash_share_the_later_part():
    whole = days()
    hashes = whole.hashes.copy()
    early, late = np.flatnonzero(whole.of_role("time") == 3)[0], np.flatnonzero(whole.of_role("time") == 95)[0]
    hashes[early] = hashes[late]
    whole = Dataset(whole.columns, whole.schema, "whole", whole.origin, hashes)
    parts = Periods().assign(whole)
    assert parts[early] == parts[late] == 2
    make_split(whole, parts)


def test_a_split_that_mixes_times_is_named():
    whole = days()
    found = split_findings(whole, np.arange(len(whole)) % 3)
    assert [f.rule for f in found] == ["times_overlap", "times_overlap"]
    assert "--split time" in found[0].text


def test_own_test_rows_that_are_not_later_are_named():
    whole = days()
    own = Dataset(whole.columns, whole.schema, "test", whole.origin, whole.hashes)
    splitter, why = choose_split(whole, has_test=True)
    assert (splitter, why.rule) == (without_test(Periods()), "split_by_time")
    found = split_findings(whole, splitter.assign(whole), own)
    assert [(f.rule, f.sentence.values["part"]) for f in found] == [("times_overlap", "test")]


def test_a_fixed_border_stays_with_a_test_file():
    fixed = without_test(Periods(validation_from="70", test_from="90"))
    assert (fixed.validation_from, fixed.test_from, fixed.test) == ("70", None, 0.0)
    parts = fixed.assign(days())
    assert set(parts.tolist()) == {0, 1}
