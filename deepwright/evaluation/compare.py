"""Which of several members is better on the same rows, and by how much."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from deepwright.core.families import Metric
from deepwright.core.report import Sentence
from deepwright.evaluation.classify import Accuracy, LogLoss
from deepwright.evaluation.interval import (
    FEW_RESAMPLES,
    LEAST_DEFINED,
    MANY_ROWS,
    NUM_RESAMPLES,
    Z,
    resample,
    t_quantile,
)
from deepwright.evaluation.metric import MeanMetric, weigher_of
from deepwright.evaluation.regress import Mse, Rmse
from deepwright.evaluation.wording import shown

LEAST_CHANGED = 6
"""Rows on which two classifiers must disagree before either can be called better (McNemar: 2 x 0.5^6 < 0.05)."""


@dataclass(frozen=True)
class Difference:
    """a's metric minus b's on the same n rows, with its 95 % interval. better: None when the interval holds 0.

    low and high are None where the metric is undefined.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    better: Literal["a", "b"] | None


def paired(
    target: np.ndarray,
    answer_a: np.ndarray,
    answer_b: np.ndarray,
    metric: Metric,
    *,
    weight: np.ndarray | None = None,
    seed: int = 0,
) -> Difference:
    """Compare two members on the same rows. Shapes as in `Metric.value`; weight: float64 [N], how much each row counts.

    Accuracy takes Bonett and Price's interval for paired proportions (2012), means of losses the paired t-interval, the
    rest a t-interval with the standard error of paired resamples.
    """
    value = metric.value(target, answer_a, weight) - metric.value(target, answer_b, weight)
    low, high = _bounds(target, answer_a, answer_b, metric, value, weight, seed)
    better: Literal["a", "b"] | None = None
    if low is not None and high is not None:
        if not _can_differ(answer_a, answer_b, metric):
            low, high = min(low, 0.0), max(high, 0.0)
        if low > 0 or high < 0:
            better = "a" if (low > 0) == metric.greater_is_better else "b"
    return Difference(value, low, high, len(target), better)


def best_member(
    target: np.ndarray, answers: Mapping[str, np.ndarray], metric: Metric, weight: np.ndarray | None = None
) -> str:
    """The member with the best value; of equals the first. An undefined value is never the best."""
    values = {name: metric.value(target, answer, weight) for name, answer in answers.items()}
    sign = 1 if metric.greater_is_better else -1
    return max(values, key=lambda name: sign * values[name] if np.isfinite(values[name]) else -np.inf)


def choose_member(
    target: np.ndarray,
    answers: Mapping[str, np.ndarray],
    judged: Mapping[str, np.ndarray],
    metric: Metric,
    *,
    weight: np.ndarray | None = None,
    seed: int = 0,
) -> str:
    """The member to ship: of the best by the metric and those that cannot be told apart from it, the one with the least
    log loss (classes) or squared error (values).

    Few rows decide which of two good members gets more of them right; every row says how sure each was, and rightly so.
    answers: probabilities or values; judged: the same as the metric sees them.
    """
    best = best_member(target, judged, metric, weight)
    equals = {
        name: answers[name]
        for name in judged
        if paired(target, judged[best], judged[name], metric, weight=weight, seed=seed).better is None
    }
    loss: Metric = LogLoss() if answers[best].ndim == 2 else Mse()
    return best_member(target, equals, loss, weight)


def verdict(
    target: np.ndarray,
    answers: Mapping[str, np.ndarray],
    metric: Metric,
    *,
    chosen: str,
    part: Literal["train", "validation", "test"] = "validation",
    network: str = "network",
    constant: str = "constant",
    blend: str = "blend",
    weight: np.ndarray | None = None,
    is_asked: bool = True,
    seed: int = 0,
) -> tuple[Sentence, ...]:
    """In plain words: does anything beat the constant, does the network beat the baselines, what does the bundle hold.

    answers: each member's answers on the same rows of one part; chosen: the member in the bundle. Members are chosen on
    validation, so on test another one may well lead. is_asked: the recipe names the member that ships.
    """
    table = _Table(target, answers, metric, weight, seed)
    best = table.best(answers)
    sentences = []
    if constant in answers and best != constant and table.compare(best, constant).better != "a":
        sentences.append(table.sentence("evaluate.verdict_not_above_constant", best, constant))
    elif constant == best and len(answers) > 1:
        sentences.append(Sentence(key="evaluate.verdict_constant_is_best", values={"constant": constant}))
    baselines = {name: answer for name, answer in answers.items() if name not in (network, blend)}
    if network in answers and baselines:
        sentences.append(_network_against(table, network, baselines))
    elif len(answers) > 1:
        second = table.best([name for name in answers if name != best])
        sentences.append(_first_and_second(table, best, second))
    if best == blend:
        second = table.best([name for name in answers if name != blend])
        sentences.append(table.sentence("evaluate.verdict_blend", blend, second))
    has_network = network in answers and chosen != network
    if part != "test" and chosen != best and not is_asked:
        sentences.append(_bundle_by_loss(table, best, chosen))
        sentences += [Sentence(key="evaluate.verdict_ship_network")] if has_network else []
    else:
        sentences.append(_bundle_sentence(table, best, chosen, part, has_network=has_network))
    return tuple(sentences)


class _Table:
    """The members' answers on the same rows, and the comparisons made so far."""

    def __init__(
        self,
        target: np.ndarray,
        answers: Mapping[str, np.ndarray],
        metric: Metric,
        weight: np.ndarray | None,
        seed: int,
    ) -> None:
        self.target, self.answers, self.metric, self.weight, self.seed = target, answers, metric, weight, seed
        self._made: dict[tuple[str, str], Difference] = {}

    def best(self, names: Iterable[str]) -> str:
        answers = {name: self.answers[name] for name in names}
        return best_member(self.target, answers, self.metric, self.weight)

    def compare(self, a: str, b: str) -> Difference:
        if (a, b) not in self._made:
            answers = self.answers[a], self.answers[b]
            self._made[a, b] = paired(self.target, *answers, self.metric, weight=self.weight, seed=self.seed)
        return self._made[a, b]

    def sentence(self, key: str, a: str, b: str) -> Sentence:
        """A catalogue sentence about a against b; the difference is written as how much better a is."""
        difference = self.compare(a, b)
        sign = 1 if self.metric.greater_is_better else -1
        bounds = (difference.low, difference.high)
        ends = sorted(sign * bound for bound in bounds if bound is not None)
        low, high = ends if ends else (None, None)
        width = high - low if low is not None and high is not None else None
        wording = {
            "difference": shown(sign * difference.value, width),
            "low": shown(low, width),
            "high": shown(high, width),
        }
        return Sentence(key=key, values={"a": a, "b": b, "n": len(self.target), **wording})


def _network_against(table: _Table, network: str, baselines: Mapping[str, np.ndarray]) -> Sentence:
    rival = table.best(baselines)
    difference = table.compare(network, rival)
    if difference.better == "b":
        return table.sentence("evaluate.verdict_baseline_better", rival, network)
    if difference.better is None:
        leader = table.best((network, rival))
        return table.sentence("evaluate.verdict_network_equal", leader, rival if leader == network else network)
    if all(table.compare(network, name).better == "a" for name in baselines):
        return table.sentence("evaluate.verdict_network_better", network, rival)
    return table.sentence("evaluate.verdict_network_better_than_one", network, rival)


def _first_and_second(table: _Table, best: str, second: str) -> Sentence:
    if table.compare(best, second).better == "a":
        return table.sentence("evaluate.verdict_first_better", best, second)
    return table.sentence("evaluate.verdict_first_equal", best, second)


def _bundle_by_loss(table: _Table, best: str, chosen: str) -> Sentence:
    """Another member leads by the metric, which may be luck, and the chosen one has the smaller loss."""
    if table.answers[best].ndim == 2:
        return table.sentence("evaluate.verdict_bundle_log_loss", best, chosen)
    return table.sentence("evaluate.verdict_bundle_squares", best, chosen)


def _bundle_sentence(table: _Table, best: str, chosen: str, part: str, *, has_network: bool) -> Sentence:
    """has_network: a network stands beside the member in the bundle."""
    if chosen == best and has_network:
        return Sentence(key="evaluate.verdict_bundle_best_not_network", values={"chosen": chosen})
    if chosen == best:
        return Sentence(key="evaluate.verdict_bundle_best", values={"chosen": chosen})
    values = {"best": best, "chosen": chosen}
    if part == "test":
        return Sentence(key="evaluate.verdict_bundle_chosen_before", values=values)
    if table.compare(best, chosen).better == "a":
        return Sentence(key="evaluate.verdict_bundle_worse", values=values)
    return Sentence(key="evaluate.verdict_bundle_equal", values=values)


def _bounds(
    target: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    metric: Metric,
    value: float,
    weight: np.ndarray | None,
    seed: int,
) -> tuple[float | None, float | None]:
    n = len(target)
    if not np.isfinite(value) or n < 4:
        return None, None
    if np.array_equal(a, b):
        return 0.0, 0.0
    if isinstance(metric, Accuracy) and weight is None:
        return _bonett_price(a.argmax(axis=1) == target, b.argmax(axis=1) == target)
    if isinstance(metric, MeanMetric) and not isinstance(metric, Rmse) and weight is None:
        return _paired_t(metric.losses(target, a) - metric.losses(target, b))
    num_resamples = NUM_RESAMPLES if n <= MANY_ROWS and a.size <= 10 * MANY_ROWS else FEW_RESAMPLES
    of_a, of_b = weigher_of(metric, target, a), weigher_of(metric, target, b)
    each = 1.0 if weight is None else weight
    (draws,) = resample([lambda weights: of_a(weights * each) - of_b(weights * each)], n, num_resamples, seed)
    defined = draws[np.isfinite(draws)]
    if len(defined) < LEAST_DEFINED * len(draws):
        return None, None
    half = float(t_quantile(n - 1) * defined.std(ddof=1) * np.sqrt(n / (n - 1)))
    return value - half, value + half


def _bonett_price(right_a: np.ndarray, right_b: np.ndarray) -> tuple[float, float]:
    n = len(right_a)
    only_a = ((right_a & ~right_b).sum() + 1) / (n + 2)
    only_b = ((right_b & ~right_a).sum() + 1) / (n + 2)
    half = Z * np.sqrt((only_a + only_b - (only_a - only_b) ** 2) / (n + 2))
    return float(only_a - only_b - half), float(only_a - only_b + half)


def _paired_t(differences: np.ndarray) -> tuple[float, float]:
    n, mean = len(differences), float(differences.mean())
    half = float(t_quantile(n - 1) * differences.std(ddof=1) / np.sqrt(n))
    return mean - half, mean + half


def _can_differ(a: np.ndarray, b: np.ndarray, metric: Metric) -> bool:
    """Whether enough rows changed for a difference to be more than luck; ranks and losses change on every row."""
    changed = a.argmax(axis=1) != b.argmax(axis=1) if metric.decides else _rows_differ(a, b)
    return int(changed.sum()) >= LEAST_CHANGED


def _rows_differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a != b if a.ndim == 1 else (a != b).any(axis=1)
