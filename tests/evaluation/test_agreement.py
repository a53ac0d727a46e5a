"""Agreement beyond chance where there is none to be had; test_every_metric.py has the values."""

import numpy as np

from deepwright.evaluation.agreement import Kappa, Mcc


def test_matthews_correlation_is_undefined_where_one_class_is_always_answered():
    target, always = np.array([0, 1, 1]), np.tile([0.2, 0.8], (3, 1))
    assert np.isnan(Mcc().value(target, always))
    assert np.isnan(Mcc().value(np.ones(3, int), np.eye(2)[[0, 1, 1]]))
    assert Kappa().value(target, always) == 0
    assert np.isnan(Kappa().value(np.ones(3, int), always))


def test_a_fault_between_far_levels_counts_more_with_weights():
    target = np.array([0, 1, 2, 3] * 5)
    near, far = np.eye(4)[np.minimum(target + (np.arange(20) < 4), 3)], np.eye(4)[np.where(target == 0, 3, target)]
    by_weights = {weights: Kappa(weights=weights).value(target, far) for weights in (None, "linear", "quadratic")}
    assert by_weights["quadratic"] < by_weights["linear"] < by_weights[None]
    assert Kappa(weights="quadratic").value(target, near) > 0.9
