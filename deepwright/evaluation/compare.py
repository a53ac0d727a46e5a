"""Which of several members is better on the same rows, and by how much."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from deepwright.core.families import Metric
from deepwright.core.report import Sentence
from deepwright.evaluation.classify import LogLoss
from deepwright.evaluation.differences import Difference, Pair, differences, paired
from deepwright.evaluation.draws import Dependence
from deepwright.evaluation.regress import Mse
from deepwright.evaluation.wording import shown


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
    dependence: Dependence | None = None,
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
        if paired(target, judged[best], judged[name], metric, weight=weight, dependence=dependence, seed=seed).better
        is None
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
    scratch: str = "scratch",
    weight: np.ndarray | None = None,
    dependence: Dependence | None = None,
    further: Sequence[Mapping[str, np.ndarray]] = (),
    is_asked: bool = True,
    seed: int = 0,
) -> tuple[Sentence, ...]:
    """In plain words: does anything beat the constant, does the network beat the baselines, what does the bundle hold.

    answers: each member's answers on the same rows of one part; chosen: the member in the bundle. Members are chosen on
    validation, so on test another one may well lead. is_asked: the recipe names the member that ships. dependence:
    which rows hang together. further: the members' answers with further training seeds; what is then compared is each
    member's mean over the seeds, and their spread is in the interval.
    """
    table = _Table(target, answers, metric, weight, dependence, further, seed)
    best = table.best(answers)
    sentences = []
    if constant in answers and best != constant and table.compare(best, constant).better != "a":
        sentences.append(table.sentence("evaluate.verdict_not_above_constant", best, constant))
    elif constant == best and len(answers) > 1:
        sentences.append(Sentence(key="evaluate.verdict_constant_is_best", values={"constant": constant}))
    baselines = {name: answer for name, answer in answers.items() if name not in (network, blend, scratch)}
    if network in answers and baselines:
        sentences.append(_network_against(table, network, baselines))
    elif len(answers) > 1:
        second = table.best([name for name in answers if name != best])
        sentences.append(_first_and_second(table, best, second))
    if network in answers and scratch in answers:
        sentences.append(_against_scratch(table, network, scratch))
    if best == blend:
        second = table.best([name for name in answers if name != blend])
        sentences.append(table.sentence("evaluate.verdict_blend", blend, second))
    if further:
        sentences.append(Sentence(key="evaluate.verdict_over_seeds", values={"seeds": len(further) + 1}))
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
        dependence: Dependence | None,
        further: Sequence[Mapping[str, np.ndarray]],
        seed: int,
    ) -> None:
        self.target, self.answers, self.metric, self.weight, self.seed = target, answers, metric, weight, seed
        self.dependence, self.further = dependence, further
        self._made: dict[tuple[str, str], Difference] = {}

    def best(self, names: Iterable[str]) -> str:
        """The member with the best value, of the mean over seeds; of equals the first."""
        values = {name: float(np.mean([self._value(answer) for answer in self.over_seeds(name)])) for name in names}
        sign = 1 if self.metric.greater_is_better else -1
        return max(values, key=lambda name: sign * values[name] if np.isfinite(values[name]) else -np.inf)

    def over_seeds(self, name: str) -> tuple[np.ndarray, ...]:
        """A member's answers, one array a seed; one alone where no seed changes them."""
        first, *others = [self.answers[name], *(of[name] for of in self.further if name in of)]
        return (first,) if all(np.array_equal(first, other) for other in others) else (first, *others)

    def compare(self, a: str, b: str) -> Difference:
        if (a, b) not in self._made:
            pair = Pair(self.metric, self.over_seeds(a), self.over_seeds(b))
            self._made[a, b], *_ = differences(
                self.target, [pair], weight=self.weight, dependence=self.dependence, seed=self.seed
            )
        return self._made[a, b]

    def _value(self, answer: np.ndarray) -> float:
        return self.metric.value(self.target, answer, self.weight)

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
    if difference.value == 0.0:
        return table.sentence("evaluate.verdict_network_same", network, rival)
    if difference.better is None:
        leader = table.best((network, rival))
        return table.sentence("evaluate.verdict_network_equal", leader, rival if leader == network else network)
    if all(table.compare(network, name).better == "a" for name in baselines):
        return table.sentence("evaluate.verdict_network_better", network, rival)
    return table.sentence("evaluate.verdict_network_better_than_one", network, rival)


def _against_scratch(table: _Table, network: str, scratch: str) -> Sentence:
    """What the weights were worth that the network began with."""
    better = table.compare(network, scratch).better
    if better is None:
        return table.sentence("evaluate.verdict_transfer_equal", *_in_order(table, network, scratch))
    if better == "a":
        return table.sentence("evaluate.verdict_transfer_better", network, scratch)
    return table.sentence("evaluate.verdict_transfer_worse", scratch, network)


def _in_order(table: _Table, *names: str) -> tuple[str, str]:
    leader = table.best(names)
    return leader, next(name for name in names if name != leader)


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
