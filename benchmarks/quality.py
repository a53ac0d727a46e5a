"""Test accuracy of the default line on public image sets, with the time it took beside it.

    python -m benchmarks.quality --data FOLDER --set mnist
    python -m benchmarks.quality --data FOLDER --all --work quality        goes on where it was stopped
    python -m benchmarks.quality --data FOLDER --set cifar10 --quality fast --train.threads 2

FOLDER holds mnist/ (four idx files), cifar10/ (train.parquet, test.parquet), sign_digits/sign_digits.zip and
hymenoptera/hymenoptera_320.zip. Every option of a recipe may follow; without one each set is learned with defaults but
for what `SETS` names. For each seed a run is made whole and its test part is looked at. Results are kept in --work:
a benchmark that was stopped goes on, a finished seed is not made again, an unfinished one is resumed.

The value of a claim is the mean over the seeds of the shipped bundle's test accuracy; its note has each seed's, the
95 % interval of the first on the test rows, the seconds of training and of the whole run, and the device.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from benchmarks.claims import Claim, at_least, at_most, finish, unmeasured
from deepwright import parts
from deepwright.core.flags import apply_flags
from deepwright.core.recipe import Recipe
from deepwright.data.arrays import read_array
from deepwright.practice.origin import begun_with
from deepwright.practice.run import practise
from deepwright.practice.show import quiet, terminal

MINUTES = 30.0
"""A set takes no longer, with all its seeds."""
LABELS = 1000


@dataclass(frozen=True)
class Set:
    """path: below the folder of the data. bar: test accuracy. minutes: of a seed's whole run, where that is bound.
    begins_with: the set whose first seed gives the weights that learning begins with. beside: what the figure is read
    beside."""

    path: str
    bar: float | None
    minutes: float | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    begins_with: str | None = None
    beside: str | None = None


def on_gpu(*, epochs: int) -> dict[str, Any]:
    """A ResNet-18 that learns for so many epochs, however many steps they are, on a GPU."""
    train = {"device": "cuda", "epochs": epochs, "least_steps": None, "most_steps": None}
    return {"network": {"kind": "resnet", "depth": 18}, "train": train}


SETS = {
    "mnist": Set("mnist", 0.994, minutes=12),
    "mnist-1000": Set("mnist", 0.970),
    "cifar10": Set(
        "cifar10",
        0.85,
        recipe={
            "network": {"kind": "resnet", "depth": 8},
            "quality": "best",
            "split": {"kind": "random", "train": 0.9, "validation": 0.1, "test": 0.0},
            "train": {"most_steps": 40_000},
        },
        beside="of 50,000 images 45,000 teach; answers by as many views as validation says",
    ),
    "sign_digits": Set("sign_digits/sign_digits.zip", 0.97),
    "hymenoptera": Set("hymenoptera/hymenoptera_320.zip", None),
    "hymenoptera-transfer": Set("hymenoptera/hymenoptera_320.zip", None, begins_with="cifar10"),
    "cifar10-gpu": Set("cifar10", 0.95, recipe=on_gpu(epochs=100)),
    "cifar10-gpu-fast": Set(
        "cifar10", 0.94, recipe=on_gpu(epochs=15), beside="airbench: .94 in 2.6 s on an A100 (Jordan 2024)"
    ),
}
"""The 78,000-weight ResNet of CIFAR-10 has a published accuracy of .85 at any budget (MLPerf Tiny: 500 epochs of all
50,000 images)."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--set", choices=SETS)
    chosen.add_argument("--all", action="store_true")
    parser.add_argument("--seeds", type=int, default=3, choices=range(1, 101), metavar="1..100")
    parser.add_argument("--work", type=Path, default=Path("quality"), help="folder of the runs and results")
    parser.add_argument(
        "--base", type=Path, metavar="RUN", help="of a transfer: a trained run, instead of training one"
    )
    parser.add_argument("--budget", type=float, metavar="MINUTES", help="of training a seed; none: all epochs")
    parser.add_argument("--show", action="store_true", help="show every run as it goes")
    given, rest = parser.parse_known_args()
    flags = flags_of(parser, rest)
    parts.load_installed()
    os.environ["DEEPWRIGHT_HOME"] = str((given.work / "home").absolute())
    claims: list[Claim] = []
    for name in SETS if given.all else [given.set]:
        if needs_gpu(name) and not torch.cuda.is_available():
            claim = Claim(f"{name}: test accuracy", None, f">= {SETS[name].bar}", None)
            claims.append(unmeasured(claim, "NOT RUN: no CUDA device here"))
            continue
        results = [judged(name, seed, flags, given) for seed in range(given.seeds)]
        claims += claims_of(name, results)
    return finish(claims, device=device(), budget_minutes=given.budget, options=dict(flags), seeds=given.seeds)


def flags_of(parser: argparse.ArgumentParser, rest: list[str]) -> list[tuple[str, str]]:
    """The recipe's options among the arguments: `--train.epochs 3`.

    >>> flags_of(argparse.ArgumentParser(), ["--train.epochs", "3"])
    [('train.epochs', '3')]
    """
    if len(rest) % 2 or any(not name.startswith("--") for name in rest[::2]):
        parser.error(f"options of the recipe are pairs, as --train.epochs 3; found {' '.join(rest)}")
    return [(name[2:], value) for name, value in zip(rest[::2], rest[1::2], strict=True)]


def judged(name: str, seed: int, flags: list[tuple[str, str]], given: argparse.Namespace) -> dict[str, Any]:
    """What one seed came to, from the results kept or from a run that is made or gone on with now."""
    path = source_path(name, given.data, given.work, seed)
    plain = {"source": {"kind": "images", "path": str(path)}, **SETS[name].recipe, "seed": seed}
    if base := SETS[name].begins_with:
        own = [(option, value) for option, value in flags if not option.startswith("transfer.")]
        weights = str(given.base) if given.base else judged(base, 0, own, given)["run"]
        plain = begun_with({**plain, "transfer": {"path": weights}}, weights)
    recipe = Recipe.parse(apply_flags(plain, flags))
    results = given.work / "results.jsonl"
    key = f"{name} {seed} {recipe.hash} {given.budget}"
    kept = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    for entry in kept:
        if entry["key"] == key:
            return dict(entry)
    started = time.monotonic()
    run = practise(
        recipe, runs=given.work / "runs", final=True, reason=f"seed {seed} of the benchmark",
        budget_s=None if given.budget is None else given.budget * 60, show=terminal() if given.show else quiet,
    )  # fmt: skip
    report = run.report
    members = {member: report.number("accuracy", "test", member).value for member in report.members}
    number = report.number("accuracy", "test", report.chosen)
    entry = {
        "key": key, "set": name, "seed": seed, "accuracy": number.value, "low": number.low, "high": number.high,
        "n": number.n, "shipped": report.chosen, "members": members, "run": str(run.folder),
        "training_s": round(float(report.environment["network"]["seconds"]), 1),
        "epochs": len(report.history), "weights": report.environment["network"]["weights"],
        "threads": report.environment["network"]["threads"], "run_s": round(time.monotonic() - started, 1),
        "device": device(name),
    }  # fmt: skip
    given.work.mkdir(parents=True, exist_ok=True)
    with results.open("a") as file:
        file.write(json.dumps(entry) + "\n")
    print(f"{name} seed {seed}: {line_of(entry)}", flush=True)
    return entry


def source_path(name: str, data: Path, work: Path, seed: int) -> Path:
    """Where a set's images are; 1,000 labels are drawn by the seed, 100 of each digit, into a file of their own."""
    path = data / SETS[name].path
    if name != "mnist-1000":
        return path
    drawn = work / f"mnist-1000-{seed}.npz"
    if not drawn.exists():
        arrays = {
            part: [read_array(path / f"{word}-{kind}-ubyte.gz", "") for kind in ("images-idx3", "labels-idx1")]
            for part, word in (("train", "train"), ("test", "t10k"))
        }
        images, labels = arrays["train"]
        order = np.random.default_rng(seed).permutation(len(labels))
        rows = np.sort(np.concatenate([order[labels[order] == digit][: LABELS // 10] for digit in range(10)]))
        work.mkdir(parents=True, exist_ok=True)
        test_images, test_labels = arrays["test"]
        np.savez_compressed(drawn, x_train=images[rows], y_train=labels[rows], x_test=test_images, y_test=test_labels)
    return drawn


def claims_of(name: str, results: list[dict[str, Any]]) -> list[Claim]:
    """The accuracy, and the minutes where they are bound."""
    case = SETS[name]
    mean = float(np.mean([entry["accuracy"] for entry in results]))
    alone = [
        f"{member} alone {np.mean([entry['members'][member] for entry in results]):.4f}"
        for member in ("network", "scratch") if all(member in entry["members"] for entry in results)
    ]  # fmt: skip
    note = "; ".join([device(name), *([case.beside] if case.beside else []), *alone, *map(line_of, results)])
    what = f"{name}: test accuracy, mean of {len(results)} seeds"
    claim = Claim(what, round(mean, 4), "an interval", True) if case.bar is None else at_least(what, mean, case.bar, "")
    found = [Claim(claim.name, claim.value, claim.bar, claim.holds, note)]
    minutes = max(entry["run_s"] for entry in results) / 60
    if case.minutes is not None:
        found.append(at_most(f"{name}: minutes of the longest run", minutes, case.minutes, "min"))
    total = sum(entry["run_s"] for entry in results) / 60
    return [*found, at_most(f"{name}: minutes of all seeds", total, MINUTES, "min")]


def needs_gpu(name: str) -> bool:
    return name in SETS and SETS[name].recipe.get("train", {}).get("device") == "cuda"


def line_of(entry: dict[str, Any]) -> str:
    return (
        f"{entry['accuracy']:.4f} ({entry['low']:.4f} to {entry['high']:.4f}, n = {entry['n']}) by {entry['shipped']}, "
        f"{entry['weights']} weights, {entry['epochs']} epochs, trained {entry['training_s']:.0f} s, "
        f"in all {entry['run_s']:.0f} s"
    )


def device(name: str = "") -> str:
    """What the runs of a set learned on."""
    return torch.cuda.get_device_name() if needs_gpu(name) else f"cpu, {psutil.cpu_count(logical=True)} cores"


if __name__ == "__main__":
    sys.exit(main())
