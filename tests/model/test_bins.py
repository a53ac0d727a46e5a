import numpy as np
import pytest

from deepwright.model.bins import bin_edges


def test_without_frequent_values_the_bins_hold_equally_many_rows():
    values = np.random.default_rng(0).normal(size=6400)
    edges = bin_edges(values, 64)
    assert len(edges) == 65
    counts = np.histogram(values, edges)[0]
    assert counts.min() >= 97 and counts.max() <= 101


@pytest.mark.parametrize("frequent", [0.0, 1500.0], ids=["at the end", "in the midst"])
def test_a_frequent_value_has_one_edge_and_leaves_the_others_to_the_rest(frequent: float):
    tail = np.random.default_rng(0).lognormal(8, 1, 800)
    edges = bin_edges(np.concatenate([np.full(9200, frequent), tail]), 48)
    assert len(edges) == 49
    assert (edges == frequent).sum() == 1
    counts = np.histogram(tail, edges)[0]
    assert counts.max() <= 800 / 40, "plain quantiles would leave the tail four bins of 200 rows"


def test_few_values_are_all_edges():
    assert bin_edges(np.array([2.0, 1.0, 1.0, 7.0]), 3).tolist() == [1.0, 2.0, 7.0]
    assert bin_edges(np.full(9, 4.0), 3).tolist() == [4.0]


@pytest.mark.parametrize("num_bins", [2, 5, 17])
def test_edges_rise_are_values_and_hold_both_ends(num_bins: int):
    values = np.random.default_rng(num_bins).integers(0, 40, 500) ** 2.0
    values[:300] = 4.0
    edges = bin_edges(values, num_bins)
    assert 2 <= len(edges) <= num_bins + 1
    assert (np.diff(edges) > 0).all() and np.isin(edges, values).all()
    assert (edges[0], edges[-1]) == (values.min(), values.max())
