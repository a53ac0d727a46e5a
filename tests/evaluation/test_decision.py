"""Decisions: the threshold that is best, and what is refused."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from deepwright.core.bundle import Answers
from deepwright.core.errors import RecipeError
from deepwright.evaluation.classify import F1, Recall
from deepwright.evaluation.compare import best_member, paired
from deepwright.evaluation.decision import Cost, CostMatrix, Fixed, MostProbable, Threshold, Wanted, as_answer
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
    of_probability = {"auc", "average_precision", "log_loss", "brier", "calibration_error"}
    assert {name for name, is_same in found.items() if is_same} == of_probability
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
        if found.method == "none":
            continue
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


def reached(target, probability, threshold, weight=None):
    """Recall and precision of what is answered from a threshold on."""
    counts = np.ones(len(target)) if weight is None else weight
    said = probability[:, 1] >= np.float32(threshold)
    right = (counts * (said & (target == 1))).sum()
    return right / counts[target == 1].sum(), right / max(counts[said].sum(), 1e-12)


@pytest.mark.parametrize("wanted", [0.5, 0.8, 0.9, 1.0])
def test_the_wanted_recall_is_reached_at_the_highest_threshold(wanted):
    for seed, weight in ((0, None), (1, None), (2, np.random.default_rng(2).uniform(0.5, 2, 200))):
        target, probability = rare(seed=seed)
        found = Wanted(value=wanted).choose(target, probability, weight)
        assert reached(target, probability, found, weight)[0] >= wanted - 1e-12
        higher = [t for t in np.unique(probability[:, 1]) if t > found]
        assert all(reached(target, probability, t, weight)[0] < wanted for t in higher[1:])


@pytest.mark.parametrize("wanted", [0.2, 0.4])
def test_the_wanted_precision_is_reached_with_the_most_recall(wanted):
    target, probability = rare(2000)
    found = Wanted(metric="precision", value=wanted).choose(target, probability)
    recall, precision = reached(target, probability, found)
    assert precision >= wanted
    others = [reached(target, probability, t) for t in np.unique(probability[:, 1])]
    assert recall == max(r for r, p in others if p >= wanted)


def test_a_precision_out_of_reach_gives_the_nearest():
    score = np.array([0.1, 0.4, 0.6, 0.8], np.float32)
    probability, target = np.stack([1 - score, score], axis=1), np.array([0, 1, 1, 0])
    found = Wanted(metric="precision", value=0.99).choose(target, probability)
    assert found == pytest.approx(0.25)  # 2 of 3 from there on; 1 of 2 higher up
    assert Wanted().choose(np.zeros(4, int), probability) is None


def test_neighbouring_scores_are_told_apart():
    low = np.float32(0.5)
    score = np.array([low, np.nextafter(low, np.float32(1))], np.float32)
    found = Wanted(value=1.0).choose(np.array([0, 1]), np.stack([1 - score, score], axis=1))
    assert (score >= np.float32(found)).tolist() == [False, True]


def test_a_cost_matrix_answers_the_level_of_the_least_expected_cost():
    levels = ("ill", "a>b", "well")
    costs = CostMatrix(costs=("ill>well=20", "a>b>well=3")).costs_of(levels)
    assert costs == ((0.0, 1.0, 20.0), (1.0, 0.0, 3.0), (1.0, 1.0, 0.0))
    probability = np.array([[0.1, 0.1, 0.8], [0.01, 0.09, 0.9], [0.0, 1.0, 0.0]], np.float32)
    answers = Answers(levels, probability, None, np.zeros(3, bool), costs=costs)
    # 0.9 / 0.9 / 2.3: the first of equals; 0.99 / 0.91 / 0.47; the sure one
    assert answers.label.tolist() == ["ill", "well", "a>b"]
    draw = np.random.default_rng(0).dirichlet((1, 1, 1), 200)
    decided = Answers(levels, draw, None, np.zeros(200, bool), costs=costs).decided
    expected = [min(range(3), key=lambda k, p=p: sum(p[j] * costs[j][k] for j in range(3))) for p in draw]
    assert decided.tolist() == expected


@pytest.mark.parametrize("entry", ["ill>sick=2", "ill=2", "ill>well=-1", "ill>well=much", "ill>well"])
def test_a_cost_that_is_none_is_refused(entry):
    with pytest.raises(RecipeError, match=r"decision.costs: found '.*'; allowed: TRUE>ANSWERED=COST"):
        CostMatrix(costs=(entry,)).costs_of(("ill", "well"))
