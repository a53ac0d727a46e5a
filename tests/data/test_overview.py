"""Overview: what a person should know of a table is named with its counts."""

import numpy as np

from deepwright.data.overview import overview

from .rows_of import dataset


def test_missing_values_categories_and_a_capped_target_are_named_with_their_counts():
    generator = np.random.default_rng(0)
    value = np.minimum(generator.normal(2e5, 8e4, 1000).round(), 300_001.0)
    rooms = [None if i % 50 == 0 else float(i % 7) for i in range(1000)]
    whole = dataset({"rooms": rooms, "place": ["sea", "land"] * 500, "y": value.tolist()}, part="whole")
    missing, categories, capped = overview(whole)
    assert missing.text == "table: values are missing in rooms 20 (2.0%)."
    assert categories.text == "table: texts read as categories (levels): place (2)."
    count = int((value == 300_001.0).sum())
    assert count > 50 and capped.severity == "warning" and capped.where == "y"
    assert f"{count} of 1000 values" in capped.text and "exactly 300001, the largest" in capped.text


def test_a_pile_in_an_input_is_a_note():
    age = np.minimum(np.random.default_rng(0).normal(40.0, 15.0, 1000), 60.0)
    (found,) = overview(dataset({"age": age.tolist(), "y": ["0", "1"] * 500}, part="whole"))
    assert (found.rule, found.severity) == ("piles", "note") and f"age ({(age == 60.0).sum()} x 60)" in found.text


def test_an_ordinary_table_says_nothing():
    plain = dataset({"a": np.random.default_rng(0).normal(size=200).tolist(), "y": ["0", "1"] * 100}, part="whole")
    assert overview(plain) == ()
