"""Metrics of classification at their edges; test_every_metric.py has them against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from deepwright.core.errors import RecipeError
from deepwright.evaluation.classify import F1, Accuracy, Auc, AveragePrecision, LogLoss, Precision, Recall
from deepwright.evaluation.interval import proportion


def _rows(seed: int, num_classes: int, n: int = 200, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    target = rng.permutation(np.append(np.arange(num_classes), rng.integers(0, num_classes, n - num_classes)))
    answer = rng.dirichlet(np.ones(num_classes), n) + 0.4 * np.eye(num_classes)[target]
    if ties:
        answer = np.round(answer, 1) + 0.05
    return target, answer / answer.sum(axis=1, keepdims=True)


def test_another_class_can_be_called_positive():
    target, answer = _rows(3, 3)
    expected = sk.recall_score(target, answer.argmax(axis=1), labels=[2], average="macro")
    assert Recall(average="positive", positive=2).value(target, answer) == pytest.approx(expected, abs=1e-12)


def test_a_positive_class_that_does_not_exist_is_refused_with_the_highest_number():
    target, answer = _rows(0, 2)
    with pytest.raises(RecipeError) as error:
        F1(positive=2).value(target, answer)
    assert str(error.value) == (
        "f1(positive=2): found positive = 2; classes are numbered from 0 to 1. "
        "Give positive= one of these numbers, in the order of the target's levels."
    )


@pytest.mark.parametrize("kind", [Auc, AveragePrecision])
def test_ranking_is_undefined_without_a_row_of_the_class(kind):
    assert np.isnan(kind().value(np.zeros(4, np.int64), np.full((4, 2), 0.5)))


def test_auc_is_undefined_when_every_row_is_of_one_class():
    assert np.isnan(Auc().value(np.ones(4, np.int64), np.full((4, 2), 0.5)))


def test_precision_of_a_class_never_predicted_is_undefined_alone_and_counts_0_in_a_mean():
    target, answer = np.array([0, 0, 1]), np.tile([0.9, 0.1], (3, 1))
    assert np.isnan(Precision().value(target, answer))
    assert Precision(average="macro").value(target, answer) == pytest.approx(1 / 3)
    assert Recall().value(target, answer) == 0
    assert F1().value(target, answer) == 0


def test_auc_of_a_constant_answer_is_one_half():
    assert Auc().value(np.array([0, 1, 1]), np.full((3, 2), 0.5)) == 0.5


def test_auc_of_many_classes_leaves_out_a_class_without_rows():
    target, answer = _rows(2, 4)
    kept = target != 3
    expected = np.mean([sk.roc_auc_score(target[kept] == c, answer[kept, c]) for c in range(3)])
    assert Auc().value(target[kept], answer[kept]) == pytest.approx(expected, abs=1e-12)


def test_log_loss_of_a_probability_of_0_is_finite():
    assert LogLoss().value(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(36.04, abs=0.01)


def test_samples_are_of_rows_with_several_labels():
    target, answer = _rows(0, 3)
    with pytest.raises(RecipeError) as error:
        F1(average="samples").value(target, answer)
    assert str(error.value) == (
        "f1(average=samples): found a target of one class per row; average = samples is of rows that have several "
        "labels. Give average= macro, micro or weighted."
    )


def test_micro_averages_of_one_class_a_row_have_the_interval_of_accuracy():
    target, answer = _rows(0, 3)
    expected = Accuracy().exact(target, answer)
    for kind in (Precision, Recall, F1):
        assert kind(average="micro").exact(target, answer) == pytest.approx(expected, abs=1e-12)


def test_several_labels_of_a_row_are_not_taken_for_independent():
    labels = np.random.default_rng(0).random((30, 3)) < 0.5
    answer = np.random.default_rng(1).random((30, 3))
    for kind in (Precision, Recall, F1):
        assert [kind(average=a).exact(labels, answer) for a in ("macro", "micro", "samples")] == [None, None, None]
    found = (labels & (answer >= 0.5))[:, 1].sum()
    assert Recall(average="positive").exact(labels, answer) == proportion(int(found), int(labels[:, 1].sum()))
