"""95 % intervals: Wilson's for proportions, the bootstrap for the rest, and for rows that hang together.

Chosen by coverage. Of the shares p in [.5, .9995], the part whose exact coverage lies in [.93, .97] at n = 50 / 200 /
1,000 rows: Wilson .87 / .93 / .98, Jeffreys .82 / .88 / .95, mid-P .78 / .86 / .96, Clopper-Pearson .53 / .78 / .90
(too wide). At n <= 100 the percentile bootstrap covers .82 to .94 (skewed losses, AUC), the studentised one .91 to .95
for means, and a t-interval with the bootstrap's standard error on the logit scale .94 to .98 for shares such as AUC.

References: Wilson 1927; Brown, Cai and DasGupta 2001 (proportions); Zou and Donner 2008 (means of proportions);
Efron and Tibshirani 1993, chapters 12 and 13 (bootstrap).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deepwright.core.families import Metric
from deepwright.evaluation.draws import ENOUGH_UNITS, LEAST_PIECES, Dependence, Draws
from deepwright.evaluation.metric import MeanMetric, RowMetric, Weigher, ratio, weigher_of

Z = 1.959963984540054
"""The normal quantile that leaves 2.5 % above."""
NUM_RESAMPLES = 1000
MANY_ROWS = 20_000
"""From here on means are normal enough, and a standard error needs no more than FEW_RESAMPLES."""
FEW_RESAMPLES = 100
ERROR_RESAMPLES = 200
"""Enough for a standard error (Efron and Tibshirani 1993, section 6.4): it is then known to 5 %."""
LEAST_DEFINED = 0.95
"""Share of resamples in which the metric must be defined for an interval to be given."""

Interval = tuple[float | None, float | None, str]
"""low, high, method: wilson, bootstrap_t, bootstrap, bootstrap_groups, bootstrap_blocks, normal or none."""

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
    dependence: Dependence | None = None,
    seed: int = 0,
) -> tuple[Interval, ...]:
    """The intervals of several metrics; those that draw alike share their resamples. Shapes as in `Metric.value`.

    weight: float64 [N], how much each row counts; closed forms are for rows that count alike, so all is resampled then.
    dependence: which rows hang together; they are drawn together, and where a group and a time say so the wider of the
    two intervals is given.
    """
    is_large = len(target) > MANY_ROWS or answer.size > 10 * MANY_ROWS
    plans = [_plans(metric, target, answer, weight, dependence, is_large=is_large) for metric in metrics]
    drawn = _draw([plan for of_metric in plans for plan in of_metric], seed, is_large=is_large)
    return tuple(_wider([plan.limits(drawn.pop(0)) for plan in of_metric]) for of_metric in plans)


def likeness(target: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """float64 [S, N]: in what neighbouring rows may resemble each other, whatever the metric. Shapes as in
    `Metric.value`: right or wrong, and the log loss; for values the squared and absolute errors and what R2 compares.
    """
    if target.ndim == 2:  # several labels a row
        return np.abs(target - answer).mean(axis=1)[np.newaxis]
    if answer.ndim == 2 and target.dtype.kind == "f":  # intervals
        return ((answer[:, 0] <= target) & (target <= answer[:, 1])).astype(np.float64)[np.newaxis]
    if answer.ndim == 2:
        own = np.take_along_axis(answer, target[:, np.newaxis], axis=1)[:, 0]
        return np.stack([(answer.argmax(axis=1) == target).astype(np.float64), -np.log(np.maximum(own, 1e-15))])
    squares, spread = np.square(target - answer), np.square(target - target.mean())
    unexplained = squares.mean() / spread.mean() if spread.any() else 0.0
    return np.stack([squares, np.abs(target - answer), squares - unexplained * spread])


def resample(statistics: Sequence[Weigher], draws: Draws, num_resamples: int, seed: int) -> list[np.ndarray]:
    """Each statistic under the same weights: one float64 [R] (or [R, ...]) each."""
    if not statistics:
        return []
    blocks = [[statistic(weights) for statistic in statistics] for weights in draws.weights(num_resamples, seed)]
    return [np.concatenate([block[i] for block in blocks]) for i in range(len(statistics))]


def t_quantile(degrees: float) -> float:
    """Student's t quantile that leaves 2.5 % above.

    >>> round(t_quantile(10), 2)
    2.23
    """
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.975)) if np.isfinite(degrees) else Z


@dataclass(frozen=True)
class _Plan:
    """What is resampled for a metric (None: nothing), in which way, and how draws become an interval.

    needs_tails: the draws' quantiles are asked for, not only their spread.
    """

    statistic: Weigher | None
    limits: Callable[[np.ndarray], Interval]
    draws: Draws
    needs_tails: bool = False


def _draw(plans: Sequence[_Plan], seed: int, *, is_large: bool) -> list[np.ndarray]:
    """The draws of each plan; plans that draw in the same way share the weights."""
    found = [np.empty(0)] * len(plans)
    ways: dict[tuple[str, int, bool], list[int]] = {}
    for place, plan in enumerate(plans):
        if plan.statistic is not None:
            ways.setdefault((plan.draws.kind, plan.draws.block, plan.needs_tails), []).append(place)
    for (_, _, needs_tails), places in ways.items():
        statistics = [statistic for place in places if (statistic := plans[place].statistic) is not None]
        num_resamples = FEW_RESAMPLES if is_large else NUM_RESAMPLES if needs_tails else ERROR_RESAMPLES
        for place, draws in zip(places, resample(statistics, plans[places[0]].draws, num_resamples, seed), strict=True):
            found[place] = draws
    return found


def has_interval(metric: Metric) -> bool:
    """Whether resampling says how sure the metric is; of a largest error, for one, it does not."""
    return not isinstance(metric, RowMetric) or metric.has_interval


def _plans(
    metric: Metric,
    target: np.ndarray,
    answer: np.ndarray,
    weight: np.ndarray | None,
    dependence: Dependence | None,
    *,
    is_large: bool,
) -> list[_Plan]:
    if not has_interval(metric):
        return [_Plan(None, lambda draws: NONE, Draws(len(target)))]
    if dependence is not None:
        losses = (
            metric.losses(target, answer)[np.newaxis] if isinstance(metric, MeanMetric) else likeness(target, answer)
        )
        ways = dependence.draws(losses)
        return [_dependent_plan(metric, target, answer, weight, draws) for draws in ways]
    if weight is not None:
        return [_weighted_plan(metric, target, answer, weight, is_large=is_large)]
    return [_plan(metric, target, answer, is_large=is_large)]


def _plan(metric: Metric, target: np.ndarray, answer: np.ndarray, *, is_large: bool) -> _Plan:
    value, each = metric.value(target, answer), Draws(len(target))
    if not np.isfinite(value) or len(target) < 4:
        return _Plan(None, lambda draws: NONE, each)
    exact = metric.exact(target, answer) if isinstance(metric, RowMetric) else None
    if exact is not None:
        return _Plan(None, lambda draws: (*exact, "wilson"), each)
    if isinstance(metric, MeanMetric):
        return _mean_plan(metric, metric.losses(target, answer), is_large=is_large)
    weigher = weigher_of(metric, target, answer)
    scale = metric.scale if isinstance(metric, RowMetric) else "plain"
    rows = len(target)
    if scale == "share":
        rows = _rows_per_class(metric, target, answer)
        if value in (0.0, 1.0):
            return _Plan(None, lambda draws: _at_the_end(value, rows), each)
    if not isinstance(metric, RowMetric) and not is_large:
        return _Plan(weigher, _percentiles, each, needs_tails=True)
    return _Plan(weigher, lambda draws: _normal(draws, value, rows, scale), each)


def _weighted_plan(
    metric: Metric, target: np.ndarray, answer: np.ndarray, weight: np.ndarray, *, is_large: bool
) -> _Plan:
    """Rows are drawn alike and then count by their weight; a spread of few heavy rows is that of few rows (Kish)."""
    value, each = metric.value(target, answer, weight), Draws(len(target))
    effective = int(weight.sum() ** 2 / np.square(weight).sum())
    if not np.isfinite(value) or effective < 4:
        return _Plan(None, lambda draws: NONE, each)
    weigher = weigher_of(metric, target, answer)
    scale = _scale_of(metric, target, answer)
    if scale == "share" and value in (0.0, 1.0):
        return _Plan(None, lambda draws: _at_the_end(value, effective), each)
    if not isinstance(metric, RowMetric) and not is_large:
        return _Plan(lambda weights: weigher(weights * weight), _percentiles, each, needs_tails=True)
    return _Plan(lambda weights: weigher(weights * weight), lambda draws: _normal(draws, value, effective, scale), each)


def _dependent_plan(
    metric: Metric, target: np.ndarray, answer: np.ndarray, weight: np.ndarray | None, draws: Draws
) -> _Plan:
    """Groups or blocks are drawn, and the t quantile is that of their number."""
    each = np.ones(len(target)) if weight is None else weight
    value = metric.value(target, answer, weight)
    effective = int(each.sum() ** 2 / np.square(each).sum()) if each.any() else 0
    pieces = min(draws.pieces, effective)
    if not np.isfinite(value) or pieces < LEAST_PIECES:
        return _Plan(None, lambda found: NONE, draws)
    if isinstance(metric, MeanMetric) and draws.kind == "groups" and pieces >= ENOUGH_UNITS:
        return _group_mean_plan(metric, metric.losses(target, answer), each, draws)
    weigher = weigher_of(metric, target, answer)
    scale = _scale_of(metric, target, answer)
    if scale == "share" and value in (0.0, 1.0):
        return _Plan(None, lambda found: _at_the_end(value, pieces), draws)
    return _Plan(
        lambda weights: weigher(weights * each),
        lambda found: _normal(found, value, pieces, scale, f"bootstrap_{draws.kind}"),
        draws,
    )


def _group_mean_plan(metric: MeanMetric, losses: np.ndarray, each: np.ndarray, draws: Draws) -> _Plan:
    """A mean over groups: the ratio of two sums over groups, studentised, since sums of few groups are skewed."""
    assert draws.unit is not None, "groups have numbers"
    groups = Draws(draws.num_units, kind="groups")
    sums = np.bincount(draws.unit, weights=losses * each, minlength=draws.num_units)
    counts = np.bincount(draws.unit, weights=each, minlength=draws.num_units)
    mean = float(sums.sum() / counts.sum())
    square = np.square(sums - mean * counts).sum() * draws.num_units / (draws.num_units - 1)
    error = float(np.sqrt(square) / counts.sum())
    least = 0.0 if losses.min() >= 0 else -np.inf

    def weigh(weights: np.ndarray) -> np.ndarray:
        total, size = weights @ sums, weights @ counts
        means = ratio(total, size, empty=mean)
        squares = weights @ np.square(sums) - 2 * means * (weights @ (sums * counts))
        squares += np.square(means) * (weights @ np.square(counts))
        errors = ratio(np.sqrt(np.maximum(squares, 0.0)), size, empty=0.0)
        return np.divide(means - mean, errors, out=np.zeros_like(means), where=errors > 0)

    def limits(found: np.ndarray) -> Interval:
        low, high = np.quantile(found, (0.025, 0.975))
        ends = metric.finish(np.array([max(mean - high * error, least), mean - low * error]))
        return float(ends[0]), float(ends[1]), "bootstrap_groups"

    return _Plan(weigh, limits, groups, needs_tails=True)


def _scale_of(metric: Metric, target: np.ndarray, answer: np.ndarray) -> str:
    """Where a resampled value is nearly normal; a mean of losses that are never negative: on its logarithm."""
    if isinstance(metric, MeanMetric):
        return "positive" if metric.losses(target, answer).min() >= 0 else "plain"
    return metric.scale if isinstance(metric, RowMetric) else "plain"


def _wider(found: Sequence[Interval]) -> Interval:
    """The interval that holds all of them, by the name of the widest; none where one of them is none."""
    if any(low is None for low, _, _ in found):
        return NONE
    _, method = max((high - low, method) for low, high, method in found if low is not None and high is not None)
    return min(low for low, _, _ in found if low is not None), max(h for _, h, _ in found if h is not None), method


def _mean_plan(metric: MeanMetric, losses: np.ndarray, *, is_large: bool) -> _Plan:
    """A mean's interval: studentised resamples, or for many rows the central limit theorem."""
    mean, error, each = losses.mean(), losses.std(ddof=1) / np.sqrt(len(losses)), Draws(len(losses))
    least = 0.0 if losses.min() >= 0 else -np.inf

    def finish(low: float, high: float, method: str) -> Interval:
        low, high = min(max(low, least), mean), max(high, mean)
        ends = metric.finish(np.array([low, high]))
        return float(ends[0]), float(ends[1]), method

    if is_large or error == 0:
        return _Plan(None, lambda draws: finish(mean - Z * error, mean + Z * error, "normal"), each)

    def limits(draws: np.ndarray) -> Interval:
        low, high = np.quantile(draws, (0.025, 0.975))
        return finish(mean - high * error, mean - low * error, "bootstrap_t")

    return _Plan(studentised(losses), limits, each, needs_tails=True)


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


def _normal(draws: np.ndarray, value: float, rows: int, scale: str, method: str = "bootstrap") -> Interval:
    """value +- t x the resamples' standard deviation, on the scale where they are nearly normal."""
    defined = draws[np.isfinite(draws)]
    if rows < 4 or len(defined) < LEAST_DEFINED * len(draws):
        return NONE
    half = t_quantile(rows - 1) * defined.std(ddof=1) * np.sqrt(rows / (rows - 1))
    if scale == "share":
        step, centre = half / (value * (1 - value)), np.log(value / (1 - value))
        ends = 1 / (1 + np.exp(-(centre - step))), 1 / (1 + np.exp(-(centre + step)))
    elif scale == "positive":
        step = half / value if value > 0 else 0.0
        ends = value * np.exp(-step), value * np.exp(step)
    elif scale == "unexplained" and value < 1:
        step = half / (1 - value)
        ends = 1 - (1 - value) * np.exp(step), 1 - (1 - value) * np.exp(-step)
    else:
        ends = value - half, value + half
    return float(ends[0]), float(ends[1]), method


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


def _rows_per_class(metric: Metric, target: np.ndarray, answer: np.ndarray) -> int:
    """Rows that carry the spread: those of the smaller of two classes, of the mean class for more, for several labels
    those of the rarest answer to one; where a metric counts all labels alike, the rows that have any."""
    if target.ndim == 2 and getattr(metric, "average", None) in ("micro", "samples"):
        return max(1, int((target > 0).any(axis=1).sum()))
    if target.ndim == 2:
        true = (target > 0).sum(axis=0)
        return max(1, int(np.minimum(true, len(target) - true).min()))
    if target.dtype.kind == "f":
        return len(target)
    counts = np.bincount(target, minlength=answer.shape[1])
    return int(counts.min() if len(counts) == 2 else max(1, len(target) // len(counts)))
