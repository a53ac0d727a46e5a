"""Encoders beside level numbers: order, columns, buckets."""

import numpy as np
import pytest

from deepwright.core.errors import RecipeError
from deepwright.core.operations import Drop
from deepwright.data.encode import Hashing, OneHotColumns, Ordinal

from .rows_of import dataset

TRAIN = dataset({"size": ["S", "M", "M", "L", None], "year": ["10", "9", "9", "8", "10"], "y": ["0"] * 5})
NEW = {"size": np.array(["L", None, "XL"], object), "year": np.array(["8", "9", "10"], object)}


def test_an_order_is_given_or_that_of_the_numbers():
    applied = Ordinal().fit(dataset({"year": ["10", "9", "9", "8"], "y": ["0"] * 4})).apply({"year": NEW["year"]})
    assert (np.diff(applied["year"]) > 0).all()
    sized = dataset({"size": ["S", "M", "M", "L"], "y": ["0"] * 4})
    found = Ordinal(order=["S", "M", "L"]).fit(sized).apply({"size": np.array(["S", "M", "L", None], object)})["size"]
    assert found.tolist() == pytest.approx([-np.sqrt(2), 0.0, np.sqrt(2), 0.0])


def test_an_order_that_lacks_a_level_is_refused():
    with pytest.raises(RecipeError, match="lacks levels of column 'size': L"):
        Ordinal(order=["S", "M"]).fit(dataset({"size": ["S", "M", "L"], "y": ["0"] * 3}))


def test_a_category_without_any_value_is_dropped():
    empty = dataset({"size": [None, None], "n": [1.0, 2.0], "y": ["0", "1"]})
    assert Ordinal().fit(empty).operations == (Drop(columns=["size"]),)


def test_one_column_per_level_that_is_not_rare():
    applied = OneHotColumns().fit(TRAIN).apply(NEW)
    assert set(applied) == {"size = M", "year = 10", "year = 9"}
    assert applied["year = 9"].tolist() == [0.0, 1.0, 0.0] and applied["size = M"].tolist() == [0.0, 0.0, 0.0]


def test_buckets_are_the_same_for_ever_and_missing_has_its_own():
    applied = Hashing(buckets=1000).fit(TRAIN).apply(NEW)
    assert applied["size"].tolist() == [applied["size"][0], 1000.0, applied["size"][2]]
    assert applied["year"].tolist() == [YEARS["8"], YEARS["9"], YEARS["10"]]


YEARS = {"8": 123.0, "9": 886.0, "10": 646.0}
"""BLAKE2b-8 of the text, little-endian, modulo 1000."""
