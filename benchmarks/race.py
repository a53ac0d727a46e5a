"""A race: contestants in processes of their own, started in turn on a quiet machine, and what they took."""

import contextlib
import json
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import MAX_ELSEWHERE, wait_until_quiet
from benchmarks.peers import ROOT, Contestant, python_of
from benchmarks.workloads import Workload

TIMEOUT_S = 1800.0


@dataclass
class Patience:
    """Seconds that one run of the script may wait for a quiet machine, in all."""

    left_s: float

    def is_quiet(self) -> bool:
        started = time.monotonic()
        found = wait_until_quiet(self.left_s)
        self.left_s = max(0.0, self.left_s - (time.monotonic() - started))
        return found


@dataclass(frozen=True)
class Process:
    """One process of one contestant. was_quiet: whether others left the machine alone, so that its times count."""

    cpu_ms: float
    wall_ms: float
    median_cpu_ms: float
    loss: float
    busy: float | None
    was_quiet: bool


@dataclass
class Result:
    """A contestant on a workload. missing: why there is no time; empty otherwise."""

    contestant: Contestant
    processes: list[Process] = field(default_factory=list)
    missing: str = ""

    def ms(self, *, wall: bool = False) -> float:
        """Milliseconds per step: each process's best epoch, the median of the processes."""
        return statistics.median(each.wall_ms if wall else each.cpu_ms for each in self.processes)

    @property
    def was_quiet(self) -> bool:
        return all(each.was_quiet for each in self.processes)


@dataclass(frozen=True)
class Race:
    """How to run everyone. folder: where peers are installed; on a GPU all run in the script's own environment, for
    CUDA builds take several GB each. epochs: None takes the workload's."""

    folder: Path
    patience: Patience
    device: str = "cpu"
    epochs: int | None = None
    is_quick: bool = False

    def run(self, contestant: Contestant, workload: Workload, result: Result, threads: int = 1) -> None:
        """One more process; its times are added to the result, or why there are none."""
        if workload.name not in contestant.workloads:
            result.missing = contestant.why_not
            return
        try:
            python = sys.executable if self.device == "cuda" else python_of(contestant, self.folder)
        except subprocess.CalledProcessError as error:
            result.missing = f"could not be installed: {error}"
            return
        was_quiet = self.is_quick or self.patience.is_quiet()
        told = self._start(python, contestant, workload, threads)
        if "missing" in told:
            result.missing = told["missing"]
            return
        process = read(told, was_quiet, wall=self.device == "cuda")
        result.processes.append(process)
        state = "quiet" if process.was_quiet else "others at work"
        print(f"  {workload.name}, {contestant.title}: {process.cpu_ms:.3f} ms ({state})", file=sys.stderr, flush=True)

    def _start(self, python: str, contestant: Contestant, workload: Workload, threads: int) -> dict:
        rows = workload.quick_rows if self.is_quick else workload.gpu_rows if self.device == "cuda" else workload.rows
        epochs = self.epochs or (2 if self.is_quick else workload.epochs)
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder) / "result.json"
            command = [
                python, "-m", "benchmarks.contestant", contestant.module, workload.name, "--rows", str(rows),
                "--epochs", str(epochs), "--threads", str(threads), "--device", self.device, "--result", str(answer),
                *contestant.options,
            ]  # fmt: skip
            number = str(threads)
            environment = {
                **os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": number, "MKL_NUM_THREADS": number,
                "TERM": "xterm", "COLUMNS": "120", **contestant.settings,
            }  # fmt: skip
            code, said = on_terminal(command, environment, Path(folder))
            if not answer.exists():
                last = " | ".join(said.splitlines()[-3:])
                return {"missing": f"stopped with exit code {code}: {last}"}
            return json.loads(answer.read_text())


def read(told: dict, was_quiet: bool, *, wall: bool = False) -> Process:
    """The laps of one process without the first, which is the warm-up; disturbed ones count if there are no others."""
    timed = told["laps"][1:]
    laps = [lap for lap in timed if lap["elsewhere"] <= MAX_ELSEWHERE] or timed
    cpu = [1e3 * lap["cpu_s"] / lap["steps"] for lap in laps]
    walls = [1e3 * lap["wall_s"] / lap["steps"] for lap in laps]
    best = min(range(len(laps)), key=lambda i: walls[i] if wall else cpu[i])
    busy = [lap["busy"] for lap in laps if lap["busy"] is not None]
    return Process(
        cpu_ms=cpu[best],
        wall_ms=min(walls),
        median_cpu_ms=statistics.median(cpu),
        loss=told["loss"],
        busy=statistics.median(busy) if busy else None,
        was_quiet=was_quiet and laps[best]["elsewhere"] <= MAX_ELSEWHERE,
    )


def on_terminal(command: list[str], environment: dict[str, str], folder: Path) -> tuple[int, str]:
    """Run a command on a terminal of its own, as a user has it, so that progress is really drawn.

    Gives its exit code and the last of what it wrote.
    """
    ours, theirs = pty.openpty()
    kept: list[bytes] = []

    def drain() -> None:
        with contextlib.suppress(OSError):  # Linux says EIO when the other end is closed
            while chunk := os.read(ours, 65536):
                kept.append(chunk)
                del kept[:-4]

    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    reader = threading.Thread(target=drain)
    reader.start()
    try:
        code = process.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    reader.join()
    os.close(ours)
    return code, b"".join(kept).decode(errors="replace")
