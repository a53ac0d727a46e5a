"""Leakage: planted faults are found, clean tables raise no alarm."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from deepwright.core.recipe import Recipe
from deepwright.core.seal import make_split
from deepwright.data.collect import collect
from deepwright.data.leakage import contradictions, given_away, leakage_findings, single_feature_score
from deepwright.data.split import Stratified, choose_split

from .rows_of import dataset


def parts_of(x: np.ndarray, y: np.ndarray):
    found = collect(Recipe.parse({"source": "table", "target": "y"}), data=(x, y))
    splitter, _ = choose_split(found.whole, has_test=False)
    return found, make_split(found.whole, splitter.assign(found.whole))


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_clean_tables_have_no_feature_that_gives_the_target_away(load):
    found, _ = parts_of(*load(return_X_y=True))
    alarms = 0
    for seed in range(10):
        parts = Stratified(seed=seed).assign(found.whole)
        alarms += len(given_away(found.whole.take(parts == 0, "train")))
    assert alarms == 0


@pytest.mark.parametrize("load", [load_breast_cancer, load_diabetes, load_wine])
def test_a_feature_made_of_the_target_is_named(load):
    x, y = load(return_X_y=True)
    leak = y * 3.0 + np.random.default_rng(0).normal(0, 0.05 * y.std(), len(y))
    _, split = parts_of(np.column_stack([x, leak]), y)
    assert [f.where for f in given_away(split.train)] == [f"x{x.shape[1]}"]


def test_a_category_that_names_the_target_is_found_and_an_identifier_is_not():
    size = 400
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, size)
    train = dataset(
        {
            "code": [f"c{label}{rng.integers(3)}" for label in y],
            "id": [f"u{i}" for i in range(size)],
            "noise": rng.normal(size=size).tolist(),
            "y": [str(label) for label in y],
        }
    )
    scores = {f.name: single_feature_score(train, f) for f in train.schema.inputs}
    assert scores["code"] == 1.0
    assert scores["id"] < 0.6
    assert scores["noise"] < 0.6


def test_a_feature_that_is_no_monotone_function_of_the_target_is_found():
    x = np.linspace(-3, 3, 600)
    train = dataset({"x": x.tolist(), "y": ["in" if abs(v) < 1 else "out" for v in x]})
    assert [f.where for f in given_away(train)] == ["x"]


def test_duplicates_are_counted_and_do_not_straddle_the_split():
    x, y = load_iris(return_X_y=True)
    found, split = parts_of(np.repeat(x, 2, axis=0), np.repeat(y, 2))
    (duplicates,) = [f for f in found.findings if f.rule == "duplicates"]
    assert duplicates.sentence.values["count"] == 300 - len(np.unique(np.column_stack([x, y]), axis=0))
    rules = {f.rule for f in leakage_findings(split.train, split.validation, split.test.audit_inputs())}
    assert "overlap" not in rules


def test_test_rows_with_the_inputs_of_training_rows_are_counted_without_their_labels():
    x, y = load_breast_cancer(return_X_y=True)
    recipe = Recipe.parse({"source": "table", "target": "y"})
    found = collect(recipe, data=(x[100:], y[100:]), test=(np.vstack([x[:100], x[200:230]]), 1 - y[:130]))
    split = make_split(found.whole, np.zeros(len(found.whole), np.int8), found.test)
    (overlap,) = leakage_findings(split.train, split.train.take(np.arange(0)), split.test.audit_inputs())
    assert (overlap.rule, overlap.where) == ("overlap", "test")
    assert (overlap.sentence.values["count"], overlap.sentence.values["rows"]) == (30, 130)


def test_equal_inputs_with_different_classes_are_counted():
    train = dataset({"a": [1, 1, 1, 2, 2, None, None], "y": ["0", "1", "1", "0", "0", "1", "0"]})
    (found,) = contradictions(train)
    assert (found.sentence.values["count"], found.sentence.values["groups"]) == (5, 2)
    assert contradictions(dataset({"a": [1, 2], "y": ["0", "1"]})) == ()
