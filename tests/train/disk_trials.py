"""Trainings whose disk is full at some size, and that are taken up again when there is room.

    python disk_trials.py TRIALS SEED [limit] [tmpfs] [in_place]

Each run is a forked process. At a random step the room left for files becomes one of TRIALS sizes, from nothing to
all but a share of a checkpoint. `limit`: the kernel refuses files beyond that size (RLIMIT_FSIZE). `tmpfs`: a disk of
its own, filled up but for that size; needs the right to mount, as `unshare -Urm` gives it. `in_place` is the control:
a checkpoint that overwrites the one before. For each it prints how many trials; refused: runs that ended in the
ResourceError of a full disk; intact: trials whose checkpoints were afterwards, byte for byte, those from before;
equal: trials that, taken up again, ended in the bits and history of an undisturbed run; resumed_late: those taken up
from a step above 0.
"""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import kill_trials
import numpy as np
import torch
from torch import nn

from deepwright.core.disk import disk_error
from deepwright.core.errors import ResourceError
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Resumed, Saved
from deepwright.train.loop import Training, fit

DISK_BYTES = 4 * 2**20
EPOCHS, STEPS_AN_EPOCH = 3, 6


class InPlace(Checkpoints):
    """The planted fault: one file pair, written over."""

    def _numbers(self):
        return [1] if (self.folder / "000001.json").exists() else []

    def save(self, tensors, facts, *, started=None):
        with tempfile.TemporaryDirectory() as elsewhere:
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (before[1], before[1]))
            path, *_ = Checkpoints(elsewhere).save(tensors, facts, started=started)
            whole = {p.name: p.read_bytes() for p in path.parent.iterdir()}
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        self.folder.mkdir(exist_ok=True)
        for name, content in sorted(whole.items(), reverse=True):
            try:
                (self.folder / name).write_bytes(content)
            except OSError as error:
                raise disk_error(self.folder / name, len(content), error) from None
        return self.folder / "000001.json", 0, 0.0


def start(checkpoints: Checkpoints | None) -> Training:
    """The same call always gives the same training: 18 steps, a checkpoint after each."""
    torch.set_num_threads(1)
    torch.manual_seed(5)
    draw = np.random.default_rng(1)
    x = draw.standard_normal((150, 16)).astype(np.float32)
    y = x[:, :3].argmax(1)
    net = nn.Sequential(nn.Linear(16, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, 3))
    return fit(
        net, (x[:120], y[:120]), (x[120:], y[120:]), loss="cross_entropy", optimizer="adamw", schedule="cosine",
        epochs=EPOCHS, batch_size=20, seed=3, checkpoints=checkpoints,
    )  # fmt: skip


class Disk:
    """A folder for checkpoints whose room can be taken away and given back."""

    def __init__(self, home: Path, variant: str) -> None:
        self.home, self.variant = home, variant
        self.filler = home / "filler"
        if variant == "tmpfs":
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(home)], check=True)

    def checkpoints(self) -> Checkpoints:
        return (InPlace if self.variant == "in_place" else Checkpoints)(self.home / "checkpoint", every_s=0)

    def leave(self, num_bytes: int) -> None:
        """Leave room for `num_bytes` in a file, or on the disk beside what the next checkpoint drops."""
        if self.variant == "tmpfs":
            free = shutil.disk_usage(self.home).free
            with self.filler.open("wb") as file:
                file.write(bytes(max(free - num_bytes, 0)))
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, resource.RLIM_INFINITY))

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.home / "checkpoint").glob("*"))}

    def clear(self) -> None:
        for path in self.home.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def filled_run(disk: Disk, step: int, num_bytes: int, out: Path) -> None:
    """Train until `step`, take the room away, train on; notes how that ended and what the checkpoints were."""
    told = out.open("w")  # open before there is no room
    before: dict[str, bytes] = {}
    try:
        for event in start(disk.checkpoints()):
            if isinstance(event, Saved) and event.step == step and not before:
                before = disk.files()
                disk.leave(num_bytes)
        ended = "done"
    except ResourceError as error:
        ended = error.key
        assert error.exit_code == 5, error.exit_code
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    after = disk.files()
    _, damaged = disk.checkpoints().load_latest()
    json.dump({"ended": ended, "intact": bool(before) and after == before and not damaged}, told)
    told.close()


def last_run(checkpoints: Checkpoints | None, out: Path) -> None:
    training = start(checkpoints)
    resumed = [event.step for event in training if isinstance(event, Resumed)]
    out.write_text(json.dumps({**kill_trials.result(training.finish()), "from": resumed[0] if resumed else 0}))


def main(trials: int, seed: int, variant: str, home: Path) -> None:
    draw = random.Random(seed)
    out = home / "out.json"
    assert kill_trials.in_child(lambda: last_run(None, out)) == 0
    expected = {k: v for k, v in json.loads(out.read_text()).items() if k != "from"}
    (home / "disk").mkdir()
    disk = Disk(home / "disk", variant)
    counts = dict.fromkeys(("refused", "intact", "equal", "resumed_late"), 0)
    size = checkpoint_bytes(disk)
    for trial in range(trials):
        step = draw.randrange(2, EPOCHS * STEPS_AN_EPOCH - 1)
        room = size * trial // trials
        assert kill_trials.in_child(lambda s=step, r=room: filled_run(disk, s, r, out)) == 0
        filled = json.loads(out.read_text())
        disk.filler.unlink(missing_ok=True)
        assert kill_trials.in_child(lambda: last_run(disk.checkpoints(), out)) == 0
        found = json.loads(out.read_text())
        counts["refused"] += filled["ended"] == "disk.full"
        counts["intact"] += filled["intact"]
        counts["resumed_late"] += found.pop("from") > 0
        counts["equal"] += found == expected
        disk.clear()
    if variant == "tmpfs":
        subprocess.run(["umount", str(disk.home)], check=True)
    print(json.dumps({"variant": variant, "trials": trials, "checkpoint_bytes": size, **counts}), flush=True)


def checkpoint_bytes(disk: Disk) -> int:
    """Of the smallest tensors file that a training writes: no room below that is enough."""
    sizes: list[int] = []

    def measure() -> None:
        for event in start(disk.checkpoints()):
            if isinstance(event, Saved):
                sizes.append(Path(event.path).with_suffix(".safetensors").stat().st_size)

    measure()
    disk.clear()
    return min(sizes)


if __name__ == "__main__":
    for each in sys.argv[3:]:
        with tempfile.TemporaryDirectory() as folder:
            main(int(sys.argv[1]), int(sys.argv[2]), each, Path(folder))
    os._exit(0)
