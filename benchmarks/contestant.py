"""One contestant on one workload in a process of its own; `benchmarks/training.py` starts it."""

import argparse
import importlib
import json
import os
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np

from benchmarks.clock import Clock
from benchmarks.contestants.job import Job
from benchmarks.machine import load
from benchmarks.workloads import WORKLOADS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module")
    parser.add_argument("workload")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    # JAX takes no number of threads; it counts the cores that the process may use when it is imported.
    if given.module == "jax_scan" or os.environ.get("KERAS_BACKEND") == "jax":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-given.threads :])
    contestant = importlib.import_module(f"benchmarks.contestants.{given.module}")
    workload = WORKLOADS[given.workload]
    inputs, target = workload.arrays(given.rows)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(
            workload, inputs, target.astype(np.int64), given.epochs, given.threads, given.device, Clock(given.device),
            Path(folder), given.bf16, given.compiled,
        )  # fmt: skip
        try:
            loss = contestant.run(job)
            told = {"laps": job.clock.records(), "loss": loss, "load": load(), "versions": _versions()}
        except LookupError as missing:
            told = {"missing": str(missing)}
    given.result.write_text(json.dumps(told))


def _versions() -> dict[str, str]:
    """Of every framework that took part; ours is the checkout's."""
    names = ("torch", "lightning", "transformers", "skorch", "fastai", "keras", "jax", "optax", "numpy")
    return {name: metadata.version(name) for name in names if name in sys.modules}


if __name__ == "__main__":
    main()
