"""Imputers that predict: what they fill is nearer to the truth than a mean, and they read what they do not fill."""

import numpy as np
from sklearn.impute import KNNImputer

from deepwright.core.dataset import Dataset
from deepwright.core.families import Imputer
from deepwright.core.operations import LinearFill, MissingFlag, NearestFill
from deepwright.data.missing import Mean
from deepwright.data.narrow import narrowed
from deepwright.data.predict_missing import Iterative, KNearest

from .rows_of import dataset

GENERATOR = np.random.default_rng(0)
A = GENERATOR.normal(size=300)
TRUTH = np.stack([A, 2 * A + 0.1 * GENERATOR.normal(size=300), -A + 0.1 * GENERATOR.normal(size=300)], axis=1)
GONE = GENERATOR.random(TRUTH.shape) < 0.15
GONE[:, 0] = False
KNOWN = np.where(GONE, np.nan, TRUTH)
TRAIN = dataset({**{f"x{i}": KNOWN[:, i].tolist() for i in range(3)}, "y": ["0"] * 300})


def filled(part: Imputer, train: Dataset = TRAIN) -> np.ndarray:
    result = part.fit(train).apply(train.inputs)
    return np.stack([result[f"x{i}"] for i in range(3)], axis=1)


def error(part: Imputer) -> float:
    return float(np.sqrt(np.mean((filled(part) - TRUTH)[GONE] ** 2)))


def test_both_are_far_nearer_to_the_truth_than_the_mean():
    mean = error(Mean())
    assert error(KNearest()) < 0.2 * mean
    assert error(Iterative()) < 0.2 * mean


def test_k_nearest_is_that_of_scikit_learn():
    scale = np.nanstd(KNOWN, axis=0)
    expected = KNNImputer(n_neighbors=5).fit_transform(KNOWN / scale) * scale
    np.testing.assert_allclose(filled(KNearest(rows=300)), expected, atol=1e-9)


def test_flags_keep_the_fact_and_can_be_left_out():
    assert [type(op) for op in KNearest().fit(TRAIN).operations] == [MissingFlag, NearestFill]
    assert [type(op) for op in Iterative(flag=False).fit(TRAIN).operations] == [LinearFill]


def test_rows_that_are_kept_are_few_and_told():
    fitted = KNearest(rows=20).fit(TRAIN)
    assert len(fitted.operations[-1].rows) == 20
    (found,) = KNearest(rows=20).findings(TRAIN)
    assert found.severity == "warning" and "holds 20 training rows" in found.text


def test_columns_beside_the_one_that_is_filled_are_read_and_left():
    near = narrowed(TRAIN, ["x1"])
    for part in (KNearest(), Iterative()):
        (*_, fill) = part.fit(near).operations
        assert fill.filled == ("x1",) and fill.columns == ("x0", "x1", "x2")
        result = part.fit(near).apply(TRAIN.inputs)
        assert np.isnan(result["x2"]).sum() == GONE[:, 2].sum() and not np.isnan(result["x1"]).any()


def test_a_row_that_misses_everything_gets_the_mean():
    row = {f"x{i}": np.array([np.nan]) for i in range(3)}
    for part in (KNearest(), Iterative()):
        found = part.fit(TRAIN).apply(row)
        assert all(np.isfinite(found[f"x{i}"]).all() for i in range(3))
    np.testing.assert_allclose(KNearest().fit(TRAIN).apply(row)["x1"], np.nanmean(KNOWN[:, 1]))
