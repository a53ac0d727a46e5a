import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.metrics import log_loss
from sklearn.svm import SVC, SVR

from deepwright.core.errors import DataError
from deepwright.model.svm import SVM
from tests.onnx_runner import in_onnx


def table(load):
    x, target = load(return_X_y=True)
    return ((x - x.mean(0)) / x.std(0)).astype(np.float32), target


@pytest.mark.parametrize("is_weighted", [False, True])
def test_log_odds_are_a_line_over_scikit_learns_scores(is_weighted):
    x, target = table(load_breast_cancer)
    weight = np.linspace(0.5, 1.5, len(x)) if is_weighted else None
    operation = SVM().learn(x, target, "classification", 2, seed=0, weight=weight)
    model = SVC().fit(x.astype(float), target, weight)
    scores = model.decision_function(x.astype(float)) * operation.scales[0] + operation.shifts[0]
    np.testing.assert_allclose(operation.apply({"x": x})["probability"][:, 1], 1 / (1 + np.exp(-scores)), atol=1e-6)
    assert operation.scales[0] > 0
    assert len(operation.rows) == len(model.support_)


def test_values_are_scikit_learns():
    x, target = table(load_diabetes)
    operation = SVM(c=3.0).learn(x, target, "regression", 1, seed=0)
    mean, sd = target.mean(), target.std()
    expected = SVR(C=3.0).fit(x.astype(float), (target - mean) / sd).predict(x.astype(float)) * sd + mean
    np.testing.assert_allclose(operation.apply({"x": x})["value"], expected, rtol=1e-5)


def test_three_classes_are_told_apart_with_probabilities_that_can_be_trusted():
    x, target = table(load_wine)
    operation = SVM().learn(x[::2], target[::2], "classification", 3, seed=0)
    found = operation.apply({"x": x[1::2]})["probability"]
    assert (found.argmax(1) == target[1::2]).mean() > 0.95
    assert log_loss(target[1::2], found) < 0.2
    np.testing.assert_allclose(
        in_onnx([operation], {"x": x}, ["probability"])[0], operation.apply({"x": x})["probability"], atol=1e-6
    )


def test_a_class_with_one_row_is_learned_without_folds():
    x = np.linspace(-1, 1, 30, dtype=np.float32)[:, None]
    found = (
        SVM().learn(x, (np.arange(30) == 29).astype(int), "classification", 2, seed=0).apply({"x": x})["probability"]
    )
    assert np.isfinite(found).all()


def test_more_rows_than_are_meant_for_it_are_refused():
    with pytest.raises(DataError, match="svm: 11 training rows"):
        SVM(max_rows=10).learn(np.zeros((11, 1), np.float32), np.zeros(11), "regression", 1, seed=0)
