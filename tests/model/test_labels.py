"""One model for each label: what each says is what it says alone."""

import numpy as np
import pytest

from deepwright.core.operations import TreeEnsemble
from deepwright.model.baselines import Boosting, ConstantBaseline, LinearBaseline
from deepwright.model.labels import log_odds


def _rows() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 3)).astype(np.float32)
    target = np.stack([x[:, 0] > 0, x[:, 1] + 0.5 * draw.normal(size=200) > 0.5, np.zeros(200, bool)], axis=1)
    return x, target


@pytest.mark.parametrize("baseline", [LinearBaseline(), Boosting(iterations=8)])
def test_a_labels_probability_is_that_of_two_classes_alone(baseline):
    x, target = _rows()
    together = baseline.learn(x, target, "multi-label", 3, seed=0).apply({"x": x})["probability"]
    for label in (0, 1):
        alone = baseline.learn(x, target[:, label].astype(np.int64), "classification", 2, seed=0)
        np.testing.assert_allclose(together[:, label], alone.apply({"x": x})["probability"][:, 1], atol=1e-5)
    never = 1 / (1 + np.exp(-log_odds(target[:, 2])))
    np.testing.assert_allclose(together[:, 2], never, atol=1e-7)


def test_a_constant_says_each_labels_share():
    x, target = _rows()
    weight = np.where(target[:, 0], 3.0, 1.0)
    fitted = ConstantBaseline().learn(x, target, "multi-label", 3, seed=0, weight=weight)
    np.testing.assert_allclose(fitted.values, np.average(target, axis=0, weights=weight))


def test_trees_of_labels_that_never_vary_are_a_leaf_that_adds_nothing():
    x = np.zeros((10, 1), np.float32)
    fitted = Boosting().learn(x, np.tile([True, False], (10, 1)), "multi-label", 2, seed=0)
    assert isinstance(fitted, TreeEnsemble) and len(fitted.roots) == 1
    found = fitted.apply({"x": x})["probability"]
    np.testing.assert_allclose(found[0], [10.5 / 11, 0.5 / 11], atol=1e-6)
