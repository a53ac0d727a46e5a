"""Outliers: bounds with known answers, and each thing that can be done about them."""

import numpy as np
import pytest

from deepwright.core.operations import Bound, OutsideFlag, SetMissing
from deepwright.data.outliers import (
    AutoOutliers,
    IsolationForest,
    MedianDeviation,
    Placeholder,
    Quartiles,
    Untouched,
    ZScore,
)

from .rows_of import dataset

VALUES = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 100.0]
TRAIN = dataset({"a": VALUES, "y": ["0"] * 9})


@pytest.mark.parametrize(
    ("part", "low", "high"),
    [
        (ZScore(limit=2.0), np.mean(VALUES) - 2 * np.std(VALUES), np.mean(VALUES) + 2 * np.std(VALUES)),
        (Quartiles(limit=1.5), 3 - 1.5 * 4, 7 + 1.5 * 4),
        (MedianDeviation(limit=3.5), 5 - 3.5 * 1.4826 * 2, 5 + 3.5 * 1.4826 * 2),
    ],
)
def test_bounds_are_those_of_the_book(part, low: float, high: float):
    (operation,) = part.fit(TRAIN).operations
    assert isinstance(operation, Bound) and operation.treat == "clip"
    assert operation.lows == pytest.approx((low,)) and operation.highs == pytest.approx((high,))
    assert operation.apply({"a": np.array([5.0, 1e9, np.nan])})["a"][:2].tolist() == pytest.approx([5.0, high])


def test_each_treatment_is_an_operation_or_names_rows():
    row = {"a": np.array([100.0, 5.0])}
    assert np.isnan(Quartiles(treat="missing").fit(TRAIN).apply(row)["a"]).tolist() == [True, False]
    (flag,) = Quartiles(treat="flag").fit(TRAIN).operations
    assert isinstance(flag, OutsideFlag) and flag.apply(row)["a is outlying"].tolist() == [1.0, 0.0]
    delete = Quartiles(treat="delete")
    assert delete.fit(TRAIN).operations == ()  # a row that is asked for is answered
    assert delete.unusable(TRAIN).tolist() == [False] * 8 + [True]
    assert not Quartiles(treat="clip").unusable(TRAIN).any()


def test_a_column_without_spread_has_no_outliers():
    flat = dataset({"a": [7.0] * 8 + [9.0], "b": [None] * 8 + [1.0], "y": ["0"] * 9})
    assert Quartiles().fit(flat).operations == MedianDeviation().fit(flat).operations == ()


def test_what_lies_outside_is_told():
    (found,) = Quartiles().findings(TRAIN)
    assert "treated as clip: a (1 outside -9 .. 19)" in found.text
    assert Untouched().findings(TRAIN) == () and Untouched().fit(TRAIN).operations == ()


def test_auto_reads_clear_placeholders_as_missing_and_names_them_with_the_option():
    glucose = np.random.default_rng(0).normal(120.0, 15.0, 200).round(1)
    fare = np.random.default_rng(1).gamma(2.0, 10.0, 200).round(1) + 4
    fare[:6] = 0.0
    glucose[3:8] = 0.0
    train = dataset({"glucose": glucose.tolist(), "fare, all": fare.tolist(), "y": ["0"] * 200})
    (operation,) = AutoOutliers().fit(train).operations
    assert operation == SetMissing(columns=["glucose"], values=[0.0])
    clear, named = AutoOutliers().findings(train)
    assert clear.rule == "placeholder" and "--prepare.columns 'glucose: outliers=none'" in clear.text
    assert named.rule == "placeholder_kept"
    assert r"--prepare.columns 'fare\, all: outliers=placeholder, outliers.values=0'" in named.text


def test_a_placeholder_that_is_named_is_missing_wherever_it_stands():
    applied = Placeholder(values=[-1.0, 5.0]).fit(TRAIN).apply({"a": np.array([-1.0, 5.0, 6.0])})["a"]
    assert np.isnan(applied).tolist() == [True, True, False]


def isolated() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    x = generator.normal(5.0, 1.0, size=(300, 3))
    x[:3] = 14.0
    x[5, 1] = np.nan
    return x, np.arange(300) < 3


def test_the_forest_flags_rows_that_are_far_in_all_columns_as_scikit_learn_does():
    from sklearn.ensemble import IsolationForest as Forest

    x, is_far = isolated()
    train = dataset({**{f"x{i}": x[:, i].tolist() for i in range(3)}, "y": ["0"] * 300})
    part = IsolationForest(share=0.01, trees=50)
    (operation,) = part.fit(train).operations
    flagged = operation.apply(dict(train.columns))[operation.output] > 0
    assert flagged.tolist() == is_far.tolist()
    x[5, 1] = np.median(np.delete(x[:, 1], 5))
    scores = Forest(n_estimators=50, random_state=0).fit(x.astype(np.float32)).score_samples(x.astype(np.float32))
    depth = operation.mean_depth(dict(train.columns))
    np.testing.assert_allclose(-scores, 2.0 ** (-depth / 10.244770920116851), rtol=1e-4)  # c(256)
    deleting = part.replace(treat="delete")
    assert deleting.fit(train).operations == () and deleting.unusable(train).tolist() == is_far.tolist()


def test_the_forest_is_the_same_each_time():
    x, _ = isolated()
    train = dataset({**{f"x{i}": x[:, i].tolist() for i in range(3)}, "y": ["0"] * 300})
    assert IsolationForest(trees=5).fit(train) == IsolationForest(trees=5).fit(train)
