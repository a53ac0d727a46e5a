"""A comparison of several contestants on the same rows: every metric's differences, and what they say in words."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np

from deepwright.core.families import Metric
from deepwright.core.report import Sentence
from deepwright.core.text import text
from deepwright.evaluation.differences import Pair, differences
from deepwright.evaluation.draws import Dependence
from deepwright.evaluation.lines import aligned
from deepwright.evaluation.wording import METHODS, count, metric_label, part_label, shown, with_interval


@dataclass(frozen=True)
class Contestant:
    """answer: probability [N, K] or value [N]; decided: the same as metrics of the class answered see it. favoured:
    names of the metrics that a choice on these very rows made optimistic."""

    name: str
    answer: np.ndarray
    decided: np.ndarray
    favoured: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Compared:
    """b's metric minus a's; low and high hold together with those of all other comparisons, with 95 %."""

    metric: str
    a: str
    b: str
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    greater_is_better: bool
    better: str | None
    optimistic: bool


@dataclass(frozen=True)
class Comparison:
    """values: contestant > metric > value. looks: run > how often its test part was seen. left_out: rows that not all
    contestants have. drawn: how rows were drawn: rows, groups, blocks of moments, or both."""

    part: Literal["validation", "test"]
    rows: int
    left_out: int
    metric: str
    contestants: tuple[str, ...]
    values: dict[str, dict[str, float | None]]
    compared: tuple[Compared, ...]
    verdict: tuple[Sentence, ...]
    looks: dict[str, int]
    drawn: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """What `--json` prints."""
        plain = asdict(self)
        return {**plain, "verdict": [sentence.text for sentence in self.verdict]}


def compare_contestants(
    target: np.ndarray,
    contestants: Sequence[Contestant],
    metrics: Sequence[Metric],
    *,
    part: Literal["validation", "test"],
    looks: Mapping[str, int],
    left_out: int = 0,
    weight: np.ndarray | None = None,
    dependence: Dependence | None = None,
    seed: int = 0,
) -> Comparison:
    """Every pair of contestants by every metric, the main one first. Shapes as in `Metric.value`."""
    duels = [(metric, a, b) for metric in metrics for a, b in combinations(contestants, 2)]
    pairs = [Pair(metric, (_seen(b, metric),), (_seen(a, metric),)) for metric, a, b in duels]
    found = differences(target, pairs, weight=weight, dependence=dependence, seed=seed)
    compared = tuple(
        Compared(
            metric=metric.name,
            a=a.name,
            b=b.name,
            value=difference.value if np.isfinite(difference.value) else None,
            low=difference.low,
            high=difference.high,
            p=difference.p,
            n=difference.n,
            greater_is_better=metric.greater_is_better,
            better={"a": b.name, "b": a.name, None: None}[difference.better],
            optimistic=metric.name in a.favoured | b.favoured,
        )
        for (metric, a, b), difference in zip(duels, found, strict=True)
    )
    values = {
        each.name: {m.name: _plain(m.value(target, _seen(each, m), weight)) for m in metrics} for each in contestants
    }
    ways = {"groups": dependence and dependence.group, "blocks": dependence and dependence.moment}
    return Comparison(
        part=part,
        rows=len(target),
        left_out=left_out,
        metric=metrics[0].name,
        contestants=tuple(each.name for each in contestants),
        values=values,
        compared=compared,
        verdict=_verdict(compared, values, metrics[0], part),
        looks=dict(looks),
        drawn=tuple(way for way, units in ways.items() if units is not None) or ("rows",),
    )


def comparison_lines(comparison: Comparison) -> list[str]:
    """The comparison in terminal lines: verdict, each metric's values and differences, how the test part stands."""
    lines = [sentence.text for sentence in comparison.verdict]
    head = text("compare.head", part=part_label(comparison.part), n=count(comparison.rows))
    rows = [["", "", text("compare.difference"), text("compare.better")]]
    for each in comparison.compared:
        mark = "°" if each.optimistic else ""
        figure = with_interval(each.value, each.low, each.high) + mark
        rows.append([metric_label(each.metric), f"{each.b} − {each.a}", figure, each.better or "–"])
    lines += ["", head, *aligned(rows), text("compare.together", count=num_judged(comparison.compared))]
    lines += [text(METHODS[f"bootstrap_{way}"]) for way in comparison.drawn if way != "rows"]
    if any(each.optimistic for each in comparison.compared):
        lines.append("° " + text("evaluate.optimistic"))
    if comparison.left_out:
        lines.append(text("compare.left_out", count=count(comparison.left_out)))
    return [*lines, *(text("compare.looks", run=run, looks=looks) for run, looks in comparison.looks.items())]


def num_judged(compared: Sequence[Compared]) -> int:
    """Comparisons that have an interval: an undefined metric has none, nor one that resampling cannot judge."""
    return sum(each.low is not None for each in compared)


def _verdict(
    compared: Sequence[Compared], values: Mapping[str, Mapping[str, float | None]], metric: Metric, part: str
) -> tuple[Sentence, ...]:
    main = [each for each in compared if each.metric == metric.name]
    sign = 1 if metric.greater_is_better else -1
    ranks = {name: -np.inf if (v := of[metric.name]) is None else sign * v for name, of in values.items()}
    best = max(ranks, key=lambda name: ranks[name])
    sentences = []
    for each in main:
        if best in (each.a, each.b):
            sentences.append(_sentence(each, best, sign))
    if len(main) > len(sentences):
        clear = sum(each.better is not None for each in main)
        sentences.append(Sentence(key="compare.among_pairs", values={"count": len(main), "clear": clear}))
    clear = sum(each.better is not None for each in compared)
    sentences.append(Sentence(key="compare.of_all", values={"count": num_judged(compared), "clear": clear}))
    if part == "validation":
        sentences.append(Sentence(key="compare.by_validation", values={}))
    return tuple(sentences)


def _sentence(each: Compared, best: str, sign: int) -> Sentence:
    """The best against another, written as how much better the best is."""
    other = each.a if best == each.b else each.b
    if each.value is None or each.low is None or each.high is None:
        return Sentence(key="compare.undefined", values={"a": best, "b": other, "metric": each.metric})
    turned = sign if best == each.b else -sign
    low, high = sorted((turned * each.low, turned * each.high))
    values = {
        "a": best,
        "b": other,
        "metric": metric_label(each.metric),
        "difference": shown(turned * each.value, high - low),
        "low": shown(low, high - low),
        "high": shown(high, high - low),
    }
    return Sentence(key="compare.better_by" if each.better == best else "compare.equal", values=values)


def _seen(contestant: Contestant, metric: Metric) -> np.ndarray:
    return contestant.decided if metric.decides else contestant.answer


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
