"""The bases of metrics: any metric as a function of weights."""

import numpy as np

from deepwright.evaluation.classify import F1, Auc
from deepwright.evaluation.metric import sums_by, weigher_of


def test_a_metric_of_value_alone_is_called_once_per_weighting(median_error):
    target, answer = np.array([1.0, 2.0, 9.0]), np.array([1.5, 5.0, 9.0])
    weigh = weigher_of(median_error, target, answer)
    np.testing.assert_allclose(weigh(np.array([[1.0, 1, 1], [0, 2, 1]])), [0.5, 3.0])


def test_many_weightings_at_once_equal_one_after_the_other():
    rng = np.random.default_rng(0)
    target, answer = rng.integers(0, 3, 50), rng.dirichlet(np.ones(3), 50)
    weights = rng.multinomial(50, np.full(50, 0.02), size=20).astype(float)
    for metric in (F1(), Auc()):
        single = [metric.value(target, answer, weight) for weight in weights]
        np.testing.assert_allclose(metric.weigher(target, answer)(weights), single, rtol=1e-12)


def test_the_name_shows_only_options_that_differ_from_their_default():
    assert F1(positive=0).name == "f1(positive=0)"
    assert F1(positive=1).name == "f1"


def test_a_group_without_rows_sums_to_0():
    sums = sums_by(np.array([2, 0, 2]), 4)(np.array([[1.0, 2, 3]]))
    np.testing.assert_array_equal(sums, [[2, 0, 4, 0]])
    np.testing.assert_array_equal(sums_by(np.array([], int), 2)(np.empty((1, 0))), [[0, 0]])
