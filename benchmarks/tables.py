"""What each piece of the default network for tables earns, beside boosting: embeddings, members, average, schedule.

    python benchmarks/tables.py --data FOLDER                          every set and variant, an hour of one core
    python benchmarks/tables.py --data FOLDER --sets german pima --splits 5

FOLDER holds adult/adult-train.csv.gz, california_housing/housing.csv.gz and tabular_small/ with titanic.csv, german.csv
and pima-indians-diabetes.csv. Each number is of the validation part, the mean over splits: the network's epoch is
chosen there, boosting chooses nothing there. Adult's test file is not read.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims import Claim, at_least, at_most, finish
from deepwright import parts
from deepwright.core.recipe import Recipe
from deepwright.practice.run import practise

ADULT = (
    "age workclass fnlwgt education education-num marital-status occupation relationship race sex capital-gain "
    "capital-loss hours-per-week native-country income"
)

SETS: dict[str, dict[str, Any]] = {
    "adult": {"path": "adult/adult-train.csv.gz", "columns": ADULT.split(), "target": "income"},
    "california": {"path": "california_housing/housing.csv.gz", "target": "median_house_value"},
    "titanic": {"path": "tabular_small/titanic.csv", "target": "Survived"},
    "german": {"path": "tabular_small/german.csv", "columns": [f"c{n}" for n in range(21)], "target": "c20"},
    "pima": {"path": "tabular_small/pima-indians-diabetes.csv", "columns": [f"c{n}" for n in range(9)], "target": "c8"},
}

VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "numbers as they are": {"network": {"kind": "tabm", "number_embedding": "none"}},
    "numbers clipped": {"network": {"kind": "tabm", "number_embedding": "smooth_clip"}},
    "numbers as waves": {"network": {"kind": "tabm", "number_embedding": "periodic"}},
    "one member": {
        "network": {"kind": "mlp", "widths": [128, 128], "number_embedding": "piecewise_linear", "one_hot": 64},
        "train": {"optimizer": {"kind": "adamw", "lr": 0.006, "weight_decay": 0.03}, "batch_size": 128, "ema": 0.998},
    },
    "four members": {"network": {"kind": "tabm", "members": 4}},
    "no averaged weights": {"train": {"ema": None}},
    "constant rate": {"train": {"schedule": "constant"}},
    "mlp": {"network": "mlp"},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--splits", type=int, default=1, help="splits of each set, by the seeds 0, 1, ...")
    given = parser.parse_args()
    parts.load_installed()
    claims = []
    for name in given.sets:
        print(f"\n{name}, validation, mean over {given.splits} splits", flush=True)
        for variant in given.variants:
            found = [judged(given.data, name, variant, seed) for seed in range(given.splits)]
            mean = {key: float(np.mean([each[key] for each in found])) for key in found[0]}
            print(f"{variant:>22}  " + "  ".join(f"{key} {value:,.4f}" for key, value in mean.items()), flush=True)
            if variant == "default" and name in ("adult", "california"):
                claims.append(claim(name, mean))
    return finish(claims)


def claim(name: str, mean: dict[str, float]) -> Claim:
    if name == "adult":
        difference = mean["accuracy"] - mean["boosting accuracy"]
        return at_least("Adult: accuracy of the default network, less boosting's", difference, -0.006, "")
    return at_most("California: RMSE of the default network over boosting's", mean["rmse"] / mean["boosting rmse"], 1.0)


def judged(folder: Path, name: str, variant: str, seed: int) -> dict[str, float]:
    """The network's numbers, boosting's, and the seconds of training of one run, in a folder that is then removed."""
    options = dict(SETS[name])
    target = options.pop("target")
    source = {"kind": "table", **options, "path": str(folder / options["path"])}
    shape = {"kind": "random" if name in ("adult", "california") else "stratified", "seed": seed}
    changes = {"baselines": ["boosting"], "blend": False, **VARIANTS[variant]}
    recipe = Recipe.parse({"source": source, "target": target, "split": shape, **changes})
    with tempfile.TemporaryDirectory() as runs:
        report = practise(recipe, runs=Path(runs)).report
    kinds = ("rmse",) if report.problem == "regression" else ("accuracy", "auc", "log_loss")
    numbers = {f"{prefix}{kind}": value_of(report, kind, who) for prefix, who in BOTH for kind in kinds}
    return {**numbers, "seconds": report.environment["network"]["seconds"]}


BOTH = (("", "network"), ("boosting ", "boosting"))


def value_of(report: Any, kind: str, member: str) -> float:
    value = report.number(kind, "validation", member).value
    return float("nan") if value is None else value


if __name__ == "__main__":
    sys.exit(main())
