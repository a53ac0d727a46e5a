"""Claim: intervals and sets hold the truth as often as they say; without the correction for few rows they do not.

    python -m benchmarks.conformal                                      # simulations, 1,000 of each
    python -m benchmarks.conformal --tables housing.csv=median_house_value --seeds 5

Each simulation draws calibration rows and 200 new ones, calibrates, and counts how many new truths lie inside. Values
have errors whose size differs from row to row; classes are drawn from probabilities of which the most likely is right
in about half of the rows, once as they are and once made too sure; of labels all must lie inside. Beside it two faults:
the plain quantile in place of the corrected one, and calibration on rows that the model learned. With `--tables`
boosting learns each table at its default split, and absolute and scaled intervals are compared on validation rows, on
which boosting chooses nothing.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.claims import Claim, at_least, at_most, finish
from deepwright.core.families import Sets
from deepwright.evaluation.conformal import Absolute, Aps, Labels, Lac, Raps, Scaled

LEVEL, NEW_ROWS, MOST_OFF = 0.9, 200, 0.015
SIZES = (20, 100, 1000)


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--runs", type=int, default=1000, help="simulations of each kind")
    given.add_argument("--tables", nargs="*", default=(), metavar="FILE=TARGET", help="tables to compare widths on")
    given.add_argument("--seeds", type=int, default=5, help="splits of each table")
    asked = given.parse_args()
    started = time.monotonic()
    for table in asked.tables:
        compare(*table.split("="), seeds=asked.seeds)
    if asked.tables:
        return 0
    runs = asked.runs
    claims = [
        at_most(f"{name}, {rows} calibration rows: coverage off {LEVEL}", off(simulated, rows, runs), MOST_OFF, "")
        for name, simulated in SIMULATIONS.items()
        for rows in SIZES
    ]
    claims += [fault("the plain quantile of 20 rows", plain_quantile, 20, runs)]
    claims += [fault("calibration on the rows that were learned", learned_rows, 100, runs)]
    return finish(claims, runs=runs, seconds=round(time.monotonic() - started, 1))


def off(simulated: Callable[[np.random.Generator, int], float], rows: int, runs: int) -> float:
    """How far the mean coverage of new rows lies from the level."""
    found = [simulated(np.random.default_rng([seed, rows]), rows) for seed in range(runs)]
    return abs(float(np.mean(found)) - LEVEL)


def fault(name: str, simulated: Callable[[np.random.Generator, int], float], rows: int, runs: int) -> Claim:
    return at_least(f"planted, {name}: coverage off {LEVEL}", off(simulated, rows, runs), MOST_OFF, "")


def values(draw: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, answer and a rough scale, of which the errors' true size is known up to a factor."""
    scale = np.exp(draw.normal(size=rows))
    return scale * draw.standard_t(4, size=rows), np.zeros(rows), scale * np.exp(0.3 * draw.normal(size=rows))


def absolute(draw: np.random.Generator, rows: int) -> float:
    target, value, _ = values(draw, rows + NEW_ROWS)
    conformal = Absolute(level=LEVEL).calibrate(target[:rows], value[:rows])
    return inside(target[rows:], conformal.interval(value[rows:], None))


def scaled(draw: np.random.Generator, rows: int) -> float:
    target, value, scale = values(draw, rows + NEW_ROWS)
    conformal = Scaled(level=LEVEL).calibrate(target[:rows], value[:rows], scale[:rows])
    return inside(target[rows:], conformal.interval(value[rows:], scale[rows:]))


def inside(target: np.ndarray, ends: np.ndarray) -> float:
    return float(((ends[:, 0] <= target) & (target <= ends[:, 1])).mean())


def classes(part: Sets, sureness: float) -> Callable[[np.random.Generator, int], float]:
    def simulated(draw: np.random.Generator, rows: int) -> float:
        true = draw.dirichlet(np.full(6, 0.5), rows + NEW_ROWS)
        target = (draw.random(len(true))[:, None] > true.cumsum(axis=1)[:, :-1]).sum(axis=1)
        stated = (true + 1e-12) ** sureness
        stated /= stated.sum(axis=1, keepdims=True)
        conformal = part.calibrate(target[:rows], stated[:rows])
        return float(conformal.sets(stated[rows:])[np.arange(NEW_ROWS), target[rows:]].mean())

    return simulated


def labels(draw: np.random.Generator, rows: int) -> float:
    """Six labels a row that share a cause, each stated too surely."""
    cause = draw.normal(size=(rows + NEW_ROWS, 1))
    score = cause + draw.normal(size=(rows + NEW_ROWS, 6)) - 1
    target = draw.random(score.shape) < 1 / (1 + np.exp(-score))
    stated = 1 / (1 + np.exp(-3 * score))
    conformal = Labels(level=LEVEL).calibrate(target[:rows], stated[:rows])
    return 1 - float((target[rows:] & ~conformal.sets(stated[rows:])).any(axis=1).mean())


def plain_quantile(draw: np.random.Generator, rows: int) -> float:
    """The fault: the level's quantile of the scores, as if there were endlessly many."""
    target, value, _ = values(draw, rows + NEW_ROWS)
    bound = np.quantile(np.abs(target[:rows] - value[:rows]), LEVEL)
    return float((np.abs(target[rows:] - value[rows:]) <= bound).mean())


def learned_rows(draw: np.random.Generator, rows: int) -> float:
    """The fault: the nearest training row answers, and the same rows calibrate, 20 times as many as inputs."""
    x, target = draw.normal(size=(rows + NEW_ROWS, rows // 20)), draw.normal(size=rows + NEW_ROWS)
    weights = np.linalg.lstsq(np.hstack([x[:rows], x[:rows] ** 2, x[:rows] ** 3]), target[:rows], rcond=None)[0]
    value = np.hstack([x, x**2, x**3]) @ weights
    conformal = Absolute(level=LEVEL).calibrate(target[:rows], value[:rows])
    return inside(target[rows:], conformal.interval(value[rows:], None))


SIMULATIONS: dict[str, Callable[[np.random.Generator, int], float]] = {
    "absolute": absolute,
    "scaled": scaled,
    "lac": classes(Lac(level=LEVEL), 1.0),
    "aps": classes(Aps(level=LEVEL), 1.0),
    "raps": classes(Raps(level=LEVEL), 1.0),
    "lac, too sure": classes(Lac(level=LEVEL), 3.0),
    "aps, too sure": classes(Aps(level=LEVEL), 3.0),
    "labels, too sure": labels,
}


def compare(path: str, target: str, *, seeds: int) -> None:
    """Coverage, mean width and coverage of the fifth of rows with the largest expected errors, of boosting."""
    from deepwright import parts
    from deepwright.core.families import Source
    from deepwright.core.recipe import Recipe
    from deepwright.data.collect import collect
    from deepwright.data.prepare import fit_prepare
    from deepwright.data.split import Random
    from deepwright.model.baselines import Boosting
    from deepwright.practice.conform import learn_scale
    from deepwright.practice.prepared import rows_of
    from deepwright.practice.run import split_rows
    from deepwright.practice.target import target_of

    parts.load_installed()
    rows = []
    for seed in range(seeds):
        source = Source.parse({"kind": "table", "path": path})
        recipe = Recipe(source=source, target=target, problem="regression", split=Random(seed=seed), seed=seed)
        split, _ = split_rows(recipe, collect(recipe))
        assert split.calibration is not None, f"{path} has too few rows"
        fitted, inputs = fit_prepare(split.train, recipe.prepare, Boosting.form)
        x = {
            data.part: rows_of(fitted, inputs, data.inputs)
            for data in (split.train, split.validation, split.calibration)
        }
        trees = Boosting().learn(x["train"], target_of(split.train), "regression", 1, seed)
        scale = learn_scale(recipe, split.train).trees
        answer = {part: trees.apply({"x": of})["value"] for part, of in x.items()}
        wide = {part: scale.apply({"x": of})["scale"] for part, of in x.items()}
        truth, calibration = target_of(split.validation), target_of(split.calibration)
        hard = wide["validation"] >= np.quantile(wide["validation"], 0.8)
        plain = Absolute(level=LEVEL).calibrate(calibration, answer["calibration"])
        fitting = Scaled(level=LEVEL).calibrate(calibration, answer["calibration"], wide["calibration"])
        for ends in (
            plain.interval(answer["validation"], None),
            fitting.interval(answer["validation"], wide["validation"]),
        ):
            beyond = np.maximum(ends[:, 0] - truth, 0) + np.maximum(truth - ends[:, 1], 0)
            width = ends[:, 1] - ends[:, 0]
            score = (width + 2 / (1 - LEVEL) * beyond).mean()
            rows.append([inside(truth, ends), inside(truth[hard], ends[hard]), width.mean(), score])
    table = np.array(rows).reshape(seeds, 2, 4).mean(axis=0)
    names = ("coverage", "of the hard fifth", "width", "interval score")
    for kind, line in zip(("absolute", "scaled"), table, strict=True):
        print(Path(path).stem, kind, ", ".join(f"{name} {value:.4g}" for name, value in zip(names, line, strict=True)))
    change = table[1] / table[0] - 1
    print(f"{Path(path).stem} scaled to absolute: width {change[2]:+.1%}, interval score {change[3]:+.1%}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
