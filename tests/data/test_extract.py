"""Extractors: principal components and products with known answers."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA

from deepwright.core.errors import DataError, RecipeError
from deepwright.data.extract import Interactions, PrincipalComponents

from .rows_of import dataset

X = load_diabetes().data
NAMES = [f"x{i}" for i in range(10)]
TRAIN = dataset({**{name: X[:, i].tolist() for i, name in enumerate(NAMES)}, "y": ["0"] * len(X)})


def test_components_are_those_of_scikit_learn():
    applied = PrincipalComponents(components=4).fit(TRAIN).apply(TRAIN.inputs)
    found = np.stack([applied[f"component {i + 1}"] for i in range(4)], axis=1)
    expected = PCA(4, whiten=True).fit_transform(X) * np.sqrt(len(X) / (len(X) - 1))
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-6)


def test_as_many_components_as_explain_the_share():
    kept = int(np.searchsorted(np.cumsum(PCA().fit(X).explained_variance_ratio_), 0.8)) + 1
    fitted = PrincipalComponents(share=0.8).fit(TRAIN)
    assert len(fitted.operations[0].outputs) == kept
    (found,) = PrincipalComponents(share=0.8).findings(TRAIN)
    assert found.text.startswith(f"{kept} principal components of 10 numbers explain 8")


def test_columns_that_are_replaced_go():
    part = PrincipalComponents(columns=["x0", "x1"], components=1, keep=False)
    assert set(part.fit(TRAIN).apply(TRAIN.inputs)) == {*NAMES[2:], "component 1"}


def test_a_constant_column_gives_no_component():
    train = dataset({"a": [1.0, 2.0, 4.0], "b": [7.0] * 3, "y": ["0"] * 3})
    assert len(PrincipalComponents(components=5).fit(train).operations[0].outputs) == 1


def test_products_have_mean_0_and_sd_1():
    applied = Interactions(pairs=["x0 * x2"]).fit(TRAIN).apply(TRAIN.inputs)
    product = X[:, 0] * X[:, 2]
    np.testing.assert_allclose(applied["x0 * x2"], (product - product.mean()) / product.std(), atol=1e-9)
    assert len(Interactions().fit(TRAIN).operations[0].outputs) == 45


def test_what_cannot_be_made_is_refused_with_what_to_do():
    with pytest.raises(DataError, match="45 pairs of numbers; 10 are allowed"):
        Interactions(limit=10).fit(TRAIN)
    with pytest.raises(RecipeError, match=r"no number column 'x11'.*Did you mean"):
        Interactions(pairs=["x0 * x11"]).fit(TRAIN)
    with pytest.raises(RecipeError, match="'x0 x1' names no pair"):
        Interactions(pairs=["x0 x1"]).fit(TRAIN)
    with pytest.raises(RecipeError, match="no number column 'y'"):
        PrincipalComponents(columns=["y"]).fit(TRAIN)
