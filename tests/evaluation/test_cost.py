"""Costs: what is charged, and what cannot be read."""

import numpy as np
import pytest

from deepwright.core.errors import RecipeError
from deepwright.core.flags import apply_flags
from deepwright.evaluation.cost import Cost
from deepwright.evaluation.decision import Cost as CostDecision
from deepwright.evaluation.decision import Threshold


def test_the_default_is_the_share_of_wrong_answers():
    assert Cost().value(np.array([0, 1, 2]), np.eye(3)[[0, 2, 1]]) == 2 / 3


def test_a_matrix_can_be_given_as_a_flag():
    recipe = apply_flags({}, [("metric", "cost"), ("metric.costs", "2>0=60,0>2=5")])
    assert Cost.parse(recipe["metric"]).matrix(3).tolist() == [[0, 1, 5], [1, 0, 1], [60, 1, 0]]


def test_a_threshold_of_least_cost_is_the_decision_by_cost():
    rng = np.random.default_rng(0)
    target = (rng.random(400) < 0.3).astype(int)
    score = np.clip(0.3 * target + rng.random(400) * 0.6, 0, 1)
    answer = np.stack([1 - score, score], axis=1)
    faults = {"miss": 9.0, "false_alarm": 2.0}
    threshold = Threshold(metric=Cost(**faults)).choose(target, answer)
    assert threshold == CostDecision(**faults).choose(target, answer)
    assert threshold != Threshold(metric=Cost()).choose(target, answer)


def test_two_faults_do_not_price_three_classes():
    with pytest.raises(RecipeError) as error:
        Cost(miss=9.0).value(np.array([0]), np.array([[0.2, 0.3, 0.5]]))
    assert str(error.value) == (
        "cost(miss=9.0): found 3 classes; miss and false_alarm are the faults of two. Give costs= TRUE>ANSWERED=COST "
        "by the levels' numbers, such as 2>0=60."
    )


def test_a_class_that_is_not_there_is_refused():
    with pytest.raises(RecipeError) as error:
        Cost(costs=("2>0=60",)).value(np.array([0]), np.array([[0.2, 0.8]]))
    assert str(error.value) == (
        "cost(costs=['2>0=60']): found the cost 2>0=60; classes are numbered from 0 to 1. Give TRUE>ANSWERED=COST with "
        "these numbers, in the order of the target's levels."
    )


@pytest.mark.parametrize("entry", ["1>0", "1=60", "a>0=60", "1>0=-1", "1>0=nan", "1>0=inf", "-1>0=1", "1>0=60=7"])
def test_what_is_no_cost_is_refused(entry: str):
    with pytest.raises(RecipeError, match=f"found {entry}; a cost is TRUE>ANSWERED=COST"):
        Cost(costs=(entry,))
