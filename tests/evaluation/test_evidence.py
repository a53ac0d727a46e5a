"""Evidence: counts and curves that agree with scikit-learn and hold no single row."""

import json

import numpy as np
import pytest
from sklearn import metrics as sk

from deepwright.evaluation.evidence import evidence


def _binary(n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    target = (rng.random(n) < 0.3).astype(int)
    positive = 1 / (1 + np.exp(-(rng.normal(size=n) + 1.5 * target - 1.5)))
    return target, np.stack([1 - positive, positive], axis=1)


def test_the_confusion_matrix_has_true_classes_down_and_predicted_ones_across():
    target, answer = np.array([0, 0, 0, 1]), np.eye(2)[[0, 1, 1, 1]]
    found = evidence(target, answer, "classification", ("no", "yes"))
    assert found["confusion"] == [[1, 2], [0, 1]]
    assert found["confused"] == [["no", "yes", 2]]
    assert found["positive"] == "yes"


def test_the_areas_under_the_thinned_curves_are_those_of_the_whole():
    target, answer = _binary()
    found = evidence(target, answer, "classification", ("no", "yes"))
    roc, pr = np.array(found["roc"]), np.array(found["pr"])
    assert max(len(roc), len(pr)) <= 200
    assert np.trapezoid(roc[:, 1], roc[:, 0]) == pytest.approx(sk.roc_auc_score(target, answer[:, 1]), abs=0.002)
    steps = np.sum(np.diff(pr[:, 0]) * pr[1:, 1])
    assert steps == pytest.approx(sk.average_precision_score(target, answer[:, 1]), abs=0.01)
    assert roc[0].tolist() == [0, 0] and roc[-1].tolist() == [1, 1] and pr[-1][0] == 1


def test_reliability_bins_hold_every_row_once_and_tell_a_calibrated_model_from_an_overconfident_one():
    rng = np.random.default_rng(1)
    positive = rng.random(4000)
    target = (rng.random(4000) < positive).astype(int)

    def misses(probability: np.ndarray) -> int:
        bins = evidence(target, np.stack([1 - probability, probability], 1), "classification", "ab")["calibration"]
        assert sum(b["n"] for b in bins) == 4000
        return sum(not b["low"] <= b["predicted"] <= b["high"] for b in bins)

    assert misses(positive) <= 2
    assert misses(positive**3 / (positive**3 + (1 - positive) ** 3)) >= 6


def test_figures_of_a_class_carry_intervals_and_are_none_where_undefined():
    found = evidence(np.array([0, 0, 1]), np.tile([0.9, 0.1], (3, 1)), "classification", ("no", "yes"))
    no, yes = found["classes"]
    assert (no["n"], yes["n"]) == (2, 1)
    assert no["recall"][0] == 1 and no["recall"][1] < 0.5 and no["recall"][2] == 1
    assert yes["precision"] is None and yes["recall"][0] == 0


def test_more_than_50_classes_keep_the_most_confused_pairs_instead_of_a_matrix():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 60, 600)
    found = evidence(target, rng.dirichlet(np.ones(60), 600), "classification", [str(i) for i in range(60)])
    assert "confusion" not in found
    assert len(found["confused"]) == 20
    assert found["confused"][0][2] >= found["confused"][-1][2]


def test_one_class_alone_has_no_curves():
    found = evidence(np.zeros(5, int), np.tile([0.6, 0.4], (5, 1)), "classification", ("no", "yes"))
    assert (found["roc"], found["pr"]) == ([], [])


def test_residuals_are_true_minus_predicted_and_every_row_is_counted():
    rng = np.random.default_rng(0)
    answer = rng.normal(size=500)
    target = answer + 2 + 0.1 * rng.normal(size=500)
    found = evidence(target, answer, "regression", ())
    assert found["residuals"]["mean"] == pytest.approx(2, abs=0.02)
    assert found["residuals"]["quantiles"]["0.5"] == pytest.approx(np.median(target - answer))
    histogram, density = found["residuals"]["histogram"], found["density"]
    assert sum(histogram["counts"]) + histogram["outside"] == 500
    assert np.sum(density["counts"]) + density["outside"] == 500
    assert sum(b["n"] for b in found["by_prediction"]) == 500
    assert all(b["low"] > 0 for b in found["by_prediction"])


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_handful_of_rows_and_a_constant_answer_are_enough(n: int):
    assert evidence(np.arange(float(n)), np.zeros(n), "regression", ())["n"] == n
    assert evidence(np.arange(n) % 2, np.full((n, 2), 0.5), "classification", "ab")["n"] == n


def test_evidence_is_plain_json_and_small():
    target, answer = _binary(20_000)
    written = json.dumps(evidence(target, answer, "classification", ("no", "yes")), allow_nan=False)
    assert len(written) < 20_000
