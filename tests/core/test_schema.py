"""Schemas: roles, strict rows, ranges."""

from typing import Any

import numpy as np
import pytest

from deepwright.core.errors import DataError
from deepwright.core.schema import Feature, Schema
from tests.core.conftest import SCHEMA


def test_roles_say_what_a_model_sees():
    assert [f.name for f in SCHEMA.inputs] == ["age", "job"]
    assert SCHEMA.target.name == "income"
    assert SCHEMA.problem == "classification"
    assert SCHEMA.with_feature("income", type="number", levels=()).problem == "regression"
    assert "age" in SCHEMA and "wage" not in SCHEMA
    assert SCHEMA.names == ("age", "job", "note", "income")


def test_with_feature_changes_one_feature_of_a_copy():
    wider = SCHEMA.with_feature("age", high=120.0)
    assert (wider["age"].high, SCHEMA["age"].high) == (120.0, 90.0)
    assert wider["job"] == SCHEMA["job"]


def test_an_unknown_column_is_named_with_the_known_ones():
    with pytest.raises(DataError) as caught:
        SCHEMA["incom"]
    assert str(caught.value) == (
        "there is no column 'incom'. The columns are: age, job, note, income. Did you mean 'income'?"
    )


def test_a_schema_without_a_target_says_how_to_name_one():
    with pytest.raises(DataError) as caught:
        _ = Schema(features=(Feature(name="age", type="number"),)).target
    assert str(caught.value) == "no column has the role target. The columns are: age. Name one with --target."


def test_rows_become_typed_columns():
    columns = SCHEMA.columns([{"age": 30, "job": "cook"}, {"age": None, "job": None, "income": "low"}])
    assert columns["age"].dtype == np.float64
    assert columns["age"][0] == 30.0 and np.isnan(columns["age"][1])
    assert columns["job"].tolist() == ["cook", None]
    assert set(columns) == {"age", "job"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([30, "cook"], "row 1: found list; a row is an object with one field per column."),
        (
            {"age": 30, "jop": "cook"},
            "row 1: the model has no column 'jop'. Remove it, or correct its name. Did you mean 'job'?",
        ),
        ({"age": 30}, "row 1: field 'job' is missing. Give a value, or null where it is unknown."),
        ({"age": "30", "job": "cook"}, "row 1, field 'age': found '30'; this field takes a number, or null."),
        ({"age": True, "job": "cook"}, "row 1, field 'age': found True; this field takes a number, or null."),
        ({"age": float("nan"), "job": "cook"}, "row 1, field 'age': found nan; the number must be finite."),
        ({"age": float("-inf"), "job": "cook"}, "row 1, field 'age': found -inf; the number must be finite."),
        ({"age": 10**400, "job": "cook"}, f"row 1, field 'age': found 1{'0' * 56}...; the number must be finite."),
        ({"age": 30, "job": 3}, "row 1, field 'job': found 3; this field takes a text, or null."),
        ({"age": 30, "job": ["x"] * 99}, "row 1, field 'job': found " + repr(["x"] * 99)[:57] + "...; this field"),
    ],
)
def test_a_row_that_does_not_fit_is_named_with_its_field(row: Any, message: str):
    with pytest.raises(DataError) as caught:
        SCHEMA.columns([{"age": 30, "job": "cook"}, row])
    assert str(caught.value).startswith(message)
    assert caught.value.exit_code == 3


def test_rows_outside_what_training_showed_are_flagged_not_refused():
    rows = [
        {"age": 17, "job": "cook"},
        {"age": 90, "job": None},
        {"age": 16.9, "job": "cook"},
        {"age": 90.1, "job": "cook"},
        {"age": None, "job": "cook"},
        {"age": 30, "job": "baker"},
    ]
    flags = SCHEMA.out_of_range(SCHEMA.columns(rows))
    assert flags.tolist() == [False, False, True, True, False, True]


def test_a_missing_value_is_out_of_range_where_training_had_none():
    schema = SCHEMA.with_feature("age", can_be_missing=False).with_feature("job", can_be_missing=False)
    rows = [{"age": None, "job": "cook"}, {"age": 30, "job": None}, {"age": 30, "job": "cook"}]
    assert schema.out_of_range(schema.columns(rows)).tolist() == [True, True, False]


def test_a_schema_survives_json():
    assert Schema.model_validate_json(SCHEMA.model_dump_json()) == SCHEMA
