"""The benchmark of image input: its claims can fail, its rate is a rate, and a smoke run."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import input as benchmark

ROOT = Path(__file__).resolve().parents[2]
RATES = {"map, crop and mirror": 30_000.0, "decode alone": 1_200.0, "ImageFolder by hand": 600.0}


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, [True, True, True]),
        ({"map, crop and mirror": 24_900.0}, [False, True, True]),
        ({"decode alone": 1_600.0}, [True, False, True]),
        ({"ImageFolder by hand": 800.0}, [True, True, False]),
    ],
)
def test_each_claim_is_held_to_its_bar(change: dict[str, float], holds: list[bool]) -> None:
    assert [each.holds for each in benchmark.claims({**RATES, **change})] == holds


def test_a_rate_is_the_best_round_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr(benchmark.time, "process_time", lambda: clock["now"])

    def work(epoch: int) -> int:
        clock["now"] += (0.1, 4.0, 2.0)[epoch]
        return 8

    assert benchmark.per_cpu_second({"it": work}, 2) == {"it": 4.0}


def test_an_augmented_image_is_a_standardised_crop() -> None:
    found = benchmark.augmented(benchmark.jpeg(0), np.random.default_rng(0))
    assert found.shape == (3, 224, 224) and found.dtype == np.float32 and -2.2 < found.min() < found.max() < 2.7


def test_a_smoke_run_measures_all_and_claims_nothing() -> None:
    command = [sys.executable, "benchmarks/input.py", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["claims"] == []
    assert done.stdout.count("images per CPU second") == 3
