"""Footprint: a bundle's bytes are its files', its times those of its own calls, its memory what loading adds."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from deepwright.evaluation import footprint as module
from deepwright.evaluation.footprint import LEAST_CALLS, MOST_CALLS, footprint, latency, machine, memory_of

COLUMNS = {"x": np.arange(3.0), "c": np.array(["a", "b", "c"], dtype=object)}


class Clock:
    """Time that passes only where `work` is done."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Slow:
    """Stands in for a bundle whose calls take the seconds given, the last of them ever after."""

    def __init__(self, clock: Clock, *seconds: float) -> None:
        self.clock, self.seconds, self.calls = clock, list(seconds), []

    def answer(self, columns):
        self.calls.append(columns)
        self.clock.now += self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]


def test_the_median_of_the_calls_after_the_first_is_told():
    clock = Clock()
    found = latency(Slow(clock, 9.0, 0.1, 0.1, 0.7, 0.1, 0.1), COLUMNS, 1, clock=clock)
    assert (found.rows, found.median_s, found.calls) == (1, pytest.approx(0.1), LEAST_CALLS)


def test_a_fast_bundle_is_called_often_and_rows_are_taken_in_turn():
    clock = Clock()
    bundle = Slow(clock, 1e-5)
    assert latency(bundle, COLUMNS, 5, clock=clock).calls == MOST_CALLS
    assert bundle.calls[-1]["x"].tolist() == [0, 1, 2, 0, 1] and bundle.calls[-1]["c"].tolist() == list("abcab")


@pytest.mark.parametrize(("held", "due"), [(0, 0), (64 << 20, 64 << 20)])
def test_memory_is_what_loading_adds_to_the_process(monkeypatch, held, due):
    kept = []

    class Bundle:
        @staticmethod
        def load(folder):
            kept.append(np.ones(held, np.uint8))
            return SimpleNamespace(answer=lambda columns: None)

    monkeypatch.setattr(module, "Bundle", Bundle)
    freed = np.ones(64 << 20, np.uint8)
    del freed  # what was freed before must not hide what is held now
    found = memory_of(Path(), COLUMNS)
    assert found is None or abs(found - due) < 8 << 20


def test_where_the_system_cannot_tell_memory_is_not_told(monkeypatch):
    monkeypatch.setattr(module, "_hand_back", lambda: False)
    assert memory_of(Path(), COLUMNS) is None


def test_the_bytes_are_those_of_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_hand_back", lambda: False)
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").write_bytes(b"45")
    bundle = SimpleNamespace(folder=tmp_path, answer=lambda columns: None)
    found = footprint(bundle, COLUMNS)
    assert found.disk_bytes == 5 and [each.rows for each in found.latency] == [1, 256]
    assert found.machine == machine() and "×" in found.machine
