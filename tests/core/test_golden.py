"""Golden rows are drawn from the schema, never from the data."""

import pytest

from deepwright.core.golden import TEXTS, golden_rows
from deepwright.core.schema import Feature, Schema
from tests.core.conftest import SCHEMA


def test_they_hold_both_ends_a_missing_value_and_a_level_never_seen():
    rows = golden_rows(SCHEMA)
    assert len(rows) == 16
    assert set(rows[0]) == {"age", "job"}
    assert (rows[0]["age"], rows[1]["age"]) == (17.0, 90.0)
    assert rows[2]["job"] == "a level never seen"
    assert rows[3] == {"age": None, "job": None}
    assert {row["job"] for row in rows} > {"clerk", "cook", "smith"}


def test_they_are_the_same_each_time_and_fit_the_schema():
    assert golden_rows(SCHEMA) == golden_rows(SCHEMA)
    flags = SCHEMA.out_of_range(SCHEMA.columns(golden_rows(SCHEMA)))
    assert flags.tolist() == [False, False, True] + [False] * 13


def test_a_feature_that_is_never_missing_has_no_missing_value():
    rows = golden_rows(SCHEMA.with_feature("age", can_be_missing=False))
    assert all(row["age"] is not None for row in rows)


@pytest.mark.parametrize(
    ("low", "high"), [(-1.7e308, 1.7e308), (5.0, 5.0), (0.123456789, 0.123456790), (-1e-300, 1e-300), (None, None)]
)
def test_any_range_gives_finite_numbers_inside_it(low: float | None, high: float | None):
    schema = Schema(features=(Feature(name="x", type="number", low=low, high=high, can_be_missing=False),))
    values = [row["x"] for row in golden_rows(schema)]
    assert all((0.0 if low is None else low) <= value <= (1.0 if high is None else high) for value in values)
    assert not schema.out_of_range(schema.columns(golden_rows(schema))).any()


def test_a_category_without_levels_and_a_text_still_get_values():
    schema = Schema(features=(Feature(name="c", type="category"), Feature(name="t", type="text")))
    rows = golden_rows(schema)
    assert {row["c"] for row in rows} == {"", "a level never seen", None}
    texts = {row["t"] for row in rows}
    assert texts <= {*TEXTS, None} and {*TEXTS[:2], None} < texts
