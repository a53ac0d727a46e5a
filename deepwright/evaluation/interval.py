"""95 % intervals: Wilson's for proportions, the bootstrap for the rest.

Chosen by coverage. Of the shares p in [.5, .9995], the part whose exact coverage lies in [.93, .97] at n = 50 / 200 /
1,000 rows: Wilson .87 / .93 / .98, Jeffreys .82 / .88 / .95, mid-P .78 / .86 / .96, Clopper-Pearson .53 / .78 / .90
(too wide). At n <= 100 the percentile bootstrap covers .82 to .94 (skewed losses, AUC), the studentised one .91 to .95
for means, and a t-interval with the bootstrap's standard error on the logit scale .94 to .98 for shares such as AUC.

References: Wilson 1927; Brown, Cai and DasGupta 2001 (proportions); Zou and Donner 2008 (means of proportions);
Efron and Tibshirani 1993, chapters 12 and 13 (bootstrap).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deepwright.core.families import Metric
from deepwright.evaluation.metric import MeanMetric, RowMetric, Weigher, weigher_of

Z = 1.959963984540054
"""The normal quantile that leaves 2.5 % above."""
NUM_RESAMPLES = 1000
MANY_ROWS = 20_000
"""From here on means are normal enough, and a standard error needs no more than FEW_RESAMPLES."""
FEW_RESAMPLES = 100
LEAST_DEFINED = 0.95
"""Share of resamples in which the metric must be defined for an interval to be given."""

Interval = tuple[float | None, float | None, str]
"""low, high, method: wilson, bootstrap_t, bootstrap, normal or none."""

NONE: Interval = (None, None, "none")


def proportion(successes: int, n: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion.

    >>> [round(v, 4) for v in proportion(8, 10)]
    [0.4902, 0.9433]
    """
    share = successes / n
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return float(low), float(high)


def mean_of_proportions(successes: np.ndarray, totals: np.ndarray) -> tuple[float, float]:
    """The interval of a mean of independent proportions, from Wilson's interval of each (Zou and Donner's MOVER).

    A proportion of nothing counts 0 and adds no width.
    """
    shares, below, above = [], [], []
    for success, total in zip(successes, totals, strict=True):
        share = success / total if total else 0.0
        low, high = proportion(int(success), int(total)) if total else (0.0, 0.0)
        shares.append(share)
        below.append(share - low)
        above.append(high - share)
    mean, num = float(np.mean(shares)), len(shares)
    low, high = mean - np.sqrt(np.sum(np.square(below))) / num, mean + np.sqrt(np.sum(np.square(above))) / num
    return max(0.0, float(low)), min(1.0, float(high))


def interval(metric: Metric, target: np.ndarray, answer: np.ndarray, *, seed: int = 0) -> Interval:
    """The 95 % interval of one metric: (low, high, method); (None, None, "none") where it cannot be had."""
    return intervals((metric,), target, answer, seed=seed)[0]


def intervals(
    metrics: Sequence[Metric],
    target: np.ndarray,
    answer: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    seed: int = 0,
) -> tuple[Interval, ...]:
    """The intervals of several metrics from the same resamples. Shapes as in `Metric.value`.

    weight: float64 [N], how much each row counts; closed forms are for rows that count alike, so all is resampled then.
    """
    num_resamples = NUM_RESAMPLES if len(target) <= MANY_ROWS and answer.size <= 10 * MANY_ROWS else FEW_RESAMPLES
    if weight is None:
        plans = [_plan(metric, target, answer, num_resamples) for metric in metrics]
    else:
        plans = [_weighted_plan(metric, target, answer, weight, num_resamples) for metric in metrics]
    resampled = [plan.statistic for plan in plans if plan.statistic is not None]
    draws = iter(resample(resampled, len(target), num_resamples, seed))
    return tuple(plan.limits(next(draws) if plan.statistic is not None else np.empty(0)) for plan in plans)


def resample(statistics: Sequence[Weigher], n: int, num_resamples: int, seed: int) -> list[np.ndarray]:
    """Each statistic under the same multinomial weights: one float64 [R] (or [R, ...]) each."""
    if not statistics:
        return []
    blocks = [[statistic(weights) for statistic in statistics] for weights in resample_weights(n, num_resamples, seed)]
    return [np.concatenate([block[i] for block in blocks]) for i in range(len(statistics))]


def resample_weights(n: int, num_resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often n draws with replacement take each row: float64 [B, n] per block, a function of (n, seed) alone."""
    size = max(1, min(num_resamples, 2_000_000 // n))
    for number, start in enumerate(range(0, num_resamples, size)):
        count = min(size, num_resamples - start)
        rows = np.random.default_rng((seed, number)).integers(0, n, size=(count, n))
        rows += np.arange(count)[:, np.newaxis] * n
        yield np.bincount(rows.ravel(), minlength=count * n).reshape(count, n).astype(np.float64)


def t_quantile(degrees: int) -> float:
    """Student's t quantile that leaves 2.5 % above; the Cornish-Fisher series, within 1 % from 3 degrees on.

    >>> round(t_quantile(10), 2)
    2.23
    """
    first = (Z**3 + Z) / 4
    second = (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96
    third = (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384
    return Z + first / degrees + second / degrees**2 + third / degrees**3


@dataclass(frozen=True)
class _Plan:
    """What is resampled for a metric (None: nothing), and how draws become an interval."""

    statistic: Weigher | None
    limits: Callable[[np.ndarray], Interval]


def _plan(metric: Metric, target: np.ndarray, answer: np.ndarray, num_resamples: int) -> _Plan:
    value = metric.value(target, answer)
    if not np.isfinite(value) or len(target) < 4:
        return _Plan(None, lambda draws: NONE)
    exact = metric.exact(target, answer) if isinstance(metric, RowMetric) else None
    if exact is not None:
        return _Plan(None, lambda draws: (*exact, "wilson"))
    if isinstance(metric, MeanMetric):
        return _mean_plan(metric, metric.losses(target, answer), num_resamples)
    weigher = weigher_of(metric, target, answer)
    scale = metric.scale if isinstance(metric, RowMetric) else "plain"
    rows = len(target)
    if scale == "share":
        rows = _rows_per_class(target, answer)
        if value in (0.0, 1.0):
            return _Plan(None, lambda draws: _at_the_end(value, rows))
    if scale == "plain" and num_resamples == NUM_RESAMPLES:
        return _Plan(weigher, _percentiles)
    return _Plan(weigher, lambda draws: _normal(draws, value, rows, scale))


def _weighted_plan(
    metric: Metric, target: np.ndarray, answer: np.ndarray, weight: np.ndarray, num_resamples: int
) -> _Plan:
    """Rows are drawn alike and then count by their weight; a spread of few heavy rows is that of few rows (Kish)."""
    value = metric.value(target, answer, weight)
    effective = int(weight.sum() ** 2 / np.square(weight).sum())
    if not np.isfinite(value) or effective < 4:
        return _Plan(None, lambda draws: NONE)
    weigher = weigher_of(metric, target, answer)
    scale = metric.scale if isinstance(metric, RowMetric) else "plain"
    if scale == "share" and value in (0.0, 1.0):
        return _Plan(None, lambda draws: _at_the_end(value, effective))
    if scale == "plain" and num_resamples == NUM_RESAMPLES:
        return _Plan(lambda weights: weigher(weights * weight), _percentiles)
    return _Plan(lambda weights: weigher(weights * weight), lambda draws: _normal(draws, value, effective, scale))


def _mean_plan(metric: MeanMetric, losses: np.ndarray, num_resamples: int) -> _Plan:
    """A mean's interval: studentised resamples, or for many rows the central limit theorem."""
    mean, error = losses.mean(), losses.std(ddof=1) / np.sqrt(len(losses))

    def finish(low: float, high: float, method: str) -> Interval:
        low, high = min(max(low, 0.0), mean), max(high, mean)  # no loss is negative
        ends = metric.finish(np.array([low, high]))
        return float(ends[0]), float(ends[1]), method

    if num_resamples < NUM_RESAMPLES or error == 0:
        return _Plan(None, lambda draws: finish(mean - Z * error, mean + Z * error, "normal"))

    def limits(draws: np.ndarray) -> Interval:
        low, high = np.quantile(draws, (0.025, 0.975))
        return finish(mean - high * error, mean - low * error, "bootstrap_t")

    return _Plan(studentised(losses), limits)


def studentised(losses: np.ndarray) -> Weigher:
    """A function from weights to (resampled mean - mean) / (its own standard error), [B]."""
    n, mean = len(losses), losses.mean()
    centred = losses - mean
    squares = np.square(centred)

    def weigh(weights: np.ndarray) -> np.ndarray:
        shift = weights @ centred / n
        variance = np.maximum(weights @ squares / n - np.square(shift), 0.0) / (n - 1)
        # A resample of equal losses has no spread to be measured by: it says nothing about the tails.
        return np.divide(shift, np.sqrt(variance), out=np.zeros_like(shift), where=variance > 0)

    return weigh


def _normal(draws: np.ndarray, value: float, rows: int, scale: str) -> Interval:
    """value +- t x the resamples' standard deviation, on the scale where they are nearly normal."""
    defined = draws[np.isfinite(draws)]
    if rows < 4 or len(defined) < LEAST_DEFINED * len(draws):
        return NONE
    half = t_quantile(rows - 1) * defined.std(ddof=1) * np.sqrt(rows / (rows - 1))
    if scale == "share":
        step, centre = half / (value * (1 - value)), np.log(value / (1 - value))
        ends = 1 / (1 + np.exp(-(centre - step))), 1 / (1 + np.exp(-(centre + step)))
    elif scale == "unexplained" and value < 1:
        step = half / (1 - value)
        ends = 1 - (1 - value) * np.exp(step), 1 - (1 - value) * np.exp(-step)
    else:
        ends = value - half, value + half
    return float(ends[0]), float(ends[1]), "bootstrap"


def _percentiles(draws: np.ndarray) -> Interval:
    defined = draws[np.isfinite(draws)]
    if len(defined) < LEAST_DEFINED * len(draws):
        return NONE
    low, high = np.quantile(defined, (0.025, 0.975))
    return float(low), float(high), "bootstrap"


def _at_the_end(value: float, rows: int) -> Interval:
    """No resample of faultless rows has a fault; what may yet come is bounded by the rows of a class."""
    low, high = proportion(int(value * rows), rows)
    return low, high, "wilson"


def _rows_per_class(target: np.ndarray, answer: np.ndarray) -> int:
    """Rows that carry the spread: those of the smaller of two classes, of the mean class for more."""
    counts = np.bincount(target, minlength=answer.shape[1])
    return int(counts.min() if len(counts) == 2 else max(1, len(target) // len(counts)))
