"""Permutation importance: known answers of a model that is written down, and of inputs that say the same."""

import numpy as np
import pytest

from deepwright.core.bundle import Answers
from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError
from deepwright.core.schema import Feature, Schema
from deepwright.evaluation.classify import Accuracy, Auc
from deepwright.evaluation.importance import hanging_together, importance
from deepwright.evaluation.regress import Mse, Rmse

SIZE = 2000


class Written:
    """Stands in for a bundle: answers by a formula."""

    def __init__(self, formula, threshold=None):
        self.formula, self.threshold, self.rows = formula, threshold, 0

    def answer(self, columns):
        found = self.formula(columns)
        self.rows += len(found)
        none = np.zeros(len(found), bool)
        if found.ndim == 2:
            return Answers(("no", "yes"), found.astype(np.float32), None, none, self.threshold)
        return Answers((), None, found.astype(np.float32), none)


def rows(part="validation", size=SIZE, problem="regression") -> tuple[Dataset, np.ndarray]:
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=size) for name in ("a", "b", "c")}
    columns["twin"] = columns["a"] + 0.1 * rng.normal(size=size)
    columns["colour"] = rng.choice(np.array(["red", "blue", None], dtype=object), size)
    if problem == "regression":
        columns["y"] = 2 * columns["a"] + columns["b"]
    else:
        columns["y"] = np.where(columns["a"] > 0, "yes", "no").astype(object)
    target = Feature(name="y", type="number" if problem == "regression" else "category", role="target", levels=())
    kinds = {"colour": "category"}
    features = [Feature(name=n, type=kinds.get(n, "number")) for n in columns if n != "y"]
    data = Dataset(columns, Schema(features=(*features, target)), part, np.arange(size), np.arange(size, dtype="u8"))
    return data, columns["y"] if problem == "regression" else (columns["a"] > 0).astype(np.int64)


def of(found, name):
    return next(entry for entry in found["inputs"] if entry["feature"] == name)


def test_shuffling_a_linear_input_costs_twice_its_variance_and_one_that_is_not_used_costs_nothing():
    data, target = rows()
    found = importance(Written(lambda x: 2 * x["a"] + x["b"]), data, target, Mse(), seconds_per_row=1e-6)
    assert [entry["feature"] for entry in found["inputs"]][:2] == ["a", "b"]
    for name, due in (("a", 8.0), ("b", 2.0)):
        entry = of(found, name)
        assert entry["low"] < due < entry["high"] and entry["high"] - entry["low"] < due / 3
    assert of(found, "c")["value"] == pytest.approx(0.0, abs=1e-12)
    assert (found["metric"], found["n"], found["repeats"]) == ("mse", SIZE, 5)


def test_a_root_is_told_in_its_own_unit():
    data, target = rows()
    found = importance(Written(lambda x: 2 * x["a"] + 0 * x["b"]), data, target, Rmse(), seconds_per_row=1e-6)
    assert of(found, "a")["value"] == pytest.approx(3 - 1, abs=0.15)
    assert of(found, "a")["low"] < 2 < of(found, "a")["high"]


def test_accuracy_is_of_the_answered_class_and_of_other_metrics_log_loss_is_told():
    data, target = rows(problem="classification")

    def formula(x):
        yes = np.where(x["a"] > 0, 0.4, 0.1)
        return np.stack([1 - yes, yes], axis=1)

    by_threshold = importance(Written(formula, threshold=0.3), data, target, Accuracy(), seconds_per_row=1e-6)
    assert of(by_threshold, "a")["value"] == pytest.approx(0.5, abs=0.04)
    by_half = importance(Written(formula), data, target, Accuracy(), seconds_per_row=1e-6)
    assert of(by_half, "a")["value"] == 0.0
    assert importance(Written(formula), data, target, Auc(), seconds_per_row=1e-6)["metric"] == "log_loss"


def test_inputs_that_say_the_same_are_named():
    data, target = rows()
    found = importance(Written(lambda x: x["a"]), data, target, Mse(), seconds_per_row=1e-6)
    assert of(found, "a")["together"] == ["twin"] and of(found, "twin")["together"] == ["a"]
    assert of(found, "c")["together"] == []


def test_numbers_and_levels_hang_together_where_one_tells_the_other():
    rng = np.random.default_rng(1)
    level = rng.choice(np.array(["x", "y", "z"], dtype=object), 500)
    size = np.array([{"x": 0.0, "y": 5.0, "z": 9.0}[v] for v in level]) + rng.normal(size=500)
    columns = {
        "level": level, "same": np.array([v + "!" for v in level], dtype=object), "size": size,
        "other": rng.choice(np.array(["p", "q"], dtype=object), 500), "gaps": np.full(500, np.nan),
        "name": np.array([f"n{i}" for i in range(500)], dtype=object),
    }  # fmt: skip
    kinds = {"size": "number", "gaps": "number"}
    inputs = tuple(Feature(name=n, type=kinds.get(n, "category")) for n in columns)
    found = hanging_together(inputs, columns)
    assert set(found) == {"level", "same", "size"}
    assert set(found["size"]) == {"level", "same"}


def test_a_slow_bundle_answers_fewer_rows_and_a_very_slow_one_none():
    data, target = rows()
    bundle = Written(lambda x: x["a"])
    found = importance(bundle, data, target, Mse(), seconds_per_row=10 / (600 * 5 * 5))
    assert found["n"] == 500 and bundle.rows == 500 * (1 + 5 * 5)
    assert importance(bundle, data, target, Mse(), seconds_per_row=1.0) is None


def test_one_input_alone_has_no_importance():
    data, target = rows()
    only = Schema(features=tuple(f for f in data.schema.features if f.name in ("a", "y")))
    assert importance(Written(lambda x: x["a"]), data.with_schema(only), target, Mse(), seconds_per_row=1e-6) is None


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(300, 2))
        columns = {"a": x[:, 0].copy(), "b": x[:, 1].copy(), "y": x.sum(axis=1)}
        features = (*(Feature(name=n, type="number") for n in "ab"), Feature(name="y", type="number", role="target"))
        data = Dataset(columns, Schema(features=features), "validation", np.arange(300), np.arange(300, dtype="u8"))
        found = importance(Written(lambda x: x["a"]), data, columns["y"], Mse(), seconds_per_row=1e-6, seed=seed)
        entry = of(found, "a")
        hits += entry["low"] < 2.0 < entry["high"]  # E(a - a')^2, independent of b
    assert hits >= 54


def test_only_validation_is_taken():
    data, target = rows("train")
    with pytest.raises(LeakError):
        importance(Written(lambda x: x["a"]), data, target, Mse(), seconds_per_row=1e-6)
