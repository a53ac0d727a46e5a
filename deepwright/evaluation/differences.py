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
    has_interval,
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
    is_family: bool = True,
    seed: int = 0,
) -> tuple[Difference, ...]:
    """A family of comparisons whose intervals hold all together in 95 of 100 cases; each for itself where it is none.

    With several training seeds a member's metric is its mean over them, and their spread is in the interval.
    """
    ways = _ways(target, pairs, dependence)
    is_closed = weight is None and dependence is None
    is_family = is_family and len(pairs) > 1
    needy = [pair for pair in pairs if is_family or not (is_closed and _has_form(pair))]
    drawn = _drawn(target, needy, weight, ways, seed)
    estimates = [
        _estimate(target, pair, weight, ways, drawn.get(id(pair)), is_closed=is_closed and _has_form(pair))
        for pair in pairs
    ]
    moved = [each.draws for each in estimates if each is not None and each.draws is not None]
    largest = _largest(moved, seed) if is_family else None
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
    if not _can_differ(target, pair, ways):
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


def _has_form(pair: Pair) -> bool:
    """Whether rows that count alike and stand alone have a closed form for this comparison."""
    if isinstance(pair.metric, Accuracy):
        return len(pair.a) == len(pair.b) == 1
    return isinstance(pair.metric, MeanMetric) and not isinstance(pair.metric, Rmse)


def _estimate(
    target: np.ndarray,
    pair: Pair,
    weight: np.ndarray | None,
    ways: tuple[Draws, ...],
    drawn: tuple[float, np.ndarray] | None,
    *,
    is_closed: bool,
) -> _Estimate | None:
    """The difference and its standard error, of rows and of seeds; None where the metric is undefined.

    drawn: the standard error and the draws of resampling, where it was done and gave numbers.
    """
    metric, n = pair.metric, len(target)
    of_a = np.array([metric.value(target, answer, weight) for answer in pair.a])
    of_b = np.array([metric.value(target, answer, weight) for answer in pair.b])
    value = float(of_a.mean() - of_b.mean())
    pieces = min(way.pieces for way in ways)
    if not np.isfinite(value) or n < 4 or pieces < LEAST_PIECES or not has_interval(metric):
        return None
    if _are_equal(pair):
        return _Estimate(value, 0.0, 0.0, np.inf, None)
    draws = None if drawn is None else drawn[1]
    if is_closed and isinstance(metric, Accuracy):
        centre, error = _bonett_price(pair.a[0].argmax(axis=1) == target, pair.b[0].argmax(axis=1) == target)
        return _Estimate(value, centre, error, np.inf, draws)
    if is_closed:
        error = float(_mean_losses(target, pair).std(ddof=1) / np.sqrt(n))
    elif drawn is None:
        return None
    else:
        error = drawn[0]
    error, degrees = _with_seeds(error, float(pieces - 1), [of_a, of_b])
    return _Estimate(value, value, error, degrees, draws)


def _with_seeds(error: float, degrees: float, values: Sequence[np.ndarray]) -> tuple[float, float]:
    """The standard error of rows and seeds together, and its degrees of freedom (Welch and Satterthwaite)."""
    parts = [(error**2, degrees)]
    parts += [(float(of.var(ddof=1)) / len(of), len(of) - 1.0) for of in values if len(of) > 1]
    total = sum(variance for variance, _ in parts)
    if total == 0:
        return 0.0, degrees
    return float(np.sqrt(total)), total**2 / sum(variance**2 / df for variance, df in parts)


def _drawn(
    target: np.ndarray, pairs: Sequence[Pair], weight: np.ndarray | None, ways: tuple[Draws, ...], seed: int
) -> dict[int, tuple[float, np.ndarray]]:
    """Of each pair, by its identity, the standard error and the draws of the wider way of drawing; none where too few
    are defined. The same rows are drawn for all, and each member's metric is computed once."""
    each = np.ones(len(target)) if weight is None else weight
    asked = {(pair.metric.name, id(answer)): (pair.metric, answer) for pair in pairs for answer in (*pair.a, *pair.b)}
    weighers = [_counting(weigher_of(metric, target, answer), each) for metric, answer in asked.values()]
    num_resamples = ERROR_RESAMPLES if len(target) <= MANY_ROWS or len(pairs) > 1 else FEW_RESAMPLES
    found: dict[int, tuple[float, np.ndarray]] = {}
    for way in ways if pairs else ():
        values = dict(zip(asked, resample(weighers, way, num_resamples, seed), strict=True))
        for pair in pairs:
            of_a, of_b = (
                np.mean([values[pair.metric.name, id(answer)] for answer in answers], axis=0)
                for answers in (pair.a, pair.b)
            )
            draws = np.asarray(of_a - of_b)
            defined = np.isfinite(draws)
            if defined.sum() < LEAST_DEFINED * len(draws) or way.pieces < LEAST_PIECES:
                continue
            draws = np.where(defined, draws, draws[defined].mean())
            error = float(draws[defined].std(ddof=1) * np.sqrt(way.pieces / (way.pieces - 1)))
            if id(pair) not in found or found[id(pair)][0] < error:
                found[id(pair)] = error, draws
    return found


def _counting(weigher: Weigher, each: np.ndarray) -> Weigher:
    return lambda weights: weigher(weights * each)


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


def _can_differ(target: np.ndarray, pair: Pair, ways: tuple[Draws, ...]) -> bool:
    """Whether enough rows (groups, moments) changed for a difference to be more than luck; ranks and losses change on
    every row."""
    changed = np.zeros(len(target), bool)
    for a, b in zip(pair.a, pair.b, strict=False):
        changed |= _rows_differ(*(_decided(target, each) for each in (a, b)) if pair.metric.decides else (a, b))
    rows = np.flatnonzero(changed)
    return all(len(rows if way.unit is None else np.unique(way.unit[rows])) >= LEAST_CHANGED for way in ways)


def _decided(target: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """What is answered: the labels [N, L], or the most probable class [N]."""
    return np.asarray(answer >= 0.5 if target.ndim == 2 else answer.argmax(axis=1) if answer.ndim == 2 else answer)


def _are_equal(pair: Pair) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(pair.a, pair.b, strict=False))


def _rows_differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a != b if a.ndim == 1 else (a != b).any(axis=1))
