"""The default network beside boosting on five regression sets with 20 fixed splits each.

    python benchmarks/uci.py --zip uci_regression.zip
    python benchmarks/uci.py --zip uci_regression.zip --sets yacht --splits 3

The zip holds SET/data.txt, index_features.txt, index_target.txt, index_train_K.txt and index_test_K.txt, as in
Hernandez-Lobato and Adams 2015, arXiv 1502.05336. A split's test rows are looked at once, by the run's own look, in a
workspace of its own. Both members learn on the same 7/8 of the training rows; the rest chooses the network's epoch.
"""

import argparse
import os
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from benchmarks.claims import at_least, finish
from deepwright import parts
from deepwright.core.recipe import Recipe
from deepwright.practice.run import practise

SETS = ("concrete", "energy", "power-plant", "wine-quality-red", "yacht")
MEMBERS = ("network", "boosting", "linear")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zip", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--splits", type=int, default=20, choices=range(1, 21), metavar="1..20")
    given = parser.parse_args()
    parts.load_installed()
    won = 0
    print(f"RMSE on the test rows, mean (standard error) over {given.splits} splits")
    with zipfile.ZipFile(given.zip) as archive:
        for name in given.sets:
            found = np.array([judged(archive, name, split) for split in range(given.splits)])
            means, errors = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found)) if len(found) > 1 else 0
            errors = np.broadcast_to(errors, means.shape)
            won += bool(means[0] <= means[1])
            cells = zip(MEMBERS, means, errors, strict=True)
            print(f"{name:>18}  " + "  ".join(f"{m} {v:.3f} ({e:.3f})" for m, v, e in cells), flush=True)
    bar = min(3, len(given.sets))
    return finish([at_least("sets on which the network is at or below boosting", won, bar, "sets")])


def judged(archive: zipfile.ZipFile, name: str, split: int) -> list[float]:
    """RMSE of each member on the test rows of one split."""
    import pandas as pd

    folder = next(each for each in archive.namelist() if each.endswith(f"{name}/data.txt"))[: -len("data.txt")]

    def numbers(file: str) -> np.ndarray:
        with archive.open(f"{folder}{file}.txt") as stream:
            return np.loadtxt(stream, ndmin=1)

    data = numbers("data")
    features, target = numbers("index_features").astype(int), int(numbers("index_target")[0])
    frame = pd.DataFrame(data[:, features], columns=[f"x{n}" for n in range(len(features))]).assign(y=data[:, target])
    train, test = (frame.iloc[numbers(f"index_{part}_{split}").astype(int)] for part in ("train", "test"))
    shares = {"kind": "random", "train": 7 / 8, "validation": 1 / 8, "test": 0.0}
    recipe = Recipe.parse(
        {
            "source": {"kind": "table"}, "target": "y", "problem": "regression", "split": shares, "blend": False,
            "baselines": ["linear", "boosting"], "allow": [{"rule": "overlap", "reason": "the splits are fixed"}],
        }
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as home:
        os.environ["DEEPWRIGHT_HOME"] = home
        run = practise(recipe, data=train, test=test, runs=Path(home) / "runs", final=True)
        report = run.report
    found = [report.number("rmse", "test", member).value for member in MEMBERS]
    return [float("nan") if value is None else value for value in found]


if __name__ == "__main__":
    sys.exit(main())
