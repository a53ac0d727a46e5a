"""Profile: what the training part shows, as schema, plain JSON and findings."""

import json

import numpy as np
import pytest

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError
from deepwright.data.profile import findings_of, learn_schema, profile

from .rows_of import dataset

TRAIN = dataset(
    {
        "age": [20, 30, 30, None, 60],
        "job": ["a", "b", "b", None, "c"],
        "one": [7, 7, 7, 7, 7],
        "y": ["10", "9", "9", "10", "10"],
    }
)


def test_the_schema_learns_levels_ranges_and_what_can_be_missing():
    schema = learn_schema(TRAIN)
    age, job, one = schema["age"], schema["job"], schema["one"]
    assert (age.low, age.high, age.can_be_missing) == (20.0, 60.0, True)
    assert (job.levels, job.can_be_missing) == (("b", "a", "c"), True)
    assert (one.low, one.high, one.can_be_missing) == (7.0, 7.0, False)


def test_the_targets_levels_are_in_the_order_of_their_values():
    assert learn_schema(TRAIN).target.levels == ("9", "10")
    assert learn_schema(dataset({"a": [1, 2, 3], "y": ["yes", "no", "yes"]})).target.levels == ("no", "yes")


def test_the_profile_is_plain_json_with_known_numbers():
    found = json.loads(json.dumps(profile(TRAIN), allow_nan=False))
    assert found["rows"] == 5
    age = found["features"]["age"]
    assert (age["n"], age["missing"], age["mean"], age["distinct"]) == (4, 0.2, 35.0, 3)
    assert age["sd"] == pytest.approx(np.std([20, 30, 30, 60]))
    assert dict(map(tuple, age["quantiles"]))[0.5] == 30.0
    assert found["features"]["job"]["levels"] == {"b": 2, "a": 1, "c": 1}


def test_nothing_of_another_part_is_learned():
    other = dataset({"a": [1, 2], "y": ["0", "1"]}, part="validation")
    for learn in (learn_schema, profile, findings_of):
        with pytest.raises(LeakError):
            learn(other)


def test_what_the_columns_should_be_known_for_is_found():
    size = 2000
    train = dataset(
        {
            "one": [7] * size,
            "gone": [None] * (size - 500) + [1.0, 2.0] * 250,
            "many": [f"v{i % 700}" for i in range(size)],
            "fine": [i % 11 for i in range(size)],
            "y": ["rare"] * 8 + ["common"] * (size - 8),
        }
    )
    assert [(f.rule, f.where, f.severity) for f in findings_of(train)] == [
        ("constant", "one", "warning"),
        ("many_missing", "gone", "warning"),
        ("many_levels", "many", "note"),
        ("imbalance", "y", "warning"),
        ("tiny_class", "y", "warning"),
    ]


def test_a_balanced_clean_table_has_no_findings():
    assert findings_of(dataset({"a": list(range(40)), "y": ["0", "1"] * 20})) == ()


def of_pictures(cells: list[str], separator: str | None) -> Dataset:
    data = dataset({"photo": [f"{place}.png" for place in range(len(cells))], "y": cells})
    return data.with_schema(data.schema.with_feature("photo", type="image").with_feature("y", separator=separator))


def test_classes_of_images_are_counted():
    (found,) = findings_of(of_pictures(["cat"] * 12 + ["dog"] * 10, None))
    assert found.text == "2 classes: of the training images 'cat' has most (12), 'dog' least (10)."


def test_labels_are_counted_each_by_itself_and_rare_ones_named():
    counted, rare = findings_of(of_pictures(["big|cat"] * 12 + ["cat"] * 5 + ["dog"] * 9 + [""] * 3, "|"))
    assert counted.text == "3 labels: of the training images 'cat' is true of most (17), 'dog' of least (9)."
    assert (rare.rule, rare.severity) == ("tiny_label", "warning") and "dog (9)" in rare.text
