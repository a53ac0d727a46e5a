"""Intervals: known values, determinism, the edges, and how often they cover the truth."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from deepwright.core.families import Metric
from deepwright.evaluation import classify
from deepwright.evaluation.classify import F1, Accuracy, Auc, AveragePrecision, BalancedAccuracy, LogLoss, Precision
from deepwright.evaluation.draws import Draws
from deepwright.evaluation.interval import interval, intervals, proportion, t_quantile
from deepwright.evaluation.metric import RowMetric
from deepwright.evaluation.regress import R2, Mae, Rmse


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (8, 10), (10, 10), (873, 1000)])
def test_a_proportions_interval_is_wilsons(successes: int, n: int):
    expected = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert proportion(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("degrees", [3, 5, 20, 500])
def test_the_t_quantile_is_students(degrees: int):
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-9)


def test_weights_are_multinomial_and_a_function_of_rows_and_seed_alone():
    first = np.concatenate(list(Draws(30).weights(400, 5)))
    assert first.shape == (400, 30)
    assert (first.sum(axis=1) == 30).all()
    assert first.var() == pytest.approx(29 / 30, abs=0.05)
    np.testing.assert_array_equal(first, np.concatenate(list(Draws(30).weights(400, 5))))
    assert (first != np.concatenate(list(Draws(30).weights(400, 6)))).any()


def test_several_metrics_together_have_the_intervals_of_each_alone():
    target, answer = _binary(np.random.default_rng(0), 120)
    metrics = (Accuracy(), Auc(), LogLoss(), F1(average="macro"))
    assert intervals(metrics, target, answer, seed=3) == tuple(interval(m, target, answer, seed=3) for m in metrics)


def test_methods_are_named():
    target, answer = _binary(np.random.default_rng(0), 120)
    methods = [interval(m, target, answer)[2] for m in (Accuracy(), F1(), Auc(), LogLoss())]
    assert methods == ["wilson", "wilson", "bootstrap", "bootstrap_t"]


@pytest.mark.parametrize("metric", [Auc(), AveragePrecision(), F1(average="macro"), BalancedAccuracy(), Precision()])
def test_a_faultless_small_part_is_not_called_certain(metric: Metric):
    target = np.repeat([0, 1], 15)
    low, high, method = interval(metric, target, np.eye(2)[target])
    assert high == 1
    assert 0.7 < low < 0.95
    assert method == "wilson"


def test_an_undefined_metric_has_no_interval():
    assert interval(Auc(), np.zeros(20, int), np.tile([0.4, 0.6], (20, 1))) == (None, None, "none")


def test_three_rows_give_no_interval():
    assert interval(Rmse(), np.arange(3.0), np.zeros(3)) == (None, None, "none")


def test_too_few_rows_of_a_class_give_no_interval():
    target, answer = _binary(np.random.default_rng(0), 40)
    target[:] = 0
    target[:2] = 1
    assert interval(Auc(), target, answer) == (None, None, "none")


def test_one_rare_label_takes_the_interval_from_its_own_mean_and_not_from_all_labels():
    draw = np.random.default_rng(0)
    target = draw.random((200, 4)) < [0.5, 0.3, 0.2, 0.0]
    target[0, 3] = True
    answer = np.clip(0.6 * target + 0.4 * draw.random(target.shape), 0, 1)
    answer[:, 3] = 0.1
    (micro, macro) = intervals((F1(average="micro"), F1(average="macro")), target, answer)
    assert macro[0] is None, "a mean over labels of which one has a single row"
    value = F1(average="micro").value(target, answer)
    assert value - 0.1 < micro[0] < value < micro[1] < value + 0.1
    never = interval(F1(average="micro"), target, np.zeros(target.shape))
    assert never[0] == 0 and never[1] < 0.05


def test_losses_stay_above_0():
    low, high, _ = interval(Rmse(), np.arange(6.0), np.array([0, 1, 2, 3, 4, 25.0]))
    assert low is not None and 0 <= low < high


def test_a_perfect_regression_has_an_interval_without_width():
    target = np.arange(10.0)
    assert interval(Rmse(), target, target) == (0, 0, "normal")
    assert interval(R2(), target, target)[:2] == (1, 1)


def test_many_rows_agree_with_the_central_limit():
    rng = np.random.default_rng(0)
    target = rng.normal(size=30_000)
    low, high, method = interval(Mae(), target, np.zeros(30_000))
    half = 1.96 * np.abs(target).std() / 30_000**0.5
    assert method == "normal"
    assert high - low == pytest.approx(2 * half, rel=0.01)


def test_the_bootstrap_of_auc_agrees_with_delong():
    target, answer = _binary(np.random.default_rng(2), 2000)
    low, high, _ = interval(Auc(), target, answer)
    assert high - low == pytest.approx(2 * 1.96 * _delong_error(target, answer[:, 1]), rel=0.1)


def test_auc_sorts_its_rows_for_its_value_and_once_for_all_draws(monkeypatch):
    target, answer = _binary(np.random.default_rng(2), 10_000)
    sorted_rows = []
    area = classify.area_under_roc
    monkeypatch.setattr(classify, "area_under_roc", lambda *given: (sorted_rows.append(1), area(*given))[1])
    interval(Auc(), target, answer)
    assert len(sorted_rows) == 2


def test_a_metric_of_the_users_own_takes_percentiles(median_error):
    rng = np.random.default_rng(0)
    low, high, method = interval(median_error, rng.normal(size=400), np.zeros(400))
    assert low < 0.674 < high
    assert method == "bootstrap"


def test_the_coverage_check_sees_an_interval_that_is_too_narrow(monkeypatch):
    monkeypatch.setattr("deepwright.evaluation.interval.Z", 1.5)
    assert _coverage(Accuracy(), _binary, 400, 100) < 0.92


SHARE = (
    (Accuracy(), "binary", 200),
    (F1(), "binary", 200),
    (BalancedAccuracy(), "binary", 200),
    (Auc(), "binary", 100),
    (LogLoss(), "binary", 100),
    (Rmse(), "values", 100),
    (R2(), "values", 100),
)


@pytest.mark.parametrize(("metric", "rows", "n"), SHARE, ids=lambda value: getattr(value, "kind", value))
def test_intervals_cover_the_truth(metric: RowMetric, rows: str, n: int):
    """150 trials: coverage of 95 % gives less than 90 % once in 300 such checks."""
    assert _coverage(metric, _SOURCES[rows], 150, n) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 400, 1000])
@pytest.mark.parametrize(
    ("metric", "rows"),
    [
        *((m, "binary") for m in (Accuracy(), F1(), F1(average="macro"), BalancedAccuracy(), Precision())),
        *((m, "binary") for m in (Auc(), AveragePrecision(), LogLoss())),
        *((m, "values") for m in (Rmse(), Mae(), R2())),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_intervals_cover_93_to_98_percent_in_1000_trials(metric: RowMetric, rows: str, n: int):
    assert 0.93 <= _coverage(metric, _SOURCES[rows], 1000, n) <= 0.985


Source = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def _coverage(metric: RowMetric, source: Source, num_trials: int, n: int) -> float:
    """The share of trials whose interval holds the value on very many rows."""
    truth = metric.value(*source(np.random.default_rng(999), 1_000_000))
    covered = 0
    for trial in range(num_trials):
        target, answer = source(np.random.default_rng((17, trial)), n)
        low, high, _ = interval(metric, target, answer, seed=trial)
        covered += low <= truth <= high
    return covered / num_trials


def _binary(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """30 % positives; scores one and a half standard deviations apart, as calibrated probabilities."""
    target = (rng.random(n) < 0.3).astype(int)
    score = rng.normal(size=n) + 1.5 * target
    positive = 1 / (1 + np.exp(-(1.5 * score - 1.125 + np.log(0.3 / 0.7))))
    return target, np.stack([1 - positive, positive], axis=1)


def _values(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    answer = rng.normal(size=n)
    return answer + rng.normal(size=n), answer


_SOURCES: dict[str, Source] = {"binary": _binary, "values": _values}


def _delong_error(target: np.ndarray, score: np.ndarray) -> float:
    positive, negative = score[target == 1], score[target == 0]
    above = (positive[:, None] > negative[None]) + 0.5 * (positive[:, None] == negative[None])
    by_positive, by_negative = above.mean(axis=1), above.mean(axis=0)
    return float(np.sqrt(by_positive.var(ddof=1) / len(positive) + by_negative.var(ddof=1) / len(negative)))
