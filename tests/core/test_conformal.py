"""Conformal: the bound of few rows, the intervals and the sets that follow from it."""

from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from deepwright.core.conformal import Conformal, bound_of, class_scores, rows_needed


def test_a_level_needs_as_many_rows_as_its_rarest_miss():
    assert [rows_needed(level) for level in (0.5, 0.8, 0.9, 0.95, 0.99)] == [1, 4, 9, 19, 99]


@pytest.mark.parametrize("rows", [9, 10, 19, 99, 250])
def test_the_bound_is_the_corrected_place_among_the_scores(rows):
    scores = np.random.default_rng(rows).normal(size=rows)
    place = int(np.ceil((rows + 1) * 0.9 - 1e-9))
    assert bound_of(scores, 0.9) == np.sort(scores)[place - 1]


def test_too_few_rows_bound_nothing():
    with pytest.raises(AssertionError, match=r"8 rows cannot bound a level of 0\.9"):
        bound_of(np.zeros(8), 0.9)


def test_of_n_rows_and_one_more_the_level_holds_exactly():
    """Leave one out of 20 exchangeable scores: of the 20 places, 18 lie at or below the bound of the other 19."""
    scores = np.random.default_rng(0).normal(size=20)
    inside = [scores[i] <= bound_of(np.delete(scores, i), 0.9) for i in range(20)]
    assert sum(inside) == 18


def test_scores_of_classes_are_the_papers():
    probability = np.array([[0.5, 0.125, 0.375]])
    assert class_scores(probability, "lac").tolist() == [[0.5, 0.875, 0.625]]
    assert class_scores(probability, "aps").tolist() == [[0.0, 0.875, 0.5]]
    assert class_scores(probability, "raps", 0.25, 1).tolist() == [[0.0, 1.375, 0.75]]


@pytest.mark.parametrize("kind", ["lac", "aps", "raps"])
def test_no_set_is_empty_and_a_wider_bound_takes_more_in(kind):
    probability = np.random.default_rng(0).dirichlet(np.ones(5), 50).astype(np.float32)
    sizes = []
    for bound in (-1.0, 0.3, 0.8, 2.0):
        sets = Conformal(kind=kind, level=0.9, rows=99, bound=bound).sets(probability)
        assert sets[np.arange(50), probability.argmax(axis=1)].all()
        sizes.append(sets.sum(axis=1))
    assert (sizes[0] == 1).all() and (sizes[-1] == 5).all()
    assert all((a <= b).all() for a, b in pairwise(sizes))


def test_an_interval_is_of_double_precision_around_the_value():
    found = Conformal(kind="absolute", level=0.9, rows=9, bound=1.5)
    ends = found.interval(np.array([1.0, -2.0], np.float32), None)
    assert ends.dtype == np.float64 and ends.tolist() == [[-0.5, 2.5], [-3.5, -0.5]]


@pytest.mark.parametrize("wrong", [{"level": 1.0}, {"level": 0.0}, {"rows": 0}, {"kind": "other"}, {"bound": np.inf}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        Conformal(**{"kind": "lac", "level": 0.9, "rows": 9, "bound": 0.5, **wrong})
