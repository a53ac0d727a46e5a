"""Decisions: the threshold that is best, and what is refused."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from deepwright.core.errors import RecipeError
from deepwright.evaluation.classify import F1, Recall
from deepwright.evaluation.compare import best_member, paired
from deepwright.evaluation.decision import Cost, Fixed, MostProbable, Threshold, as_answer
from deepwright.evaluation.evidence import evidence
from deepwright.evaluation.judge import judge, usual_metrics


def rare(rows: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """One row in ten is of class 1; probabilities rank well and lie low."""
    draw = np.random.default_rng(seed)
    target = (draw.random(rows) < 0.1).astype(np.int64)
    score = 1 / (1 + np.exp(2.5 - 2 * target - draw.normal(size=rows)))
    return target, np.stack([1 - score, score], axis=1).astype(np.float32)


@pytest.mark.parametrize(("metric", "ours"), [("f1", f1_score), ("balanced_accuracy", balanced_accuracy_score)])
def test_no_other_threshold_is_better(metric, ours):
    for seed in range(5):
        target, probability = rare(seed=seed)
        found = Threshold(metric=metric).choose(target, probability)
        best = max(ours(target, probability[:, 1] >= t) for t in np.unique(probability[:, 1]))
        assert ours(target, probability[:, 1] >= found) == pytest.approx(best)


def test_many_rows_are_thinned_and_lose_little():
    target, probability = rare(20_000)
    found = Threshold(metric="f1").choose(target, probability)
    best = max(f1_score(target, probability[:, 1] >= t) for t in np.linspace(0.01, 0.99, 400))
    assert f1_score(target, probability[:, 1] >= found) > best - 0.003


def test_costs_decide():
    target, probability = rare()
    for miss, false_alarm in ((1.0, 1.0), (20.0, 1.0), (1.0, 5.0)):
        found = Cost(miss=miss, false_alarm=false_alarm).choose(target, probability)

        def cost(threshold, miss=miss, false_alarm=false_alarm):
            said = probability[:, 1] >= threshold
            return miss * (~said & (target == 1)).sum() + false_alarm * (said & (target == 0)).sum()

        assert cost(found) == min(cost(t) for t in [*np.unique(probability[:, 1]), 2.0])


def test_a_weight_counts_a_row_as_often():
    target, probability = rare()
    weight = np.random.default_rng(1).integers(0, 4, len(target)).astype(float)
    repeated = np.repeat(np.arange(len(target)), weight.astype(int))
    for decision in (Threshold(metric="f1"), Cost(miss=5.0)):
        weighted = decision.choose(target, probability, weight)
        assert weighted == decision.choose(target, probability, np.where(weight == 0, 0.0, weight))
        said = as_answer((probability[:, 1] >= weighted).astype(int), 2)
        again = as_answer(
            (probability[repeated, 1] >= decision.choose(target[repeated], probability[repeated])).astype(int), 2
        )
        found, due = F1().value(target, said, weight), F1().value(target[repeated], again)
        assert found == pytest.approx(due, abs=0.02) if isinstance(decision, Cost) else found == pytest.approx(due)


def test_of_equal_thresholds_the_nearest_to_a_half_is_taken():
    probability = np.array([[0.9, 0.1], [0.1, 0.9]], np.float32)
    assert Threshold().choose(np.array([0, 1]), probability) == 0.5
    assert MostProbable().choose(np.array([0, 1]), probability) is None
    assert Fixed(value=0.3).choose(np.array([0, 1]), probability) == np.float32(0.3)


def test_where_no_threshold_is_defined_the_more_probable_class_stays():
    assert Threshold(metric=Recall()).choose(np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]])) is None


def test_a_metric_of_probabilities_is_refused():
    with pytest.raises(RecipeError, match=r"auc judges probabilities, which no threshold changes; allowed: accuracy, "):
        Threshold(metric="auc")


def test_metrics_of_classes_judge_the_decision_and_others_the_probability():
    target, probability = rare()
    decided = (probability[:, 1] >= 0.4).astype(np.int64)
    metrics = usual_metrics("classification", 2)
    plain = judge(target, probability, metrics, part="validation", member="m", optimistic=False)
    by_threshold = judge(target, probability, metrics, part="validation", member="m", optimistic=False, decided=decided)
    found = {n.metric: (n.value == p.value) for n, p in zip(by_threshold, plain, strict=True)}
    assert {name for name, is_same in found.items() if is_same} == {"auc", "average_precision", "log_loss", "brier"}
    recall = next(n for n in by_threshold if n.metric == "recall")
    assert recall.value == (decided & target).sum() / target.sum()
    assert recall.low < recall.value < recall.high
    counts = evidence(target, probability, "classification", ("no", "yes"), decided)["confusion"]
    assert counts[1] == [int(target.sum() - (decided & target).sum()), int((decided & target).sum())]


def test_weighted_numbers_are_those_of_repeated_rows():
    target, probability = rare()
    weight = np.random.default_rng(0).integers(0, 4, len(target)).astype(float)
    rows = np.repeat(np.arange(len(target)), weight.astype(int))
    metrics = usual_metrics("classification", 2)
    weighted = judge(target, probability, metrics, part="validation", member="m", optimistic=False, weight=weight)
    repeated = judge(target[rows], probability[rows], metrics, part="validation", member="m", optimistic=False)
    for found, due in zip(weighted, repeated, strict=True):
        assert found.value == pytest.approx(due.value), found.metric
        assert found.low < found.value < found.high
        assert found.n == len(target)
        # a row of weight 3 is one row: the interval is wider than that of three rows
        assert found.high - found.low > 0.9 * (due.high - due.low), found.metric


def test_weights_decide_which_member_is_better():
    target, right = np.array([0, 1] * 40), np.tile([[0.9, 0.1], [0.1, 0.9]], (40, 1))
    first, second = right.copy(), right.copy()
    first[:20] = first[:20, ::-1]
    second[20:50] = second[20:50, ::-1]
    metric = usual_metrics("classification", 2)[0]
    heavy = np.where(np.arange(80) < 20, 10.0, 1.0)
    answers = {"first": first, "second": second}
    assert best_member(target, answers, metric) == "first"
    assert best_member(target, answers, metric, heavy) == "second"
    assert paired(target, first, second, metric, weight=heavy).better == "b"
    assert paired(target, first, second, metric, weight=heavy).value == pytest.approx((60 - 230) / 260)
