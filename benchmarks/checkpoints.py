"""What checkpoints, and events with the live display, cost as a share of training time.

    python benchmarks/checkpoints.py                      the MLP at batch 256, whose steps are the shortest: 45 s
    python benchmarks/checkpoints.py --only transformer
    python benchmarks/checkpoints.py --quick              a smoke run of seconds, without a claim

Nothing is estimated from the difference of two noisy runs. The loop is a generator: the seconds it takes to come to a
`Saved` event are a checkpoint's, and the seconds between two calls of it are its consumers'. What an event itself costs
is timed apart. All on a terminal, one thread.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import timeit
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, at_most, finish, unmeasured
from benchmarks.machine import MAX_ELSEWHERE, Elsewhere, load
from benchmarks.peers import ALL, ROOT
from benchmarks.race import Patience, on_terminal
from benchmarks.workloads import WORKLOADS

MAX_SHARE = 0.02
EPOCHS = 100_000
"""More than the time allows: the budget ends the training."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=ALL, action="append", help="this workload; may be given several times")
    parser.add_argument("--seconds", type=float, default=45.0, help="of training per workload")
    parser.add_argument("--wait", type=float, default=600, help="seconds to wait for a quiet machine, in all")
    parser.add_argument("--quick", action="store_true", help="a smoke run: a second of training, no claim")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure is not None:
        given.measure.write_text(json.dumps(measured(given.only[0], given.seconds, given.quick)))
        return 0

    claims: list[Claim] = []
    patience = Patience(given.wait)
    for name in given.only or ["mlp"]:
        was_quiet = given.quick or patience.is_quiet()
        found = in_a_process(name, 1.0 if given.quick else given.seconds, given.quick)
        print(told(name, found), flush=True)
        is_calm = was_quiet and found["elsewhere"] <= MAX_ELSEWHERE
        if not given.quick:
            claims += [
                each if is_calm else unmeasured(each, "the machine was not quiet") for each in shares(name, found)
            ]
    return finish(claims)


def shares(name: str, found: dict[str, Any]) -> list[Claim]:
    """The two claims from what was measured, in seconds."""
    title = WORKLOADS[name].title
    checkpoints = found["checkpoints_s"] / found["total_s"]
    events = (found["consumers_s"] + found["events_s"]) / found["total_s"]
    return [
        at_most(f"{title}: checkpoints at the default interval, share of training time", checkpoints, MAX_SHARE, ""),
        at_most(f"{title}: events, their record and the live display, share of training time", events, MAX_SHARE, ""),
    ]


def in_a_process(name: str, seconds: float, is_quick: bool) -> dict[str, Any]:
    """Measure in a fresh process on a terminal of its own. Raises SystemExit with its last words when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "result.json"
        command = [sys.executable, __file__, "--only", name, "--seconds", str(seconds), "--measure", str(answer)]
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TERM": "xterm",
        }  # fmt: skip
        code, said = on_terminal([*command, *(["--quick"] if is_quick else [])], environment, Path(folder))
        if not answer.exists():
            raise SystemExit(f"the measured process ended with exit code {code}:\n{said}")
        return json.loads(answer.read_text())


def measured(name: str, seconds: float, is_quick: bool) -> dict[str, Any]:
    """Train for so many seconds with everything on; gives where the time went."""
    import torch

    import deepwright
    from deepwright.train.checkpoint import Checkpoints
    from deepwright.train.events import Saved, Step, Stopped
    from deepwright.train.optim import AdamW
    from deepwright.train.watch import live, record

    workload = WORKLOADS[name]
    inputs, target = workload.arrays(workload.quick_rows if is_quick else workload.rows)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        training = deepwright.fit(
            workload.network(),
            (inputs, target),
            optimizer=AdamW(),
            epochs=EPOCHS,
            batch_size=workload.batch_size,
            budget_s=seconds,
            checkpoints=Checkpoints(Path(folder) / "checkpoint"),
        )
        spent = Spent(training)
        elsewhere, num_saved, num_bytes, num_steps = Elsewhere(), 0, 0, 0
        started = time.perf_counter()
        for event in live(record(spent.events(), Path(folder) / "events.jsonl")):
            if isinstance(event, Saved):
                num_saved, num_bytes = num_saved + 1, event.num_bytes
            if isinstance(event, Stopped):
                num_steps = event.steps
        total_s = time.perf_counter() - started
    one_event_s = timeit.timeit(lambda: Step(1, 1, 1, 1, 0.5), number=20_000) / 20_000
    return {
        "total_s": total_s,
        "checkpoints_s": spent.saving_s,
        "consumers_s": total_s - spent.inside_s,
        "events_s": one_event_s * num_steps,
        "checkpoints": num_saved,
        "bytes": num_bytes,
        "steps": num_steps,
        "elsewhere": elsewhere.cores(),
        "load": load(),
    }


class Spent:
    """Seconds inside a training: all, and those that ended in a checkpoint."""

    def __init__(self, training: Any) -> None:
        self.training = training
        self.inside_s = 0.0
        self.saving_s = 0.0

    def events(self) -> Iterator[Any]:
        from deepwright.train.events import Saved

        while True:
            started = time.perf_counter()
            event = next(self.training, None)
            passed_s = time.perf_counter() - started
            self.inside_s += passed_s
            if event is None:
                return
            if isinstance(event, Saved):
                self.saving_s += passed_s
            yield event


def told(name: str, found: dict[str, Any]) -> str:
    each_ms = 1e3 * found["checkpoints_s"] / max(found["checkpoints"], 1)
    per_step_us = 1e6 * (found["consumers_s"] + found["events_s"]) / max(found["steps"], 1)
    return (
        f"{WORKLOADS[name].title}: {found['total_s']:.1f} s, {found['steps']} steps; "
        f"{found['checkpoints']} checkpoints of {found['bytes'] / 1e6:.1f} MB, {each_ms:.1f} ms each; "
        f"events and display {per_step_us:.1f} us a step"
    )


if __name__ == "__main__":
    sys.exit(main())
