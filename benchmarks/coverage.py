"""How often do our intervals hold the truth, and how often is one of two equals called better?

    python -m benchmarks.coverage                                  all sizes, 1,000 simulations each
    python -m benchmarks.coverage --sizes 200 --state part.json    a part, kept; the same call goes on where it stopped
    python -m benchmarks.coverage --quick                          a smoke run of a few simulations

Every registered metric is judged with its own defaults on rows of its problems: two and three classes, several labels,
values, and intervals of values. Rows are drawn each for itself, in groups of ten whose latent noise is shared by half,
or as a series whose latent noise is autoregressive (0.7). The truth is the metric of a million rows. Beside the
intervals that draw rows as they hang together stands the plain one as control, which must fail there.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims import Claim, at_least, at_most, finish
from deepwright import parts
from deepwright.core.errors import RecipeError
from deepwright.core.families import Metric
from deepwright.evaluation.differences import Pair, differences
from deepwright.evaluation.draws import Dependence
from deepwright.evaluation.interval import intervals

SIZES = (200, 1000, 5000)
STRUCTURES = ("rows", "groups", "series")
GROUP, SHARED, MEMORY = 10, 0.5, 0.7
MANY = 500_000
OPTIONS = {"mase": {"naive_error": 1.0}, "top_k_accuracy": {"k": 2}}
"""What a metric has to be told that learns from a training part, or whose default is for more classes."""
CONTROLS = 200
"""Simulations in which the plain interval is made too, where rows hang together."""
EXACT = frozenset({"wilson"})

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]
"""target, and the answers of two members that are equally good."""
Latent = Callable[..., np.ndarray]


def latent(draw: np.random.Generator, n: int, structure: str) -> Callable[[], np.ndarray]:
    """A function that gives standard normal noise [n], which hangs together as the structure says."""
    if structure == "rows":
        return lambda: draw.normal(size=n)
    if structure == "groups":
        return lambda: (
            np.sqrt(SHARED) * np.repeat(draw.normal(size=n // GROUP), GROUP) + np.sqrt(1 - SHARED) * draw.normal(size=n)
        )

    def series() -> np.ndarray:
        from scipy.signal import lfilter

        noise = draw.normal(size=n)
        noise[1:] *= np.sqrt(1 - MEMORY**2)  # the first value has the variance of all
        return np.asarray(lfilter([1.0], [1.0, -MEMORY], noise))

    return series


def two_classes(normal: Latent) -> Rows:
    """30 % of class 1; probabilities a little too sure."""
    target = (normal() < -0.5244).astype(np.int64)
    shared = normal()
    return target, *(_two(1.5 * target + np.sqrt(0.5) * (shared + normal())) for _ in range(2))


def _two(score: np.ndarray) -> np.ndarray:
    positive = 1 / (1 + np.exp(-1.4 * (1.5 * score - 1.125 - 0.8473)))
    return np.stack([1 - positive, positive], axis=1)


def three_classes(normal: Latent) -> Rows:
    """Classes of 50, 30 and 20 %."""
    target = np.digitize(normal(), [0.0, 0.8416])
    shared = [normal() for _ in range(3)]
    return target, *(_three(target, shared, normal) for _ in range(2))


def _three(target: np.ndarray, shared: list[np.ndarray], normal: Latent) -> np.ndarray:
    scores = np.stack([1.6 * (target == k) + np.sqrt(0.5) * (shared[k] + normal()) for k in range(3)], axis=1)
    powers = np.exp(1.8 * scores)
    return powers / powers.sum(axis=1, keepdims=True)


def several_labels(normal: Latent) -> Rows:
    """Four labels a row that go together somewhat."""
    common = normal()
    target = np.stack([np.sqrt(0.3) * common + np.sqrt(0.7) * normal() < cut for cut in (-0.8, -0.3, 0.0, 0.4)], axis=1)
    shared = normal()
    return target, *(_labels(target, shared, normal) for _ in range(2))


def _labels(target: np.ndarray, shared: np.ndarray, normal: Latent) -> np.ndarray:
    noise = np.stack([np.sqrt(0.5) * (shared + normal()) for _ in range(target.shape[1])], axis=1)
    return 1 / (1 + np.exp(-2.2 * (1.6 * (target - 0.5) + noise)))


def values(normal: Latent) -> Rows:
    """Values around 10 of which answers explain two thirds."""
    mean, shared = 10 + normal(), normal()
    return mean + 0.7 * normal(), *(mean + 0.3 * (shared + normal()) for _ in range(2))


def ranges(normal: Latent) -> Rows:
    """Values, and intervals around them that hold about nine in ten."""
    target, *answers = values(normal)
    return target, *(np.stack([a - 1.2 - 0.3 * normal() ** 2, a + 1.2 + 0.3 * normal() ** 2], axis=1) for a in answers)


SOURCES: dict[str, tuple[str, Callable[[Latent], Rows]]] = {
    "two classes": ("classification", two_classes),
    "three classes": ("classification", three_classes),
    "labels": ("multi-label", several_labels),
    "values": ("regression", values),
    "ranges": ("", ranges),
}


def truths_of(source: str, state: "State") -> dict[Metric, float]:
    """Every registered metric of the source's problem (those of no problem are of intervals) with its value on very
    many independent rows, the mean of two draws. Left out is a metric that refuses such rows."""
    problem, make = SOURCES[source]
    metrics = [
        Metric.parse({"kind": kind, **OPTIONS.get(kind, {})})
        for kind, part in sorted(Metric.kinds.items())
        if ((problem in part.problems) if problem else not part.problems)
    ]
    known = state.truths.setdefault(source, {})
    draws: list[Rows] = []
    for metric in metrics:
        if metric.name not in known:
            draws = draws or [make(latent(np.random.default_rng((99, i)), MANY, "rows")) for i in range(2)]
            try:
                values = [metric.value(target, answer) for target, answer, _ in draws]
            except RecipeError as refused:
                print(f"left out, {source}: {refused}")
                continue
            known[metric.name] = float(np.mean(values))
    return {metric: known[metric.name] for metric in metrics if metric.name in known}


def dependence_of(structure: str, n: int) -> Dependence | None:
    if structure == "rows":
        return None
    return (
        Dependence(group=np.repeat(np.arange(n // GROUP), GROUP))
        if structure == "groups"
        else Dependence(moment=np.arange(n))
    )


class State:
    """Counts by cell and truths by source, kept in a file after each batch, so that a long run may be cut into short
    ones."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        kept = json.loads(path.read_text()) if path and path.exists() else {"counts": {}, "truths": {}}
        self.counts: dict[str, dict[str, int]] = kept["counts"]
        self.truths: dict[str, dict[str, float]] = kept["truths"]

    def add(self, cell: str, **counted: int) -> None:
        kept = self.counts.setdefault(cell, {})
        for key, number in counted.items():
            kept[key] = kept.get(key, 0) + number

    def keep(self) -> None:
        if self.path is not None:
            self.path.write_text(json.dumps({"counts": self.counts, "truths": self.truths}, sort_keys=True))


def simulate(
    state: State, truths: dict[Metric, float], source: str, structure: str, n: int, sims: int, until: float
) -> None:
    """Simulations that are not done yet: coverage of each metric's interval, and whether one of two equals wins."""
    key, together = f"{structure}|{n}|{source}", dependence_of(structure, n)
    truth = {metric.name: value for metric, value in truths.items()}
    metrics = list(truths)
    for number in range(state.counts.get(key, {}).get("sims", 0), sims):
        if time.monotonic() > until:
            break
        normal = latent(np.random.default_rng((n, STRUCTURES.index(structure), number)), n, structure)
        target, first, second = SOURCES[source][1](normal)
        bounds = intervals(metrics, target, first, dependence=together, seed=number)
        is_controlled = together is not None and number < CONTROLS
        plain = intervals(metrics, target, first, seed=number) if is_controlled else bounds
        equals = [Pair(metric, (first,), (second,)) for metric in metrics]
        duels = differences(target, equals, dependence=together, is_family=False, seed=number)
        for metric, (low, high, method), control, duel in zip(metrics, bounds, plain, duels, strict=True):
            counted = {"trials": 1, "better": int(duel.better is not None)}
            if low is None or high is None:
                counted["none"] = 1
            else:
                counted["exact"] = int(method in EXACT)
                counted["covered"] = int(low <= truth[metric.name] <= high)
            if is_controlled and control[0] is not None and control[1] is not None:
                counted |= {"controls": 1, "control": int(control[0] <= truth[metric.name] <= control[1])}
            state.add(f"{key}|{metric.name}", **counted)
        state.add(key, sims=1)
    state.keep()


def tables(state: State) -> list[dict[str, Any]]:
    """One row a cell: coverage, coverage of the control, share of equals called better."""
    rows = []
    for cell, counts in sorted(state.counts.items()):
        structure, n, source, *metric = cell.split("|")
        given = counts.get("trials", 0) - counts.get("none", 0)
        if metric:
            rows.append({
                "structure": structure, "n": int(n), "source": source, "metric": metric[0],
                "trials": counts["trials"], "given": given, "is_exact": counts.get("exact", 0) > given / 2,
                "coverage": counts.get("covered", 0) / given if given else None,
                "control": counts["control"] / counts["controls"] if "controls" in counts else None,
                "better": counts.get("better", 0) / given if given else None,
            })  # fmt: skip
    return rows


def claims_of(rows: list[dict[str, Any]]) -> list[Claim]:
    """For each structure and size the metric that is worst; a metric without intervals makes no claim."""
    found = []
    for structure, n in dict.fromkeys((row["structure"], row["n"]) for row in rows if row["given"]):
        here = [r for r in rows if (r["structure"], r["n"]) == (structure, n) and r["given"]]
        for is_exact, name, high in ((False, "bootstrap", 0.97), (True, "exact", 0.99)):
            some = [r for r in here if r["is_exact"] == is_exact]
            if not some:
                continue
            low, top = min(some, key=_coverage), max(some, key=_coverage)
            for worst, bar in ((low, at_least), (top, at_most)):
                word, limit = ("lowest", 0.93) if bar is at_least else ("highest", high)
                what = f"{word} coverage, {name}, {structure}, n = {n} ({worst['metric']}, {worst['source']})"
                found.append(bar(what, _coverage(worst), limit, ""))
        worst = max(here, key=lambda r: r["better"])
        what = f"equals called better, {structure}, n = {n} ({worst['metric']}, {worst['source']})"
        found.append(at_most(what, worst["better"], 0.065, ""))
        controlled = [r for r in here if r["control"] is not None]
        if structure != "rows" and controlled:
            control = min(controlled, key=lambda r: r["control"])
            what = f"control: lowest coverage of plain intervals, {structure}, n = {n} ({control['metric']})"
            found.append(at_most(what, control["control"], 0.9, ""))
    return found


def _coverage(row: dict[str, Any]) -> float:
    return float(row["coverage"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--structures", nargs="+", choices=STRUCTURES, default=list(STRUCTURES))
    parser.add_argument("--sources", nargs="+", choices=list(SOURCES), default=list(SOURCES))
    parser.add_argument("--sims", type=int, default=1000)
    parser.add_argument("--state", type=Path, help="keep the counts in this file and go on from them")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop simulating after so long")
    parser.add_argument("--quick", action="store_true", help="20 simulations of 200 rows; nothing is claimed")
    given = parser.parse_args()
    parts.load_installed()
    state, until = State(given.state), time.monotonic() + given.seconds
    sizes, sims = ([200], 20) if given.quick else (given.sizes, given.sims)
    for source in given.sources:
        truths = truths_of(source, state)
        for n in sizes:
            for structure in given.structures:
                if time.monotonic() < until:
                    simulate(state, truths, source, structure, n, sims, until)
    rows = tables(state)
    print(f"{'structure':9} {'n':>5} {'source':13} {'metric':24} {'sims':>5} {'cover':>6} {'plain':>6} {'better':>6}")
    for r in rows:
        figures = " ".join(f"{'-' if v is None else f'{v:.3f}':>6}" for v in (r["coverage"], r["control"], r["better"]))
        exact = "*" if r["is_exact"] else " "
        print(f"{r['structure']:9} {r['n']:5} {r['source']:13} {r['metric']:23}{exact} {r['trials']:5} {figures}")
    return finish([] if given.quick else claims_of(rows), cells=rows)


if __name__ == "__main__":
    sys.exit(main())
