"""Families of comparisons: intervals that hold together, few false alarms in all, and seeds in the interval."""

import numpy as np
import pytest

from deepwright.evaluation.classify import F1, Accuracy, Auc, LogLoss
from deepwright.evaluation.differences import Pair, differences, paired
from deepwright.evaluation.draws import Dependence
from deepwright.evaluation.regress import Mae, Rmse


def _equals(seed: int, n: int, num: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Probabilities of equally good members that share half of their noise."""
    generator = np.random.default_rng(seed)
    target = (generator.random(n) < 0.4).astype(int)
    shared = generator.normal(size=n)
    scores = [1.5 * (target - 0.5) + shared + generator.normal(size=n) for _ in range(num)]
    positives = [1 / (1 + np.exp(-score)) for score in scores]
    return target, [np.stack([1 - p, p], axis=1) for p in positives]


def _family(answers: list[np.ndarray]) -> list[Pair]:
    metrics = (Accuracy(), Auc(), LogLoss())
    return [Pair(m, (a,), (b,)) for m in metrics for i, a in enumerate(answers) for b in answers[:i]]


def test_the_intervals_of_a_family_are_wider_than_each_alone_and_narrower_than_bonferronis():
    target, answers = _equals(0, 400, 4)
    family = _family(answers)
    together = differences(target, family)
    alone = [paired(target, pair.a[0], pair.b[0], pair.metric) for pair in family]
    ratios = [(t.high - t.low) / (a.high - a.low) for t, a in zip(together, alone, strict=True)]
    assert min(ratios) > 1.2
    assert max(ratios) < 3.01 / 1.96 * 1.05  # the quantile of 18 by Bonferroni; 400 resamples know an error to 3.5 %
    assert [t.value for t in together] == [a.value for a in alone]


def test_p_is_below_5_percent_exactly_where_the_interval_leaves_out_0():
    target, answers = _equals(1, 300, 3)
    better = answers[0].copy()
    rows = np.flatnonzero(better.argmax(axis=1) != target)[:30]
    better[rows] = better[rows][:, ::-1]
    found = differences(target, _family([better, *answers]))
    assert {each.better is not None for each in found} == {True, False}
    for each in found:
        assert (each.p < 0.05) == (each.better is not None) == (each.low > 0 or each.high < 0)


def test_among_equals_a_family_says_better_in_few_trials_and_single_intervals_in_many():
    """60 trials of 10 pairs; a rate of 5 % gives more than 8 less than once in 150 such checks."""
    together, alone, target = 0, 0, np.zeros(100)
    for trial in range(60):
        errors = np.random.default_rng(trial).normal(size=(5, 100))
        family = [Pair(Mae(), (a,), (b,)) for i, a in enumerate(errors) for b in errors[:i]]
        together += any(each.better for each in differences(target, family, seed=trial))
        alone += any(each.better for each in differences(target, family, is_family=False, seed=trial))
    assert together <= 8 < alone


def test_the_spread_over_seeds_widens_the_interval():
    generator = np.random.default_rng(0)
    target = generator.normal(size=400)
    noise, steady = generator.normal(size=400), target + 0.5 * generator.normal(size=400)
    lucky = tuple(target + size * noise for size in (0.40, 0.48, 0.56))
    (over_seeds,) = differences(target, [Pair(Mae(), lucky, (steady,))])
    single = paired(target, lucky[0], steady, Mae())
    assert single.better == "a"
    assert over_seeds.better is None
    assert over_seeds.value == pytest.approx(
        np.mean([Mae().value(target, a) for a in lucky]) - Mae().value(target, steady)
    )
    assert over_seeds.high - over_seeds.low > 2 * (single.high - single.low)


def test_seeds_that_change_nothing_leave_the_interval_of_one():
    target, (a, b) = _equals(3, 200, 2)
    (three,) = differences(target, [Pair(Auc(), (a, a.copy(), a.copy()), (b,))])
    one = paired(target, a, b, Auc())
    assert (three.low, three.high) == pytest.approx((one.low, one.high))


@pytest.mark.parametrize("metric", [Accuracy(), F1(), LogLoss()], ids=lambda m: m.kind)
def test_members_that_differ_in_few_groups_are_not_called_different(metric):
    """All of the difference comes from 3 of 40 groups, which is 60 of 800 rows."""
    target, (a, _) = _equals(4, 800, 2)
    group, b = np.repeat(np.arange(40), 20), a.copy()
    b[:60] = np.eye(2)[target[:60]] * 0.9 + 0.05
    assert paired(target, a, b, metric).better == "b"
    assert paired(target, a, b, metric, dependence=Dependence(group)).better is None


def test_equals_on_clustered_rows_are_called_better_in_few_trials_and_as_single_rows_in_many():
    """100 trials; a rate of 5 % gives more than 11 less than once in 150 such checks."""
    group, together, alone = np.repeat(np.arange(30), 10), 0, 0
    for trial in range(100):
        generator = np.random.default_rng(trial)
        errors = [generator.normal(size=30)[group] + generator.normal(size=300) for _ in range(2)]
        target = np.zeros(300)
        together += paired(target, *errors, Rmse(), dependence=Dependence(group), seed=trial).better is not None
        alone += paired(target, *errors, Rmse(), seed=trial).better is not None
    assert together <= 11 < alone
