"""Operations: what numpy computes is what ONNX computes, and plain data bring them back."""

import json

import numpy as np
import pytest

from deepwright.core.errors import RecipeError
from deepwright.core.operations import (
    Constant,
    Fill,
    Join,
    Level,
    Linear,
    MissingFlag,
    OneHot,
    Operation,
    Stack,
    Standardise,
    TreeEnsemble,
    load_operations,
    run_operations,
)
from tests.onnx_runner import in_onnx

NAN = np.nan
NUMBERS = {"a": np.array([1.0, NAN, -3.5, 1e300]), "b": np.array([NAN, 0.0, 2.0, -1e39])}
CODES = {"c": np.array([0.0, 1.0, 2.0, 1.0]), "d": np.array([3.0, 0.0, 1.0, 2.0])}
WORDS = {"w": np.array(["x", "y", "", "never seen"], object)}
X = {"x": np.array([[0.5, NAN], [1.0, -1.0], [1.5, 3.0], [-80.0, 200.0]], np.float32)}
FINITE_X = {"x": np.array([[0.5, 0.25], [1.0, -1.0], [1.5, 3.0], [-80.0, 90.0]], np.float32)}

# x[0] <= 1: (x[1] <= 0 or missing: 2, else 7), else 5; and a stump of a single leaf
TREES = {
    "features": [0, 1, -1, -1, -1, -1],
    "thresholds": [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    "lefts": [1, 2, 0, 0, 0, 0],
    "rights": [4, 3, 0, 0, 0, 0],
    "nan_left": [False, True, False, False, False, False],
    "leaf_values": [0.0, 0.0, 2.0, 7.0, 5.0, -1.0],
    "roots": [0, 5],
}

CASES = {
    "fill": (Fill(columns=["a", "b"], values=[7.0, -1.0]), NUMBERS, ["a", "b"]),
    "missing_flag": (MissingFlag(columns=["a", "b"], outputs=["a?", "b?"]), NUMBERS, ["a?", "b?"]),
    "standardise": (Standardise(columns=["a", "b"], means=[0.1, 3.0], sds=[0.3, 7.0]), NUMBERS, ["a", "b"]),
    "level": (Level(column="w", levels=["y", "x", ""]), WORDS, ["w"]),
    "level without levels": (Level(column="w", levels=[]), WORDS, ["w"]),
    "stack": (Stack(columns=["a", "b"], output="t"), NUMBERS, ["t"]),
    "stack of codes": (Stack(columns=["c", "d"], output="t", dtype="int64"), CODES, ["t"]),
    "one_hot": (OneHot(columns=["c", "d"], num_levels=[2, 3], output="t"), CODES, ["t"]),
    "join": (Join(tensors=["x", "x"], output="t"), X, ["t"]),
    "constant of classes": (Constant(answer="probability", values=[0.25, 0.75]), X, ["probability"]),
    "constant value": (Constant(answer="value", values=[3.5]), X, ["value"]),
    "linear of classes": (
        Linear(answer="probability", weights=[[1.0, -1.0, 0.0], [0.5, 0.1, -0.2]], bias=[0.0, 0.1, -0.1]),
        FINITE_X,
        ["probability"],
    ),
    "linear value": (Linear(answer="value", weights=[[1.0], [0.5]], bias=[-4.0]), FINITE_X, ["value"]),
    "trees for a value": (
        TreeEnsemble(answer="value", tree_outputs=[0, 0], base=[0.5], **TREES),
        X,
        ["value"],
    ),
    "trees for two classes": (
        TreeEnsemble(answer="probability", tree_outputs=[0, 0], base=[-200.0], link="sigmoid", **TREES),
        X,
        ["probability"],
    ),
    "trees for three classes": (
        TreeEnsemble(answer="probability", tree_outputs=[0, 2], base=[0.0, 1.0, 2.0], link="softmax", **TREES),
        X,
        ["probability"],
    ),
}

EXPECTED = {
    "fill": [[1.0, 7.0, -3.5, 1e300], [-1.0, 0.0, 2.0, -1e39]],
    "missing_flag": [[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]],
    "level": [[1.0, 0.0, 2.0, 3.0]],
    "level without levels": [[0.0, 0.0, 0.0, 0.0]],
    "stack of codes": [[[0, 3], [1, 0], [2, 1], [1, 2]]],
    "one_hot": [[[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 1, 0, 0, 1]]],
    "constant of classes": [[[0.25, 0.75]] * 4],
    "constant value": [[3.5] * 4],
    "linear value": [[-3.375, -3.5, -1.0, -39.0]],
    "trees for a value": [[1.5, 1.5, 4.5, 6.5]],
}


def test_every_operation_has_a_case():
    assert {type(operation).kind for operation, _, _ in CASES.values()} == set(Operation.kinds)


@pytest.mark.parametrize("case", CASES)
def test_numpy_and_onnx_agree(case: str):
    operation, columns, outputs = CASES[case]
    result = operation.apply(columns)
    for name, found in zip(outputs, in_onnx([operation], columns, outputs), strict=True):
        expected = result[name] if result[name].ndim == 2 else result[name][:, None]
        assert found.shape == expected.shape
        np.testing.assert_allclose(found.astype(np.float64), expected.astype(np.float64), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("case", EXPECTED)
def test_the_numbers_are_the_known_ones(case: str):
    operation, columns, outputs = CASES[case]
    result = operation.apply(columns)
    for name, expected in zip(outputs, EXPECTED[case], strict=True):
        np.testing.assert_array_equal(result[name], np.asarray(expected, result[name].dtype))


@pytest.mark.parametrize("case", CASES)
def test_an_operation_changes_neither_its_input_nor_other_columns(case: str):
    operation, columns, _ = CASES[case]
    before = {name: column.copy() for name, column in columns.items()}
    for column in columns.values():
        column.flags.writeable = False
    result = operation.apply({**columns, "other": np.arange(4.0)})
    np.testing.assert_array_equal(result["other"], np.arange(4.0))
    for name, column in before.items():
        np.testing.assert_array_equal(columns[name], column)


@pytest.mark.parametrize("case", CASES)
def test_no_rows_and_one_row_are_answered_too(case: str):
    operation, columns, outputs = CASES[case]
    whole = operation.apply(columns)
    for rows in (slice(0, 0), slice(2, 3)):
        result = operation.apply({name: column[rows] for name, column in columns.items()})
        for name in outputs:
            np.testing.assert_array_equal(result[name], whole[name][rows])


@pytest.mark.parametrize("case", CASES)
def test_plain_data_bring_the_operation_back(case: str):
    operation, _, _ = CASES[case]
    (again,) = load_operations(json.loads(json.dumps([operation.dump()])))
    assert again == operation and again.hash == operation.hash


def test_a_kind_outside_the_list_is_refused():
    with pytest.raises(RecipeError, match=r"operation: there is no .run_code.\. Allowed: bound, calendar, constant, drop,"):
        load_operations([{"kind": "run_code"}])


def test_operations_run_in_order():
    operations = (
        MissingFlag(columns=["a"], outputs=["a?"]),
        Fill(columns=["a"], values=[2.0]),
        Stack(columns=["a", "a?"], output="t"),
    )
    tensor = run_operations(operations, {"a": np.array([NAN, 1.0])})["t"]
    assert tensor.dtype == np.float32 and tensor.tolist() == [[2.0, 1.0], [1.0, 0.0]]


def test_numbers_beyond_float32_are_held_at_its_bound():
    tensor = Stack(columns=["a"], output="t").apply({"a": np.array([1e300, -1e300, NAN])})["t"]
    assert tensor[:2, 0].tolist() == pytest.approx([3e38, -3e38])
    assert np.isnan(tensor[2, 0])


def test_trees_that_grow_agree_with_scikit_learn():
    from sklearn.datasets import load_diabetes
    from sklearn.tree import DecisionTreeRegressor

    x, y = load_diabetes(return_X_y=True)
    x = x.astype(np.float32)
    tree = DecisionTreeRegressor(max_depth=5, random_state=0).fit(x, y)
    grown = tree.tree_
    is_leaf = grown.children_left < 0
    operation = TreeEnsemble(
        answer="value",
        roots=[0],
        tree_outputs=[0],
        features=np.where(is_leaf, -1, grown.feature).tolist(),
        thresholds=np.where(is_leaf, 0.0, grown.threshold).tolist(),
        lefts=np.maximum(grown.children_left, 0).tolist(),
        rights=np.maximum(grown.children_right, 0).tolist(),
        nan_left=[False] * len(is_leaf),
        leaf_values=np.where(is_leaf, grown.value[:, 0, 0], 0.0).tolist(),
        base=[0.0],
    )
    np.testing.assert_allclose(operation.apply({"x": x})["value"], tree.predict(x), rtol=1e-5)
    np.testing.assert_allclose(in_onnx([operation], {"x": x}, ["value"])[0][:, 0], tree.predict(x), rtol=1e-5)


def test_what_was_learned_is_given_as_arrays():
    arrays = Standardise(columns=["a", "b"], means=[0.1, 3.0], sds=[0.3, 7.0]).arrays()
    assert {name: array.tolist() for name, array in arrays.items()} == {"means": [0.1, 3.0], "sds": [0.3, 7.0]}
    assert TreeEnsemble(answer="value", tree_outputs=[0, 0], base=[0.5], **TREES).arrays()["roots"].dtype == np.int64


def test_a_planted_fault_is_seen():
    """The comparison above fails when numpy and ONNX differ."""

    class Wrong(Fill, kind="test_wrong_fill"):
        def apply(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            filled = super().apply(columns)
            return {**filled, "a": filled["a"] + 1e-3}

    del Operation.kinds["test_wrong_fill"]
    operation = Wrong(columns=["a"], values=[7.0])
    (found,) = in_onnx([operation], {"a": np.array([1.0, NAN])}, ["a"])
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(found[:, 0], operation.apply({"a": np.array([1.0, NAN])})["a"], rtol=1e-6)
