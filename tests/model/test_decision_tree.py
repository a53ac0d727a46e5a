import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from deepwright.model.decision_tree import DecisionTree
from tests.onnx_runner import in_onnx

OPTIONS = {"max_leaf_nodes": 16, "min_samples_leaf": 5, "random_state": 0}


def with_missing(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float32)
    x[np.random.default_rng(0).random(x.shape) < 0.1] = np.nan
    return x


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("has_missing", [False, True])
def test_it_answers_as_scikit_learn_does_also_for_missing_numbers(has_missing, is_weighted):
    x, target = load_wine(return_X_y=True)
    x = with_missing(x) if has_missing else x.astype(np.float32)
    weight = np.linspace(0.5, 1.5, len(x)) if is_weighted else None
    operation = DecisionTree().learn(x, target, "classification", 3, seed=0, weight=weight)
    model = DecisionTreeClassifier(**OPTIONS).fit(x, target, sample_weight=weight)
    unseen = with_missing(x[::-1] * np.float32(1.1))
    found = operation.apply({"x": unseen})["probability"]
    np.testing.assert_allclose(found, model.predict_proba(unseen), atol=1e-6)
    np.testing.assert_allclose(in_onnx([operation], {"x": unseen}, ["probability"])[0], found, atol=1e-6)


def test_it_answers_values_as_scikit_learn_does():
    x, target = load_diabetes(return_X_y=True)
    x = x.astype(np.float32)
    operation = DecisionTree().learn(x, target, "regression", 1, seed=0)
    expected = DecisionTreeRegressor(**OPTIONS).fit(x, target).predict(x)
    np.testing.assert_allclose(operation.apply({"x": x})["value"], expected, rtol=1e-6)
