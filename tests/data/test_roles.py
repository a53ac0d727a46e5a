"""Roles: declared columns are no inputs; what looks like one is named."""

import numpy as np
import pytest

from deepwright.core.errors import DataError, RecipeError
from deepwright.core.recipe import Recipe
from deepwright.data.collect import collect
from deepwright.data.profile import learn_schema, profile
from deepwright.data.roles import require_weight_in, role_findings

from .rows_of import dataset, with_roles

ROWS = {
    "a": [1, 2, 3, 4] * 10,
    "w": [1, 0.5, 2, 0] * 10,
    "who": [7, 7, 8, 8] * 10,
    "year": list(range(2000, 2040)),
    "y": list("0011") * 10,
}


def collected(rows: dict, **roles: str):
    return collect(Recipe.parse({"source": "table", "target": "y", "max_set_aside": 0.2, **roles}), data=rows)


def test_declared_columns_are_no_inputs():
    whole = collected(ROWS, weight="w", group="who", time="year").whole
    assert [f.name for f in whole.schema.inputs] == ["a"]
    assert whole.weight.tolist()[:4] == [1.0, 0.5, 2.0, 0.0]
    assert whole.of_role("group").tolist()[:4] == ["7", "7", "8", "8"]
    assert whole.of_role("time").tolist()[:2] == [2000.0, 2001.0]
    assert whole.schema["w"].reason == "declared as weight"


@pytest.mark.parametrize("weight", [-1, None, "heavy", "nan"])
def test_a_weight_that_is_none_is_refused_with_its_row(weight):
    rows = {**ROWS, "w": [1.0, 2.0, weight, *[1.0] * 37]}
    with pytest.raises(
        DataError, match=r"row 3, column 'w': .* is no weight \(1 such rows\); a weight is a number of 0"
    ):
        collected(rows, weight="w")


def test_weights_that_sum_to_nothing_are_refused_in_the_table_and_in_a_part():
    with pytest.raises(DataError, match="the weights of all 40 rows sum to 0"):
        collected({**ROWS, "w": [0.0] * 40}, weight="w")
    part = with_roles(dataset({"a": [1, 2], "w": [0, 0], "y": ["0", "1"]}, part="validation"), w="weight")
    with pytest.raises(DataError, match="validation, column 'w': the weights of all 2 rows sum to 0"):
        require_weight_in(part)


@pytest.mark.parametrize(("role", "column"), [("group", "who"), ("time", "year")])
def test_a_row_without_group_or_time_is_set_aside(role, column):
    found = collected({**ROWS, column: [None, *ROWS[column][1:]]}, **{role: column})
    assert len(found.whole) == 39
    assert [(entry.reason, entry.rows) for entry in found.set_aside] == [
        (f"column '{column}' ({role}) is missing", (1,))
    ]


def test_a_time_that_is_a_word_is_refused():
    with pytest.raises(DataError, match=r"column 'year' is category; --time takes ISO dates or numbers"):
        collected({**ROWS, "year": ["early", "late"] * 20}, time="year")


def test_a_column_has_one_role():
    with pytest.raises(RecipeError, match="column 'who' is named by --group and by --time"):
        collected(ROWS, group="who", time="who")
    with pytest.raises(RecipeError, match="column 'y' is named by --target and by --weight"):
        collected(ROWS, weight="y")


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(DataError, match="Did you mean 'who'"):
        collected(ROWS, group="whoo")


def test_names_of_groups_stay_out_of_schema_and_profile():
    train = with_roles(dataset({"a": [1, 2], "who": ["Ann", "Bob"], "y": ["0", "1"]}), who="group")
    assert "Ann" not in learn_schema(train).model_dump_json()
    assert "Ann" not in str(profile(train))


@pytest.mark.parametrize(
    ("name", "values", "rule"),
    [
        ("patient_id", [i % 12 for i in range(60)], "group_undeclared"),
        ("customerId", [f"c{i % 12}" for i in range(60)], "group_undeclared"),
        ("user", [f"c{i % 12}" for i in range(60)], "group_undeclared"),
        ("valid", [i % 12 for i in range(60)], None),
        ("paid", [i % 12 for i in range(60)], None),
        ("user_id", list(range(60)), None),
        ("client", ["yes", "no"] * 30, None),
        ("user_score", [i % 12 + 0.5 for i in range(60)], None),
        ("event_time", [float(i) for i in range(60)], "time_undeclared"),
        ("times", [float(i % 9) for i in range(60)], None),
    ],
)
def test_what_looks_like_an_entity_or_a_time_is_named_with_its_option(name, values, rule):
    train = dataset({"a": list(range(60)), name: values, "y": ["0", "1"] * 30})
    found = role_findings(train)
    assert [f.rule for f in found] == ([rule] if rule else [])
    assert all(f"--{rule.split('_')[0]} '{name}'" in f.text for f in found)


def test_what_is_declared_is_not_asked_for_again():
    train = dataset(
        {
            "a": list(range(60)),
            "user": [f"c{i % 12}" for i in range(60)],
            "id": [i % 9 for i in range(60)],
            "y": ["0", "1"] * 30,
        }
    )
    assert len(role_findings(train)) == 2
    assert role_findings(with_roles(train, user="group")) == ()


def test_a_dated_column_is_named():
    stamps = np.array([f"2024-01-{day:02d}" for day in range(1, 31)], object)
    whole = collect(
        Recipe.parse({"source": "table", "target": "y"}),
        data={"a": [i % 7 for i in range(30)], "when": stamps, "y": list("01") * 15},
    ).whole
    assert [f.where for f in role_findings(whole.take(np.arange(20), "train"))] == ["when"]
