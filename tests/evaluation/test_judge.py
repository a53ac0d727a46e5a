"""The numbers of a member: value, interval, n, and what is refused."""

import numpy as np
import pytest

from deepwright.core.errors import DataError, PracticeError
from deepwright.evaluation.classify import F1, Accuracy, Auc
from deepwright.evaluation.judge import judge, main_metric, usual_metrics
from deepwright.evaluation.regress import Mape, Rmse

WHERE = {"part": "validation", "member": "network", "optimistic": True}


def test_every_number_carries_its_n_part_member_and_interval():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 100)
    numbers = judge(target, rng.dirichlet([1, 1], 100), usual_metrics("classification", 2), **WHERE)
    assert [n.metric for n in numbers] == [
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "auc",
        "average_precision",
        "log_loss",
        "brier",
        "calibration_error",
    ]
    for number in numbers:
        if number.metric == "calibration_error":
            assert (number.low, number.high, number.method) == (None, None, "none")
        else:
            assert number.low < number.value < number.high
        assert (number.n, number.part, number.member, number.optimistic) == (100, "validation", "network", True)
    assert [n.metric for n in numbers if not n.greater_is_better] == [
        "log_loss",
        "brier",
        "calibration_error",
    ]


def test_an_undefined_metric_is_none_and_not_a_number():
    (number,) = judge(np.array([0.0, 1, 2, 3]), np.ones(4), (Mape(),), **WHERE)
    assert (number.value, number.low, number.high, number.method) == (None, None, None, "none")


def test_equal_seeds_give_equal_numbers_and_other_seeds_other_intervals():
    rng = np.random.default_rng(0)
    target, answer = rng.integers(0, 2, 60), rng.dirichlet([1, 1], 60)
    first, again, other = (judge(target, answer, (Auc(),), seed=seed, **WHERE) for seed in (1, 1, 2))
    assert first == again
    assert first[0].value == other[0].value
    assert first[0].low != other[0].low


def test_options_stand_in_the_name_of_the_number():
    numbers = judge(np.array([0, 1, 1, 0]), np.eye(2)[[0, 1, 0, 0]], (F1(average="macro"), F1()), **WHERE)
    assert [n.metric for n in numbers] == ["f1(average=macro)", "f1"]


def test_float32_probabilities_are_scaled_to_sum_to_1():
    target = np.array([0, 1, 2] * 20)
    answer = np.full((60, 3), 1 / 3, np.float32)
    (number,) = judge(target, answer, (usual_metrics("classification", 3)[4],), **WHERE)
    assert number.value == pytest.approx(np.log(3), abs=1e-15)


def test_several_labels_have_their_own_usual_numbers():
    rng = np.random.default_rng(0)
    target = rng.random((80, 3)) < 0.4
    answer = np.clip(0.5 * target + 0.6 * rng.random((80, 3)), 0, 1).astype(np.float32)
    numbers = judge(target, answer, usual_metrics("multi-label", 3), **WHERE)
    names = ["subset_accuracy", "hamming_loss", "f1(average=micro)", "f1(average=macro)"]
    assert [n.metric for n in numbers][:4] == names
    assert all(n.low < n.value < n.high for n in numbers if n.metric != "calibration_error")
    assert main_metric("multi-label") == F1(average="micro")


def test_answers_that_are_no_probabilities_of_labels_are_refused():
    with pytest.raises(PracticeError) as error:
        judge(np.ones((2, 2), bool), np.array([[0.5, 0.5], [0.5, 1.5]]), (F1(),), **WHERE)
    assert str(error.value) == (
        "network, validation: the labels of 1 answers have no probabilities (the first found is 1.5); each label's "
        "must lie from 0 to 1. Let the model end in a sigmoid."
    )


def test_the_metrics_that_choose():
    assert (main_metric("classification"), main_metric("regression")) == (Accuracy(), Rmse())


def test_a_part_without_rows_is_refused():
    with pytest.raises(DataError) as error:
        judge(np.array([]), np.array([]), (Rmse(),), **WHERE)
    assert str(error.value) == (
        "validation: found 0 rows to judge; at least 1 is needed. "
        "Give more data, or a larger share to this part with --split.validation."
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_answer_that_is_not_finite_is_refused_with_its_count(bad: float):
    with pytest.raises(PracticeError, match="network, validation: 1 of 3 answers are not finite"):
        judge(np.zeros(3), np.array([0, bad, 1]), (Rmse(),), **WHERE)


@pytest.mark.parametrize("bad", [[0.7, 0.7], [1.2, -0.2]])
def test_answers_that_are_no_probabilities_are_refused(bad: list[float]):
    with pytest.raises(PracticeError, match="network, validation: 1 answers are no probabilities"):
        judge(np.array([0, 1]), np.array([[0.5, 0.5], bad]), (Accuracy(),), **WHERE)
