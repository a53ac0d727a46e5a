import numpy as np
import onnxruntime
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from deepwright.core.errors import DataError, PracticeError
from deepwright.core.operations import Operation
from deepwright.core.operations.graph import Graph
from deepwright.model import baselines
from deepwright.model.baselines import Boosting, ConstantBaseline, LinearBaseline, rounded_down


def table(name):
    """x float32 standardised with some values missing for trees, target, problem, number of classes."""
    load, problem, classes = {
        "two": (load_breast_cancer, "classification", 2),
        "three": (load_wine, "classification", 3),
        "value": (load_diabetes, "regression", 0),
    }[name]
    x, target = load(return_X_y=True)
    return ((x - x.mean(0)) / x.std(0)).astype(np.float32), target, problem, classes


def with_missing(x):
    x = x.copy()
    x[np.random.default_rng(0).random(x.shape) < 0.1] = np.nan
    return x


def onnx_answer(operation: Operation, x: np.ndarray) -> np.ndarray:
    graph = Graph()
    graph.input("x", "float", x.shape[1])
    operation.graph(graph)
    width = None if operation.answer == "value" else len(operation.apply({"x": x[:1]})["probability"][0])
    model = graph.model({operation.answer: width})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def assert_near(found, expected):
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("name", ["two", "three", "value"])
@pytest.mark.parametrize("kind", ["constant", "linear", "boosting"])
def test_numpy_and_onnx_answer_alike(kind, name):
    x, target, problem, classes = table(name)
    x = with_missing(x) if kind == "boosting" else x
    operation = baselines.Baseline.parse(kind).learn(x, target, problem, classes, seed=0)
    assert_near(onnx_answer(operation, x), operation.apply({"x": x})[operation.answer])


@pytest.mark.parametrize("name", ["two", "three"])
def test_linear_answers_as_scikit_learn_does_for_classes(name):
    x, target, problem, classes = table(name)
    operation = LinearBaseline().learn(x, target, problem, classes, seed=0)
    expected = LogisticRegression(max_iter=1000).fit(x.astype(float), target).predict_proba(x)
    assert_near(operation.apply({"x": x})["probability"], expected)


def test_linear_answers_as_scikit_learn_does_for_values():
    x, target, problem, classes = table("value")
    operation = LinearBaseline().learn(x, target, problem, classes, seed=0)
    assert_near(operation.apply({"x": x})["value"], Ridge().fit(x.astype(float), target).predict(x.astype(float)))


@pytest.mark.parametrize("name", ["two", "three"])
def test_boosting_answers_as_scikit_learn_does_for_classes_and_missing_numbers(name):
    x, target, problem, classes = table(name)
    x = with_missing(x)
    operation = Boosting().learn(x, target, problem, classes, seed=0)
    model = HistGradientBoostingClassifier(early_stopping=False, random_state=0).fit(x, target)
    unseen = with_missing(x[::-1] * np.float32(1.7))
    assert_near(operation.apply({"x": unseen})["probability"], model.predict_proba(unseen))


def test_boosting_answers_as_scikit_learn_does_for_values():
    x, target, problem, classes = table("value")
    operation = Boosting().learn(x, target, problem, classes, seed=0)
    model = HistGradientBoostingRegressor(early_stopping=False, random_state=0).fit(x, target)
    assert_near(operation.apply({"x": x})["value"], model.predict(x))


def test_a_split_of_missing_against_all_else_survives():
    x = np.concatenate([np.full(100, np.nan), np.linspace(0, 1, 100)]).astype(np.float32)[:, None]
    target = np.isnan(x[:, 0]).astype(int)
    operation = Boosting().learn(x, target, "classification", 2, seed=0)
    probability = operation.apply({"x": np.array([[np.nan], [0.5], [3e38]], np.float32)})["probability"]
    assert probability[:, 1].round(1).tolist() == [1.0, 0.0, 0.0]


def test_values_on_a_threshold_go_the_same_way_as_in_scikit_learn():
    # Midpoints of float32 neighbours are no float32 numbers: rounding them up would move the upper neighbour.
    low = np.float32(1.0)
    high = np.nextafter(low, np.float32(2))
    x = np.repeat(np.array([low, high]), 50)[:, None]
    operation = Boosting().learn(x, np.repeat([0, 1], 50), "classification", 2, seed=0)
    assert operation.apply({"x": x})["probability"].argmax(1).tolist() == [0] * 50 + [1] * 50


def test_thresholds_are_rounded_down_never_up():
    thresholds = np.random.default_rng(0).normal(size=10_000)
    rounded = rounded_down(thresholds)
    assert (rounded <= thresholds).all()
    assert (rounded == rounded.astype(np.float32)).all()
    assert (np.nextafter(rounded.astype(np.float32), np.float32(np.inf)).astype(np.float64) > thresholds).all()


def test_a_tree_operation_that_differs_from_the_model_is_refused(monkeypatch):
    x, target, problem, classes = table("two")
    monkeypatch.setattr(baselines, "rounded_down", lambda thresholds: thresholds * 0)
    with pytest.raises(PracticeError, match="differs from scikit-learn's answer by"):
        Boosting(iterations=5).learn(x, target, problem, classes, seed=0)


@pytest.mark.parametrize("baseline", [LinearBaseline(), Boosting()])
def test_a_class_without_rows_is_named(baseline):
    with pytest.raises(DataError, match="class 1 of 3 has no row in the training part"):
        baseline.learn(np.zeros((4, 1), np.float32), np.array([0, 2, 0, 2]), "classification", 3, seed=0)


def test_constant_gives_class_shares_and_the_mean():
    x = np.zeros((4, 1), np.float32)
    assert ConstantBaseline().learn(x, np.array([0, 1, 1, 1]), "classification", 3, 0).values == (0.25, 0.75, 0.0)
    assert ConstantBaseline().learn(x, np.array([1.0, 2.0, 3.0, 6.0]), "regression", 0, 0).values == (3.0,)


def test_linear_and_boosting_beat_the_constant_on_real_data():
    x, target, problem, classes = table("three")
    for baseline in (LinearBaseline(), Boosting()):
        answer = baseline.learn(x[::2], target[::2], problem, classes, 0).apply({"x": x[1::2]})["probability"]
        assert (answer.argmax(1) == target[1::2]).mean() > 0.9


def test_learned_operations_survive_a_round_trip_through_plain_data():
    x, target, problem, classes = table("three")
    for kind in ("constant", "linear", "boosting"):
        operation = baselines.Baseline.parse(kind).learn(x, target, problem, classes, 0)
        again = Operation.parse(operation.dump())
        assert np.array_equal(again.apply({"x": x})["probability"], operation.apply({"x": x})["probability"])


@pytest.mark.parametrize("options", [{}, {"c": None, "alpha": None}], ids=["given", "chosen"])
@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_the_linear_model_learns_the_same_from_a_sparse_matrix(problem: str, options: dict):
    from scipy.sparse import csr_matrix

    draw = np.random.default_rng(0)
    x = (draw.random((120, 30)) * (draw.random((120, 30)) < 0.2)).astype(np.float32)
    score = x[:, 0] * 3 - x[:, 1] * 2 + 0.1 * draw.normal(size=120)
    target = (score > np.median(score)).astype(np.int64) if problem == "classification" else score.astype(np.float64)
    weight = np.linspace(0.5, 1.5, 120)
    answer = "probability" if problem == "classification" else "value"
    dense, sparse = (
        LinearBaseline(**options).learn(rows, target, problem, 2, seed=0, weight=weight) for rows in (x, csr_matrix(x))
    )
    np.testing.assert_allclose(sparse.apply({"x": x})[answer], dense.apply({"x": x})[answer], atol=2e-3)
    np.testing.assert_allclose(sparse.apply({"x": csr_matrix(x)})[answer], sparse.apply({"x": x})[answer], atol=1e-5)
