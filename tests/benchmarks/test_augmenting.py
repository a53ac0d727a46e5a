"""The benchmark of augmentation: a dear one is seen to be dear, and a smoke run."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import augmenting as benchmark
from deepwright.improve.augment_image import Augmenter
from deepwright.train.batch import Batch

ROOT = Path(__file__).resolve().parents[2]


def test_an_augmentation_that_takes_as_long_as_two_steps_is_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"ours": 2.0, "step": 1.0}
    monkeypatch.setattr(benchmark, "cpu_s", lambda work: seconds["step" if work.__name__ == "step" else "ours"])
    batch = Batch((torch.zeros(4, 32, 32, 3, dtype=torch.uint8),), torch.zeros(4, dtype=torch.int64))
    assert benchmark.share(Augmenter(("flip",)), batch, rounds=1) == 2.0


def test_a_smoke_run_measures_all_and_claims_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.augmenting", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "trivial_augment: " in done.stdout and '"claims": []' in done.stdout
