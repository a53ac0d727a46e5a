"""Conditions: cuts come from the training part, and every row that meets one is found again by its plain data."""

import numpy as np
import pytest

from deepwright.core.schema import Feature, Schema
from deepwright.evaluation.conditions import Condition, facets, meeting, words_of

SCHEMA = Schema(
    features=(
        Feature(name="age", type="number"),
        Feature(name="城市", type="category"),
        Feature(name="when", type="timestamp"),
        Feature(name="note", type="text"),
        Feature(name="photo", type="image"),
    )
)


def columns(ages, cities=None, whens=None, notes=None):
    size = len(ages)
    return {
        "age": np.array(ages, np.float64),
        "城市": np.array(cities if cities is not None else ["北京"] * size, dtype=object),
        "when": np.array(whens if whens is not None else np.arange(size) * 86400.0, np.float64),
        "note": np.array(notes if notes is not None else ["ab"] * size, dtype=object),
        "photo": np.array(["a.png"] * size, dtype=object),
    }


TRAIN = columns(np.arange(1000.0), ["北京", "上海"] * 500, notes=["x" * (i % 100) for i in range(1000)])


def rows_of(condition: Condition, rows) -> list[int]:
    return np.flatnonzero(meeting([condition.record()], SCHEMA, TRAIN, rows)).tolist()


def test_a_number_is_cut_at_quantiles_of_the_training_part_whatever_the_rows_are():
    few, other = columns([3.0]), columns([800.0] * 7)
    cuts = [{c.high for c in facets(SCHEMA, TRAIN, rows)[0].conditions if c.sign == "at_most"} for rows in (few, other)]
    assert cuts[0] == cuts[1] and 499.0 in cuts[0] and len(cuts[0]) == 39


def test_every_condition_finds_the_very_rows_that_meet_it():
    rows = columns([0.0, 24.0, 25.0, 499.0, 500.0, 999.0, 1000.0, -1.0, np.nan])
    of_age = facets(SCHEMA, TRAIN, rows)[0]
    ages = rows["age"]
    for place, condition in enumerate(of_age.conditions):
        low, high = (x if x is not None else y for x, y in ((condition.low, -np.inf), (condition.high, np.inf)))
        due = {
            "at_most": ages <= high,
            "above": ages > low,
            "between": (ages > low) & (ages <= high),
            "missing": np.isnan(ages),
            "unseen": (ages < 0) | (ages > 999),
        }[condition.sign]
        assert np.array_equal(of_age.sets[place][of_age.codes], due), condition


def test_plain_data_finds_the_rows_of_its_condition_again():
    rows = columns([0.0, 500.0, 1000.0, np.nan])
    assert rows_of(Condition("age", "above", low=499.0), rows) == [1, 2]
    assert rows_of(Condition("age", "unseen", low=0.0, high=999.0), rows) == [2]


def test_levels_missing_ones_and_unseen_ones_are_told_apart():
    rows = columns([1.0] * 4, ["北京", None, "广州", "上海"])
    assert rows_of(Condition("城市", "is", level="北京"), rows) == [0]
    assert rows_of(Condition("城市", "missing"), rows) == [1]
    assert rows_of(Condition("城市", "unseen"), rows) == [2]


def test_a_rare_level_is_seen_although_it_has_no_condition_of_its_own():
    train = columns([1.0] * 320, [f"level{i % 32}" for i in range(288)] + ["common"] * 32)
    facet = facets(SCHEMA, train, columns([1.0], ["level9"]))[1]
    assert len(facet.conditions) == 30 + 2
    assert not facet.sets[:, facet.codes[0]].any()


def test_a_number_of_few_values_is_cut_between_them():
    train = columns([1.0, 2.0, 3.0, 4.0] * 50)
    of_age = facets(SCHEMA, train, train)[0]
    assert {c.high for c in of_age.conditions if c.sign == "at_most"} == {1.0, 2.0, 3.0}
    assert words_of([next(c for c in of_age.conditions if c.sign == "is").record()]) == "age = 2"


def test_the_length_of_a_text_and_facts_that_are_handed_in_are_inputs_too_and_images_alone_are_not():
    bright = np.linspace(0, 1, 1000)
    rows = columns([1.0] * 3, notes=["", None, "y" * 99])
    named = {f.conditions[0].feature for f in facets(SCHEMA, TRAIN, rows, {"brightness": (bright, bright[:3])})}
    assert named == {"age", "城市", "when", "len(note)", "brightness"}
    assert rows_of(Condition("len(note)", "missing"), rows) == [1]


def test_the_conditions_of_pairs_stand_on_fewer_cells_and_hold_for_the_same_rows():
    fine = facets(SCHEMA, TRAIN, TRAIN)[0]
    coarse = fine.coarse
    assert coarse.sets.shape[1] < fine.sets.shape[1]
    for place, condition in enumerate(coarse.conditions):
        same = fine.conditions.index(condition)
        assert np.array_equal(coarse.sets[place][coarse.codes], fine.sets[same][fine.codes]), condition


def test_a_column_without_a_known_value_gives_no_condition():
    empty = columns([np.nan] * 5)
    assert "age" not in {f.conditions[0].feature for f in facets(SCHEMA, empty, empty)}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition("age", "is", level="old"), "age = old"),
        (Condition("age", "between", low=20.0, high=30.5), "20 < age ≤ 30.5"),
        (Condition("age", "missing"), "age is missing"),
        (Condition("age", "unseen", low=1.0, high=2.0), "age is outside 1 to 2, the range of the training part"),
        (Condition("age", "unseen"), "age has a level that the training part does not have"),
        (Condition("when", "above", low=1e9, is_time=True), "when > 2001-09-09 01:46"),
        (Condition("when", "at_most", high=86400.0, is_time=True), "when ≤ 1970-01-02"),
    ],
)
def test_conditions_in_words(condition, words):
    assert words_of([condition.record()]) == words


def test_conditions_in_chinese(monkeypatch):
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    both = [Condition("年龄", "missing").record(), Condition("城市", "is", level="北京").record()]
    assert words_of(both) == "年龄 缺失 且 城市 = 北京"
