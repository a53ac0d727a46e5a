"""Cleaning: deleted training rows are counted and told, validation rows stay, and too many stop the run."""

from dataclasses import replace

import numpy as np
import pytest

import deepwright.parts  # noqa: F401 - a recipe names kinds of every family
from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError
from deepwright.core.recipe import Recipe
from deepwright.core.schema import Feature, Schema
from deepwright.core.seal import make_split
from deepwright.data.collect import Collected
from deepwright.practice.clean import clean


def collected(rows: int = 200) -> Collected:
    age = np.arange(rows, dtype=np.float64) % 60
    age[[3, 150]] = 999.0
    features = (Feature(name="age", type="number"), Feature(name="y", type="category", role="target"))
    columns = {"age": age, "y": np.array(["0", "1"] * (rows // 2), dtype=object)}
    hashes = np.arange(1, rows + 1, dtype=np.uint64)
    whole = Dataset(columns, Schema(features=features), "whole", np.arange(1, rows + 1), hashes, "t.csv")
    return Collected(whole, None, rows, (), (), "t.csv", "", whole.schema)


def recipe(prepare: dict) -> Recipe:
    return Recipe.parse({"source": {"kind": "table", "path": "t.csv"}, "target": "y", "prepare": prepare})


def split(table: Collected):
    return make_split(table.whole, (np.arange(len(table.whole)) >= 140).astype(np.int8))


DELETING = (
    {"rules": [{"rule": "age <= 120", "treat": "delete"}]},
    {"outliers": {"kind": "iqr", "treat": "delete"}},
    {"columns": [{"columns": ["age"], "outliers": {"kind": "z", "treat": "delete"}}]},
)


@pytest.mark.parametrize("prepare", DELETING)
def test_deleted_training_rows_are_counted_with_their_number_and_reason(prepare: dict):
    table = collected()
    found, (told,) = clean(recipe(prepare), table, split(table))
    assert len(found.train) == 139 and 4 not in found.train.origin
    assert len(found.validation) == 60 and 151 in found.validation.origin
    (aside,) = found.set_aside
    assert (aside.count, aside.rows) == (1, (4,))
    assert (
        told.severity == "warning"
        and "1 of 140 training rows were set aside" in told.text
        and aside.reason in told.text
    )
    kept = len(found.train) + len(found.validation) + len(found.test)
    assert table.rows_in == kept + sum(entry.count for entry in found.set_aside)


def test_nothing_is_deleted_unless_it_is_asked_for():
    table = collected()
    before = split(table)
    assert clean(recipe({}), table, before) == (before, ())
    assert clean(recipe({"outliers": "iqr"}), table, before) == (before, ())


def test_more_than_may_be_set_aside_stops_the_run_with_the_option():
    table = collected()
    with pytest.raises(
        DataError, match=r"41 of 200 rows .* are to be set aside in all, and 1\.00% may be.*--max-set-aside 0\.206"
    ):
        clean(recipe({"rules": [{"rule": "age < 40", "treat": "delete"}]}), table, split(table))
    allowed = recipe({"rules": [{"rule": "age < 40", "treat": "delete"}]}).replace(max_set_aside=0.5)
    assert len(clean(allowed, table, split(table))[0].train) == 99


def test_no_training_row_left_is_refused():
    table = collected()
    with pytest.raises(DataError, match="all 140 training rows would be deleted"):
        clean(recipe({"rules": [{"rule": "age < 0", "treat": "delete"}]}), table, split(table))


def test_rows_deleted_for_missing_values_are_those_that_miss_more_than_the_share():
    table = collected()
    age = np.array(table.whole.columns["age"])
    age[10] = np.nan
    columns = {**table.whole.columns, "age": age}
    whole = Dataset(columns, table.schema, "whole", table.whole.origin, table.whole.hashes, "t.csv")
    table = replace(table, whole=whole)
    found, _ = clean(recipe({"imputer": "drop_rows"}), table, split(table))
    assert [entry.rows for entry in found.set_aside] == [(11,)]
