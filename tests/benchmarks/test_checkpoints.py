"""The benchmark of checkpoints and events: where it puts the seconds, and a smoke run."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.checkpoints import Spent, shares
from deepwright.train.events import Event, Saved, Step

ROOT = Path(__file__).resolve().parents[2]
FOUND = {"total_s": 100.0, "checkpoints_s": 1.0, "consumers_s": 0.5, "events_s": 0.5}


class FakeTime:
    """A clock that moves only when it is told to."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


def test_the_seconds_before_a_saved_event_are_the_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    monkeypatch.setattr("benchmarks.checkpoints.time", clock)

    def events() -> Iterator[Event]:
        clock.now += 1.0
        yield Step(1, 1, 1, 2, 0.5)
        clock.now += 10.0
        yield Saved(1, "1.json", 10, 0.001)
        clock.now += 100.0
        yield Step(2, 1, 2, 2, 0.4)

    spent = Spent(events())
    for _ in spent.events():
        clock.now += 1000.0  # a consumer's
    assert (spent.saving_s, spent.inside_s) == (10.0, 111.0)


@pytest.mark.parametrize(
    ("change", "holds"),
    [({}, [True, True]), ({"checkpoints_s": 2.1}, [False, True]), ({"consumers_s": 1.6}, [True, False])],
)
def test_each_share_is_held_to_two_percent(change: dict[str, Any], holds: list[bool]) -> None:
    assert [each.holds for each in shares("mlp", {**FOUND, **change})] == holds


def test_a_smoke_run_writes_checkpoints_and_claims_nothing() -> None:
    command = [sys.executable, "benchmarks/checkpoints.py", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["claims"] == []
    said = done.stdout.splitlines()[0]
    assert " checkpoints of " in said and "; 0 checkpoints" not in said
