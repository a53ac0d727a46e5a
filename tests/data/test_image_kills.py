"""Reading and preparing images dies at every write to the disk in turn; the next run gives the same hashes."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepwright.data import image_build, image_inspect, image_map
from deepwright.data.images import Images
from tests.data.pictures import InProcess, encoded, noise

BOUNDARIES = ("fsync", "replace", "rename", "pwrite", "unlink", "ftruncate")


class Death(BaseException):
    pass


class Writes:
    """Counts what reaches the disk; from the n-th on nothing does any more, as after kill -9."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.last = 0, 10**9
        for name in BOUNDARIES:
            real = getattr(os, name) if name != "fsync" else lambda _: None  # a kill is no loss of power: only counted
            monkeypatch.setattr(os, name, self._counted(real))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            self.count += 1
            if self.count > self.last:
                raise Death
            return real(*given, **options)

        return call


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(image_inspect, "Pool", InProcess)
    monkeypatch.setattr(image_build, "Pool", InProcess)
    monkeypatch.setattr(image_inspect, "KEPT_FROM", 1)
    monkeypatch.setattr(image_inspect, "GROUP_IMAGES", 2)
    monkeypatch.setattr(image_inspect, "SAVED_EVERY_S", -1.0)
    monkeypatch.setattr(image_map, "CHUNK_BYTES", 2 * 16 * 16 * 3)
    root = tmp_path / "photos"
    for number in range(4):
        path = root / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(noise(number, 20, 20)) if number < 3 else b"bad")
    return root


def walk(source: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Everything that reading and preparing leave behind, by hash."""
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(home))
    raw = Images(path=str(source)).read(None)
    images = image_build.build(raw.cells["image"].tolist(), home / "maps", size=16, workers=1, say=lambda _: None)
    kept = {path.name: path.read_bytes() for path in sorted((home / "images").rglob("*.jsonl"))}
    return [raw.sha256, raw.digests["image"].tolist(), images.address, images.pixels.tobytes(), kept]


def test_a_kill_at_any_write_changes_nothing(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    writes = Writes(monkeypatch)
    expected = walk(source, tmp_path / "whole", monkeypatch)
    total = writes.count
    assert total >= 30
    for last in range(total):
        home = tmp_path / "home"
        writes.count, writes.last = 0, last
        with pytest.raises(Death):
            walk(source, home, monkeypatch)
        writes.last = 10**9
        assert walk(source, home, monkeypatch) == expected, f"killed at write {last} of {total}"
        shutil.rmtree(home)


def test_the_check_sees_a_map_that_is_named_before_it_is_written(source: Path, tmp_path: Path, monkeypatch):
    """The control: a map whose manifest came first would be taken for whole."""
    monkeypatch.setattr(image_build._Job, "decode", lambda job, _: job.done.update(_nothing(job)))
    with pytest.raises(Exception, match="is not as it was written"):
        walk(source, tmp_path / "home", monkeypatch)


def _nothing(job: image_build._Job) -> dict[int, image_build._Done]:
    (job.part / image_build.JOURNAL).write_bytes(b"")
    return {number: image_build._Done("0" * 64, []) for number in range(len(job.chunks))}
