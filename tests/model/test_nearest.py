import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from deepwright.core.errors import DataError
from deepwright.model.nearest import NearestBaseline
from tests.onnx_runner import in_onnx


def table(load):
    x, target = load(return_X_y=True)
    return ((x - x.mean(0)) / x.std(0)).astype(np.float32), target


def test_it_answers_as_scikit_learn_does_for_classes():
    x, target = table(load_breast_cancer)
    operation = NearestBaseline(k=7).learn(x[::2], target[::2], "classification", 2, seed=0)
    expected = KNeighborsClassifier(7).fit(x[::2], target[::2]).predict_proba(x)
    np.testing.assert_allclose(operation.apply({"x": x})["probability"], expected, atol=1e-6)


def test_it_answers_as_scikit_learn_does_for_values():
    x, target = table(load_diabetes)
    operation = NearestBaseline(k=7).learn(x[::2], target[::2], "regression", 1, seed=0)
    expected = KNeighborsRegressor(7).fit(x[::2], target[::2]).predict(x)
    np.testing.assert_allclose(operation.apply({"x": x})["value"], expected, rtol=1e-6)


def test_it_answers_as_scikit_learn_does_for_several_labels():
    x, target = table(load_breast_cancer)
    labels = np.stack([target == 1, x[:, 0] > 0.5, x[:, 3] < 0], axis=1)
    operation = NearestBaseline(k=7).learn(x[::2], labels[::2], "multi-label", 3, seed=0)
    of_each = KNeighborsClassifier(7).fit(x[::2], labels[::2]).predict_proba(x)
    expected = np.stack([each[:, 1] for each in of_each], axis=1)
    found = operation.apply({"x": x})["probability"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(in_onnx([operation], {"x": x}, ["probability"])[0], found, atol=1e-6)


def test_rows_that_are_equally_near_all_vote_in_numpy_and_onnx():
    draw = np.random.default_rng(0)
    thirds = np.float32(3.0)  # many ties, at distances that are rounded
    grid = draw.integers(0, 4, (3000, 5)).astype(np.float32) / thirds
    target = draw.integers(0, 3, 3000)
    operation = NearestBaseline(k=5).learn(grid, target, "classification", 3, seed=0)
    asked = draw.integers(0, 4, (400, 5)).astype(np.float32) / thirds
    found = operation.apply({"x": asked})["probability"]
    np.testing.assert_allclose(in_onnx([operation], {"x": asked}, ["probability"])[0], found, atol=1e-6)
    own = np.array([np.bincount(target[(grid == row).all(1)], minlength=3) for row in asked])
    many = own.sum(1) >= 5  # so many equal rows answer alone
    assert many.any() and not many.all()
    np.testing.assert_allclose(found[many], own[many] / own[many].sum(1, keepdims=True), atol=1e-6)


def test_far_rows_do_not_blur_near_ones():
    rows = np.array([[0.0, 3e4], [0.01, 3e4], [5.0, -3e4]], np.float32)
    operation = NearestBaseline(k=1).learn(rows, np.array([0, 1, 1]), "classification", 2, seed=0)
    found = operation.apply({"x": np.array([[0.002, 3e4], [0.008, 3e4]], np.float32)})["probability"]
    assert found.argmax(axis=1).tolist() == [0, 1]


def test_a_row_of_no_weight_is_not_kept():
    x, target = np.array([[0.0], [1.0], [5.0]], np.float32), np.array([1.0, 2.0, 6.0])
    operation = NearestBaseline(k=2).learn(x, target, "regression", 1, seed=0, weight=np.array([3.0, 0.0, 1.0]))
    assert operation.rows == ((0.0,), (5.0,))
    assert operation.apply({"x": x})["value"].tolist() == [2.25] * 3
    assert operation.contains_data


def test_more_rows_than_are_meant_for_it_are_refused():
    x = np.zeros((11, 1), np.float32)
    with pytest.raises(
        DataError, match=r"nearest: 11 training rows; this baseline is for small tables and takes at most 10"
    ):
        NearestBaseline(max_rows=10).learn(x, np.zeros(11), "regression", 1, seed=0)


def test_more_rows_are_drawn_from_where_that_is_asked_for():
    x, target = np.arange(100, dtype=np.float32)[:, None], np.arange(100) % 2
    weight = np.where(np.arange(100) < 50, 2.0, 1.0)
    few = NearestBaseline(k=1, max_rows=30, beyond="sample")
    first, again, other = (few.learn(x, target, "classification", 2, seed, weight) for seed in (1, 1, 2))
    assert len(first.rows) == 30 and first == again and first.rows != other.rows
    for (row,), vote, counted in zip(first.rows, first.votes, first.weights, strict=True):
        assert vote[int(row) % 2] == 1.0 and counted == (2.0 if row < 50 else 1.0)
