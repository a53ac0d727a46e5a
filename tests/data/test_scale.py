"""Scalers: known answers of another library, the order of values, and what auto chooses."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PowerTransformer, QuantileTransformer, RobustScaler

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import Scaler
from deepwright.core.operations import Log, SmoothBound, Standardise
from deepwright.data.scale import AutoScaler, Logarithm, MinMax, Power, Quantile, Robust, Standard, Unscaled

from .rows_of import dataset

X = load_diabetes(scaled=False).data[:, [0, 2, 4]]
TRAIN = dataset({**{f"x{i}": X[:, i].tolist() for i in range(3)}, "y": ["0"] * len(X)})


def scaled(part: Scaler, train: Dataset = TRAIN) -> np.ndarray:
    result = part.fit(train).apply(train.inputs)
    return np.stack([result[name] for name in train.inputs], axis=1)


def test_robust_and_power_are_those_of_scikit_learn():
    np.testing.assert_allclose(scaled(Robust(bound=None)), RobustScaler().fit_transform(X), atol=1e-12)
    np.testing.assert_allclose(scaled(Power()), PowerTransformer().fit_transform(X), atol=2e-3)


@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_quantile_is_that_of_scikit_learn_inside_of_the_range(shape: str):
    expected = QuantileTransformer(n_quantiles=256, output_distribution=shape, subsample=None).fit_transform(X)
    middle = np.abs(expected - expected.mean()) < expected.std()
    np.testing.assert_allclose(scaled(Quantile(shape=shape))[middle], expected[middle], atol=0.02)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0)])
def test_min_max_meets_both_ends(low: float, high: float):
    found = scaled(MinMax(low=low, high=high))
    np.testing.assert_allclose(found.min(axis=0), low, atol=1e-12)
    np.testing.assert_allclose(found.max(axis=0), high, atol=1e-12)
    with pytest.raises(RecipeError, match=r"low 1\.0 is not below high 1\.0"):
        MinMax(low=1.0)


@pytest.mark.parametrize(
    "part", [Standard(), MinMax(), Robust(), Quantile(), Power(), Logarithm(), Unscaled(), AutoScaler()]
)
def test_a_scaler_keeps_the_order_of_values(part: Scaler):
    column = np.concatenate([np.random.default_rng(0).lognormal(3.0, 2.0, 200), [0.0, 1e6]])
    train = dataset({"a": column.tolist(), "y": ["0"] * len(column)})
    found = scaled(part, train)[:, 0]
    assert np.isfinite(found).all() and (np.diff(found[np.argsort(column)]) >= 0).all()


def test_auto_takes_the_log_for_a_long_tail_and_the_robust_scale_for_far_outliers():
    generator = np.random.default_rng(0)
    tail, plain = generator.lognormal(0.0, 1.5, 500), generator.normal(size=500)
    both = generator.normal(size=500)
    both[:4] = 80.0, -90.0, 70.0, -60.0
    train = dataset({"tail": tail.tolist(), "plain": plain.tolist(), "both": both.tolist(), "y": ["0"] * 500})
    kinds = {
        (operation.kind, name)
        for operation in AutoScaler().fit(train).operations
        if isinstance(operation, Log | SmoothBound | Standardise)
        for name in operation.columns
    }
    assert ("log", "tail") in kinds and ("smooth_bound", "both") in kinds
    assert {kind for kind, name in kinds if name == "plain"} == {"standardise"}
    log, robust = AutoScaler().findings(train)
    assert log.rule == "scale_log" and "tail (" in log.text and "plain" not in log.text
    assert robust.rule == "scale_robust" and "both (" in robust.text


def test_auto_says_nothing_of_ordinary_numbers():
    assert AutoScaler().findings(TRAIN) == ()
