"""A full disk: disk_trials.py takes the room away at twenty sizes; here are its counts, and the exit code."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer

from deepwright import cli
from deepwright.core.run import Run

SCRIPT = Path(__file__).with_name("disk_trials.py")
UNSHARE = ("unshare", "-Urm")


def trials(count: int, seed: int, *variants: str, before: tuple[str, ...] = ()) -> list[dict[str, int]]:
    done = subprocess.run(
        [*before, sys.executable, str(SCRIPT), str(count), str(seed), *variants], capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def may_mount(folder: Path) -> bool:
    """Whether a disk of one's own can be mounted here."""
    try:
        command = [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def test_a_training_on_a_full_disk_keeps_its_last_state_and_goes_on_exactly_and_the_trials_notice_a_careless_one():
    sound, careless = trials(4, 1, "limit", "in_place")
    assert [sound[name] for name in ("refused", "intact", "equal", "resumed_late")] == [4, 4, 4, 4]
    assert careless["intact"] == careless["resumed_late"] == 0 < careless["refused"]


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["limit", "tmpfs"])
def test_twenty_sizes_of_a_full_disk_lose_nothing(variant, tmp_path):
    if variant == "tmpfs" and not may_mount(tmp_path):
        pytest.skip("NOT RUN: mount of a tmpfs not allowed")
    (found,) = trials(20, 2, variant, before=UNSHARE if variant == "tmpfs" else ())
    assert [found[name] for name in ("refused", "intact", "equal", "resumed_late")] == [20, 20, 20, 20]


@contextmanager
def full_disk(limit_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond the limit, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_command_ends_with_exit_code_5_and_the_same_command_goes_on_to_the_same_bits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = load_breast_cancer()
    lines = [
        ",".join(map(str, row)) + f",class {y}" for row, y in zip(data.data[:, :6].tolist(), data.target, strict=True)
    ]
    Path("cells.csv").write_text("\n".join(["a,b,c,d,e,f,kind", *lines]))
    command = [
        "run", "cells.csv", "--target", "kind", "--train.epochs", "3", "--train.checkpoint_s", "0", "--train.threads",
        "1", "--baselines", "constant", "--name",
    ]  # fmt: skip
    assert cli.call([*command, "whole"]) == 0
    sizes = {path.name: path.stat().st_size for path in Path("runs/whole").rglob("*") if path.is_file()}
    newest = max(name for name in sizes if name.endswith(".safetensors") and name[0].isdigit())
    # Room for one state at the start of an epoch and not for what a checkpoint in its middle holds besides.
    with full_disk(sizes[newest] + 100_000):
        assert cli.call([*command, "filled"]) == 5
    assert "the disk is full" in capsys.readouterr().err
    assert list(Path("runs/filled/checkpoint").glob("0*.json")), "there is a good state to go on from"
    assert cli.call([*command, "filled"]) == 0
    found, expected = (Run(Path("runs") / name).entry("member network")["bundle"] for name in ("filled", "whole"))
    assert found == expected
