"""Permutation importance: how much worse a bundle answers when one input's values are dealt out to other rows.

What is told is what the bundle uses, not what causes the target; where two inputs say the same, each alone may look
needless, so inputs that hang together are named. Reference: Breiman 2001; Fisher, Rudin and Dominici 2019.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepwright.core.bundle import Answers, Bundle
from deepwright.core.dataset import Dataset
from deepwright.core.families import Metric
from deepwright.core.schema import Feature
from deepwright.core.step import require_part
from deepwright.evaluation.classify import Accuracy, LogLoss
from deepwright.evaluation.decision import as_answer
from deepwright.evaluation.interval import Z
from deepwright.evaluation.metric import MeanMetric
from deepwright.evaluation.regress import Rmse

NUM_REPEATS = 5
SAMPLE_SIZES = (2000, 1000, 500, 250)
"""Rows that are answered again for each input and repeat: the most that the budget allows."""
BUDGET_S = 10.0
TOGETHER = 0.7
"""How closely, from 0 to 1, two inputs hang together to be named."""
MOST_LEVELS = 50


def importance(
    bundle: Bundle, validation: Dataset, target: np.ndarray, metric: Metric, *, seconds_per_row: float, seed: int = 0
) -> dict[str, Any] | None:
    """Each input's importance on validation, largest first, as plain data; None where there are not two inputs, or not
    time for 250 rows.

    target: as in `Metric.value`. metric: the main one; where it is no mean over rows, log loss (of values RMSE) stands
    in its place. seconds_per_row: what an answer takes, which decides how many rows are taken.
    Gives {"metric", "n", "repeats", "inputs": [{"feature", "value", "low", "high", "together": [feature]}]}; value is
    how much worse the metric gets, with the 95 % interval over rows and repeats.

    Raises LeakError for another part.
    """
    require_part(validation, "validation", "importance")
    inputs = validation.schema.inputs
    if len(inputs) < 2:
        return None
    affordable = BUDGET_S / (seconds_per_row * len(inputs) * NUM_REPEATS)
    size = next((size for size in SAMPLE_SIZES if size <= affordable), None)
    if size is None:
        return None
    rows = np.sort(np.argsort(validation.hashes, kind="stable")[:size])
    columns = {name: column[rows] for name, column in validation.inputs.items()}
    truth, judge = target[rows], _judge(metric, validation)
    losses = _losses(judge, truth, bundle.answer(columns))
    found: list[dict[str, Any]] = []
    for number, feature in enumerate(inputs):
        lots = [np.random.default_rng((seed, number, repeat)).permutation(len(rows)) for repeat in range(NUM_REPEATS)]
        dealt = ({**columns, feature.name: columns[feature.name][lot]} for lot in lots)
        worse = np.stack([_losses(judge, truth, bundle.answer(x)) for x in dealt])
        found.append({"feature": feature.name, **_increase(judge, losses, worse, np.stack(lots))})
    together = hanging_together(inputs, columns)
    for entry in found:
        entry["together"] = together.get(entry["feature"], [])
    found.sort(key=lambda entry: -entry["value"])
    return {"metric": judge.kind, "n": len(rows), "repeats": NUM_REPEATS, "inputs": found}


def hanging_together(inputs: tuple[Feature, ...], columns: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
    """The inputs that each input is hard to tell from: |Spearman's correlation| of numbers, Cramér's V of categories,
    the correlation ratio of both, from 0.7 on."""
    numbers = {f.name: _ranks(columns[f.name]) for f in inputs if f.type in ("number", "timestamp")}
    levels = {f.name: _codes(columns[f.name]) for f in inputs if f.type == "category"}
    levels = {name: codes for name, codes in levels.items() if codes.max(initial=0) < MOST_LEVELS}
    named = [*numbers, *levels]
    found: dict[str, list[str]] = {}
    for place, first in enumerate(named):
        for second in named[place + 1 :]:
            if first in numbers and second in numbers:
                tie = _correlation(numbers[first], numbers[second])
            elif first in numbers:
                tie = _correlation_ratio(levels[second], numbers[first])
            else:
                tie = _cramers_v(levels[first], levels[second])
            if tie >= TOGETHER:
                found.setdefault(first, []).append(second)
                found.setdefault(second, []).append(first)
    return found


def _judge(metric: Metric, validation: Dataset) -> MeanMetric | Accuracy:
    if isinstance(metric, MeanMetric | Accuracy):
        return metric
    return Rmse() if validation.schema.problem == "regression" else LogLoss()


def _losses(judge: MeanMetric | Accuracy, target: np.ndarray, answers: Answers) -> np.ndarray:
    """float64 [N]: what each row adds to the metric, smaller being better."""
    answer = np.asarray(answers.answer, np.float64)
    if isinstance(judge, Accuracy):
        return np.asarray(answers.decided != target, np.float64)
    if judge.decides:
        return judge.losses(target, as_answer(answers.decided, answer.shape[1]))
    return judge.losses(target, answer)


def _increase(
    judge: MeanMetric | Accuracy, losses: np.ndarray, worse: np.ndarray, lots: np.ndarray
) -> dict[str, float]:
    """How much a metric grows, with its interval. losses: [N]; worse: [R, N], where each row has the input of another.
    lots: int [R, N], which one.

    A row counts as itself and as the one that gave its value away: what it adds in both is its share, and the spread of
    shares is the error (Hoeffding 1948). The metric is a rising function of the mean loss, whose slope carries shares
    over (delta method).
    """

    def finish(mean: float) -> float:
        return float(judge.finish(np.array([mean]))[0]) if isinstance(judge, MeanMetric) else mean

    def slope(mean: float) -> float:
        step = max(abs(mean), 1e-9) * 1e-4
        return (finish(mean + step) - finish(max(mean - step, 0.0))) / (step + min(step, mean))

    before, after = float(losses.mean()), float(worse.mean())
    given = np.zeros_like(worse)
    np.put_along_axis(given, lots, worse, axis=1)
    shares = slope(after) * (worse.mean(axis=0) + given.mean(axis=0)) - slope(before) * losses
    half = Z * float(np.sqrt(shares.var(ddof=1) / len(shares)))
    value = finish(after) - finish(before)
    return {"value": value, "low": value - half, "high": value + half}


def _ranks(column: np.ndarray) -> np.ndarray:
    """Ranks of the known values, equal ones alike; NaN where missing."""
    _, place = np.unique(column, return_inverse=True)
    return np.where(np.isnan(column), np.nan, place.astype(np.float64))


def _codes(column: np.ndarray) -> np.ndarray:
    return np.unique(["\0" if value is None else str(value) for value in column], return_inverse=True)[1]


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    known = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[known], b[known]
    if len(a) < 3 or a.std() == 0 or b.std() == 0:
        return 0.0
    return abs(float(np.corrcoef(a, b)[0, 1]))


def _correlation_ratio(codes: np.ndarray, values: np.ndarray) -> float:
    """The share of a number's deviation that the levels explain, without what chance explains."""
    known = ~np.isnan(values)
    codes, values = codes[known], values[known]
    num = len(np.unique(codes))
    if num < 2 or len(values) <= num or values.std() == 0:
        return 0.0
    counts = np.bincount(codes)
    means = np.divide(np.bincount(codes, values), counts, out=np.zeros(len(counts)), where=counts > 0)
    unexplained = float(np.square(values - means[codes]).sum() / (len(values) - num))
    return float(np.sqrt(max(0.0, 1 - unexplained / values.var(ddof=1))))


def _cramers_v(a: np.ndarray, b: np.ndarray) -> float:
    """Without what chance gives (Bergsma 2013)."""
    size = len(a)
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    rows, columns = table.shape
    due = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / size
    phi = max(0.0, float((np.square(table - due) / due).sum() / size) - (rows - 1) * (columns - 1) / (size - 1))
    rows_fit, columns_fit = (num - (num - 1) ** 2 / (size - 1) for num in table.shape)
    smaller = min(rows_fit, columns_fit) - 1
    return float(np.sqrt(phi / smaller)) if smaller > 0 else 0.0
