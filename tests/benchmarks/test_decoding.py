"""The benchmark of decoding: its claim can fail, both contestants give the same kind of image, and a smoke run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import decoding as benchmark
from benchmarks.input import jpeg

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("ours", "holds"), [([1.0, 1.1, 9.0], True), ([1.2, 1.2, 0.1], False)])
def test_the_claim_is_held_to_its_bar_by_the_median_round(ours: list[float], holds: bool) -> None:
    (claim,) = benchmark.claims({"Pillow": [1.0, 1.0, 1.0], "ours": ours})
    assert claim.holds is holds


def test_both_decode_to_the_same_pixels() -> None:
    one, other = benchmark.pillow(jpeg(0)), benchmark.ours(jpeg(0))
    assert one.shape == (224, 224, 3) and (one == other).all()


def test_a_smoke_run_measures_all_and_claims_nothing() -> None:
    command = [sys.executable, "benchmarks/decoding.py", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["claims"] == []
    assert done.stdout.count("images a second") == 4
