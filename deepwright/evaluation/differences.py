"""Differences between members on the same rows, with intervals that hold for many comparisons together.

The interval of one comparison holds in 95 of 100 cases; of twenty such intervals one misses. Those of a family are
widened together, by the quantile of its largest studentised difference: since the same rows are drawn for all, metrics
and members that move together cost less than Bonferroni's or Holm's bound, which know nothing of it.

References: Bonett and Price 2012 (paired proportions); Westfall and Young 1993, chapter 2, and Hothorn, Bretz and
Westfall 2008 (the largest difference); Chernozhukov, Chetverikov and Kato 2013, arXiv 1212.6906 (its quantile by normal
multipliers); Bouthillier et al. 2021, arXiv 2103.03098 (seeds as a source of variance of their own).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from deepwright.core.families import Metric
from deepwright.evaluation.classify import Accuracy
from deepwright.evaluation.draws import LEAST_PIECES, Dependence, Draws
from deepwright.evaluation.interval import (
    ERROR_RESAMPLES,
    FEW_RESAMPLES,
    LEAST_DEFINED,
    MANY_ROWS,
    Z,
    likeness,
    resample,
    t_quantile,
)
from deepwright.evaluation.metric import MeanMetric, Weigher, weigher_of
from deepwright.evaluation.regress import Rmse

LEAST_CHANGED = 6
"""Rows on which two classifiers must disagree before either can be called better (McNemar: 2 x 0.5^6 < 0.05)."""
NUM_MULTIPLIERS = 20_000
"""Draws for the quantile of the largest difference of a family: it is then known to 0.3 %."""


@dataclass(frozen=True)
class Difference:
    """a's metric minus b's on the same n rows, with its 95 % interval. better: None when the interval holds 0.

    low and high are None where the metric is undefined. p: how often the largest difference of the family would be as
    large among equals; below 0.05 exactly where the interval leaves out 0 (but for few changed rows, see
    LEAST_CHANGED).
    """

    value: float
    low: float | None
    high: float | None
    n: int
    better: Literal["a", "b"] | None
    p: float | None = None


@dataclass(frozen=True)
class Pair:
    """What is compared: the answers of a and of b as the metric sees them, one array for each training seed."""

    metric: Metric
    a: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class _Estimate:
    """centre +- t x error is the interval of one comparison alone. draws: [R], what resampling gave; None: nothing."""

    value: float
    centre: float
    error: float
    degrees: float
    draws: np.ndarray | None


def paired(
    target: np.ndarray,
    answer_a: np.ndarray,
    answer_b: np.ndarray,
    metric: Metric,
    *,
    weight: np.ndarray | None = None,
    dependence: Dependence | None = None,
    seed: int = 0,
) -> Difference:
    """Compare two members on the same rows. Shapes as in `Metric.value`; weight: float64 [N], how much each row counts.

    Accuracy takes Bonett and Price's interval for paired proportions, means of losses the paired t-interval, the rest a
    t-interval with the standard error of paired resamples. dependence: which rows hang together; all is resampled then.
    """
    pair = Pair(metric, (answer_a,), (answer_b,))
    return differences(target, [pair], weight=weight, dependence=dependence, seed=seed)[0]


def differences(
    target: np.ndarray,
    pairs: Sequence[Pair],
    *,
    weight: np.ndarray | None = None,
    dependence: Dependence | None = None,
    seed: int = 0,
) -> tuple[Difference, ...]:
    """A family of comparisons whose intervals hold all together in 95 of 100 cases.

    With several training seeds a member's metric is its mean over them, and their spread is in the interval.
    """
    ways = _ways(target, pairs, dependence)
    estimates = [_estimate(target, pair, weight, dependence, ways, seed) for pair in pairs]
    if len(pairs) > 1:
        estimates = _with_draws(target, pairs, estimates, weight, ways, seed)
    largest = _largest([each.draws for each in estimates if each is not None and each.draws is not None], seed)
    return tuple(
        _difference(target, pair, estimate, ways, largest) for pair, estimate in zip(pairs, estimates, strict=True)
    )


def _difference(
    target: np.ndarray,
    pair: Pair,
    estimate: _Estimate | None,
    ways: tuple[Draws, ...],
    largest: np.ndarray | None,
) -> Difference:
    n = len(target)
    if estimate is None:
        return Difference(float("nan"), None, None, n, None)
    if estimate.error == 0:
        better = _better(estimate.centre, estimate.centre, pair.metric)
        return Difference(estimate.value, estimate.centre, estimate.centre, n, better, None if better else 1.0)
    quantile = t_quantile(estimate.degrees)
    normal = abs(estimate.centre) / estimate.error * Z / quantile
    if largest is None:
        factor, p = 1.0, math.erfc(normal / math.sqrt(2))
    else:
        factor, p = max(1.0, float(np.quantile(largest, 0.95)) / Z), float((largest >= normal).mean())
    half = quantile * factor * estimate.error
    low, high = estimate.centre - half, estimate.centre + half
    if not _can_differ(pair, ways):
        low, high = min(low, 0.0), max(high, 0.0)
    return Difference(estimate.value, low, high, n, _better(low, high, pair.metric), p)


def _better(low: float, high: float, metric: Metric) -> Literal["a", "b"] | None:
    if low <= 0 <= high:
        return None
    return "a" if (low > 0) == metric.greater_is_better else "b"


def _ways(target: np.ndarray, pairs: Sequence[Pair], dependence: Dependence | None) -> tuple[Draws, ...]:
    """How rows are drawn, the same way for the whole family."""
    if dependence is None:
        return (Draws(len(target)),)
    series = [_in_losses(target, pair) for pair in pairs]
    return dependence.draws(np.concatenate(series))


def _in_losses(target: np.ndarray, pair: Pair) -> np.ndarray:
    """float64 [S, N]: how a and b differ from row to row."""
    if isinstance(pair.metric, MeanMetric):
        return _mean_losses(target, pair)[np.newaxis]
    of_a = np.mean([likeness(target, answer) for answer in pair.a], axis=0)
    return np.asarray(of_a - np.mean([likeness(target, answer) for answer in pair.b], axis=0))


def _mean_losses(target: np.ndarray, pair: Pair) -> np.ndarray:
    """float64 [N]: a's loss minus b's, each averaged over its seeds."""
    metric = pair.metric
    assert isinstance(metric, MeanMetric), metric
    of_a = np.mean([metric.losses(target, answer) for answer in pair.a], axis=0)
    return np.asarray(of_a - np.mean([metric.losses(target, answer) for answer in pair.b], axis=0))


def _estimate(
    target: np.ndarray,
    pair: Pair,
    weight: np.ndarray | None,
    dependence: Dependence | None,
    ways: tuple[Draws, ...],
    seed: int,
) -> _Estimate | None:
    """The difference and its standard error, of rows and of seeds; None where the metric is undefined."""
    metric, n = pair.metric, len(target)
    of_a = np.array([metric.value(target, answer, weight) for answer in pair.a])
    of_b = np.array([metric.value(target, answer, weight) for answer in pair.b])
    value = float(of_a.mean() - of_b.mean())
    pieces = min(way.pieces for way in ways)
    if not np.isfinite(value) or n < 4 or pieces < LEAST_PIECES:
        return None
    spread = {len(values): float(values.var(ddof=1) / len(values)) for values in (of_a, of_b) if len(values) > 1}
    if not spread and _are_equal(pair):
        return _Estimate(value, 0.0, 0.0, np.inf, None)
    is_closed = weight is None and dependence is None
    draws = None
    if is_closed and isinstance(metric, Accuracy) and not spread:
        centre, error = _bonett_price(pair.a[0].argmax(axis=1) == target, pair.b[0].argmax(axis=1) == target)
        return _Estimate(value, centre, error, np.inf, None)
    if is_closed and isinstance(metric, MeanMetric) and not isinstance(metric, Rmse):
        error = float(_mean_losses(target, pair).std(ddof=1) / np.sqrt(n))
    else:
        found = _resampled(target, pair, weight, ways, seed)
        if found is None:
            return None
        error, draws = found
    degrees = float(pieces - 1)
    if spread:
        error, degrees = _with_seeds(error, degrees, [of_a, of_b])
    return _Estimate(value, value, error, degrees, draws)


def _with_seeds(error: float, degrees: float, values: Sequence[np.ndarray]) -> tuple[float, float]:
    """The standard error of rows and seeds together, and its degrees of freedom (Welch and Satterthwaite)."""
    parts = [(error**2, degrees)]
    parts += [(float(of.var(ddof=1)) / len(of), len(of) - 1.0) for of in values if len(of) > 1]
    total = sum(variance for variance, _ in parts)
    if total == 0:
        return 0.0, degrees
    return float(np.sqrt(total)), total**2 / sum(variance**2 / df for variance, df in parts)


def _resampled(
    target: np.ndarray, pair: Pair, weight: np.ndarray | None, ways: tuple[Draws, ...], seed: int
) -> tuple[float, np.ndarray] | None:
    """The standard error of the wider way of drawing, and its draws; None where too few are defined."""
    found = []
    for way in ways:
        num_resamples = ERROR_RESAMPLES if len(target) <= MANY_ROWS else FEW_RESAMPLES
        (draws,) = resample([_weigher(target, pair, weight)], way, num_resamples, seed)
        defined = np.isfinite(draws)
        if defined.sum() < LEAST_DEFINED * len(draws):
            return None
        draws = np.where(defined, draws, draws[defined].mean())
        error = float(draws[defined].std(ddof=1) * np.sqrt(way.pieces / (way.pieces - 1)))
        found.append((error, draws))
    return max(found, key=lambda each: each[0])


def _weigher(target: np.ndarray, pair: Pair, weight: np.ndarray | None) -> Weigher:
    each = np.ones(len(target)) if weight is None else weight
    of_a = [weigher_of(pair.metric, target, answer) for answer in pair.a]
    of_b = [weigher_of(pair.metric, target, answer) for answer in pair.b]

    def weigh(weights: np.ndarray) -> np.ndarray:
        counted = weights * each
        return np.mean([of(counted) for of in of_a], axis=0) - np.mean([of(counted) for of in of_b], axis=0)

    return weigh


def _with_draws(
    target: np.ndarray,
    pairs: Sequence[Pair],
    estimates: Sequence[_Estimate | None],
    weight: np.ndarray | None,
    ways: tuple[Draws, ...],
    seed: int,
) -> list[_Estimate | None]:
    """Closed forms get draws too, so that a family knows which of its differences move together."""
    found: list[_Estimate | None] = []
    for pair, estimate in zip(pairs, estimates, strict=True):
        if estimate is not None and estimate.draws is None and estimate.error > 0:
            resampled = _resampled(target, pair, weight, ways, seed)
            draws = None if resampled is None else resampled[1]
            estimate = _Estimate(estimate.value, estimate.centre, estimate.error, estimate.degrees, draws)
        found.append(estimate)
    return found


def _largest(draws: Sequence[np.ndarray], seed: int) -> np.ndarray | None:
    """float64 [M]: the largest of |normal| differences that move together as the draws do; None for fewer than two."""
    standard = [(of - of.mean()) / of.std() / np.sqrt(len(of)) for of in draws if of.std() > 0]
    if len(standard) <= 1:
        return None
    multipliers = np.random.default_rng((seed, 7)).normal(size=(NUM_MULTIPLIERS, len(standard[0])))
    return np.asarray(np.abs(multipliers @ np.stack(standard).T).max(axis=1))


def _bonett_price(right_a: np.ndarray, right_b: np.ndarray) -> tuple[float, float]:
    """Centre and standard error of the difference of two shares on the same rows."""
    n = len(right_a)
    only_a = ((right_a & ~right_b).sum() + 1) / (n + 2)
    only_b = ((right_b & ~right_a).sum() + 1) / (n + 2)
    return float(only_a - only_b), float(np.sqrt((only_a + only_b - (only_a - only_b) ** 2) / (n + 2)))


def _can_differ(pair: Pair, ways: tuple[Draws, ...]) -> bool:
    """Whether enough rows (groups, moments) changed for a difference to be more than luck; ranks and losses change on
    every row."""
    changed = np.zeros(len(pair.a[0]), bool)
    for a, b in zip(pair.a, pair.b, strict=False):
        changed |= a.argmax(axis=1) != b.argmax(axis=1) if pair.metric.decides and a.ndim == 2 else _rows_differ(a, b)
    rows = np.flatnonzero(changed)
    return all(len(rows if way.unit is None else np.unique(way.unit[rows])) >= LEAST_CHANGED for way in ways)


def _are_equal(pair: Pair) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(pair.a, pair.b, strict=False))


def _rows_differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a != b if a.ndim == 1 else (a != b).any(axis=1))
