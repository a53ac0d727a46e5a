"""Metrics of classification against scikit-learn, on random, tied, weighted and degenerate rows."""

import numpy as np
import pytest
from sklearn import metrics as sk

from deepwright.core.errors import RecipeError
from deepwright.evaluation.classify import (
    F1,
    Accuracy,
    Auc,
    AveragePrecision,
    BalancedAccuracy,
    Brier,
    LogLoss,
    Precision,
    Recall,
)


def _rows(seed: int, num_classes: int, n: int = 200, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    target = rng.permutation(np.append(np.arange(num_classes), rng.integers(0, num_classes, n - num_classes)))
    answer = rng.dirichlet(np.ones(num_classes), n) + 0.4 * np.eye(num_classes)[target]
    if ties:
        answer = np.round(answer, 1) + 0.05
    return target, answer / answer.sum(axis=1, keepdims=True)


def _expected(num_classes: int, target: np.ndarray, answer: np.ndarray, weight: np.ndarray | None) -> dict[str, float]:
    said, classes = answer.argmax(axis=1), np.arange(num_classes)
    averages = {"average": "binary" if num_classes == 2 else "macro", "zero_division": 0}
    score = answer[:, 1] if num_classes == 2 else answer
    one_hot = target if num_classes == 2 else np.eye(num_classes)[target]
    with_weight = {"sample_weight": weight}
    return {
        "accuracy": sk.accuracy_score(target, said, **with_weight),
        "balanced_accuracy": sk.balanced_accuracy_score(target, said, **with_weight),
        "precision": sk.precision_score(target, said, **averages, **with_weight),
        "recall": sk.recall_score(target, said, **averages, **with_weight),
        "f1": sk.f1_score(target, said, **averages, **with_weight),
        "auc": sk.roc_auc_score(target, score, multi_class="ovr", labels=classes, **with_weight),
        "average_precision": sk.average_precision_score(one_hot, score, average="macro", **with_weight),
        "log_loss": sk.log_loss(target, answer, labels=classes, **with_weight),
        "brier": sk.brier_score_loss(target, score, labels=classes, **with_weight),
    }


KINDS = (Accuracy, BalancedAccuracy, Precision, Recall, F1, Auc, AveragePrecision, LogLoss, Brier)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("num_classes", [2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_every_metric_equals_scikit_learns(seed: int, num_classes: int, ties: bool):
    target, answer = _rows(seed, num_classes, ties=ties)
    expected = _expected(num_classes, target, answer, None)
    found = {kind.kind: kind().value(target, answer) for kind in KINDS}
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("num_classes", [2, 5])
def test_every_metric_counts_a_row_as_often_as_its_weight_says(num_classes: int):
    target, answer = _rows(7, num_classes, ties=True)
    weight = np.random.default_rng(1).integers(0, 4, len(target)).astype(float)
    expected = _expected(num_classes, target, answer, weight)
    found = {kind.kind: kind().value(target, answer, weight) for kind in KINDS}
    assert found == pytest.approx(expected, abs=1e-12)
    repeated = np.repeat(np.arange(len(target)), weight.astype(int))
    again = {kind.kind: kind().value(target[repeated], answer[repeated]) for kind in KINDS}
    assert found == pytest.approx(again, abs=1e-12)


@pytest.mark.parametrize("kind", [Precision, Recall, F1])
@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_averages_equal_scikit_learns(kind, average: str):
    target, answer = _rows(3, 4)
    reference = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}[kind.kind]
    expected = reference(target, answer.argmax(axis=1), average=average)
    assert kind(average=average).value(target, answer) == pytest.approx(expected, abs=1e-12)


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
