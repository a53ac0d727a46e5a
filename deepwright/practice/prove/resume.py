"""Resume: kill -9 at random steps and start again; the weights and the metrics must have the same SHA-256.

The control skips the reseeding of every step and must end in other weights, or the test could not tell.

A walk is a process of its own, forked from one that holds the libraries and has drawn nothing: they are imported once
and not for each walk. There are two or more of these, each with another hash seed, and the processes of a trial go from
one to the next, so that nothing which depends on a process can be the same by chance.
"""

import contextlib
import hashlib
import json
import os
import queue
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.errors import ProofError
from deepwright.core.families import Network, Tensor
from deepwright.core.part import canonical_json
from deepwright.core.recipe import Recipe
from deepwright.core.recipe_file import dump_recipe, load_recipe
from deepwright.core.run import Run
from deepwright.core.text import text
from deepwright.model.answer import answering
from deepwright.model.export import export_network
from deepwright.practice.prove.case import Case, Claim
from deepwright.practice.run import practise
from deepwright.practice.show import Show, quiet
from deepwright.train.step import Steps

DEFAULT_TRIALS = 5
MAX_KILLS = 3
SKIP_RESEEDING = "skip-reseeding"
SOUND = "sound"
MIN_WALKERS = 2


def prove_resume(case: Case) -> list[Claim]:
    """Killed trials against one run without a kill, then the same with the fault planted."""
    trials = case.trials or DEFAULT_TRIALS
    path = case.write_csv(case.whole, case.folder / "table.csv")
    recipe_path = case.folder / "recipe.yaml"
    recipe_path.write_text(dump_recipe(_recipe(case, path)))
    draw = np.random.default_rng(0)

    with _walkers(case.folder) as walkers, _pool(walkers.qsize()) as pool:

        def begin(name: str, kills: tuple[int, ...], mode: str) -> Any:
            return pool.submit(_walk, walkers, recipe_path, case.folder / name, kills, mode)

        unkilled = begin("control", (), SKIP_RESEEDING)
        expected, num_steps, _ = begin("whole", (), SOUND).result()
        killed = begin("control-killed", (num_steps // 2,), SKIP_RESEEDING)
        drawn = [draw.integers(1, num_steps, size=int(draw.integers(1, MAX_KILLS + 1))) for _ in range(trials)]
        done = [begin(f"trial{n}", tuple(sorted(kills.tolist())), SOUND) for n, kills in enumerate(drawn)]
        results = [each.result() for each in done]
        differs = killed.result()[0] != unkilled.result()[0]
    equal = sum(digest == expected for digest, _, _ in results)
    late = sum(all(step > 0 for step in resumed_from) for _, _, resumed_from in results)
    return [
        Claim(text("prove.resume.equal"), equal, f"= {trials}", equal == trials, expected[:16]),
        Claim(text("prove.resume.late"), late, f">= {0.95 * trials:g}", late >= 0.95 * trials),
        Claim(text("prove.resume.control"), int(differs), "= 1", differs),
    ]


def _recipe(case: Case, path: Path) -> Recipe:
    """A network with dropout, so that random draws matter, and a checkpoint after every step."""
    network = Network.parse({"kind": "mlp", "widths": [32, 32], "dropout": 0.2})
    train = case.recipe.train.replace(epochs=3, checkpoint_s=0.0)
    return case.table(path, network=network, train=train, baselines=("constant",))


class Walker:
    """A process that holds the libraries and forks one process for each walk."""

    def __init__(self, number: int, errors: Path) -> None:
        self.errors = errors
        with errors.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deepwright.practice.prove.resume"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env={**os.environ, "PYTHONHASHSEED": str(number)},
            )

    def walk(self, **job: Any) -> int:
        """The exit code of one walk; minus the signal where one ended it."""
        assert self.process.stdin and self.process.stdout, "both are pipes"
        with contextlib.suppress(BrokenPipeError):  # its end is told below
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return int(answer) if answer else self.process.wait()

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout, "both are pipes"
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@contextlib.contextmanager
def _walkers(folder: Path) -> "Iterator[queue.SimpleQueue[Walker]]":
    """As many as there are processors, and at least two; taken and given back in turn."""
    made = [Walker(n, folder / f"walker{n}.txt") for n in range(max(MIN_WALKERS, len(os.sched_getaffinity(0))))]
    free: queue.SimpleQueue[Walker] = queue.SimpleQueue()
    for walker in made:
        free.put(walker)
    try:
        yield free
    finally:
        for walker in made:
            walker.close()


@contextlib.contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads; after an error or Ctrl-C, what has not begun is not begun."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _walk(
    walkers: "queue.SimpleQueue[Walker]", recipe: Path, runs: Path, kills: tuple[int, ...], mode: str
) -> tuple[str, int, list[int]]:
    """Walk the line in processes of their own, killed at the given steps; gives the digest of weights and metrics, the
    number of steps and where each further process took up."""
    for kill_at in (*kills, 0):
        walker = walkers.get()
        try:
            code = walker.walk(recipe=str(recipe), runs=str(runs), kill_at=kill_at, mode=mode)
        finally:
            walkers.put(walker)
        if code != (-signal.SIGKILL if kill_at else 0):
            why = (walker.errors.read_text().splitlines() or ["?"])[-1]
            raise ProofError("prove.child_failed", code=code, why=why)
    run = Run(runs / "run")
    facts = {
        "network": run.entry("member network"),
        "history": [{k: v for k, v in e.items() if k != "seconds"} for e in run.report.history],
        "numbers": [n.model_dump() for n in run.report.numbers],
    }
    assert facts["network"] is not None, "a finished run has its member"
    facts["network"] = facts["network"]["bundle"]  # type: ignore[index]
    resumed = [int(line) for line in (runs / "resumed").read_text().split()] if (runs / "resumed").exists() else []
    digest = hashlib.sha256(canonical_json(facts).encode()).hexdigest()
    return digest, int((runs / "steps").read_text()), resumed


def _child(recipe_path: Path, runs: Path, kill_at: int, mode: str) -> None:
    """One process of a trial: notes where it took up and how far it came, and kills itself at the given step."""
    if mode == SKIP_RESEEDING:
        Steps.reseed = lambda *place: None  # type: ignore[assignment,method-assign]  # the planted fault
    runs.mkdir(parents=True, exist_ok=True)

    def watch(events: Iterable[Any]) -> Iterator[Any]:
        for event in events:
            record = event.record()
            if record["event"] == "resumed":
                with (runs / "resumed").open("a") as file:
                    file.write(f"{record['step']}\n")
            if record["event"] == "step":
                (runs / "steps").write_text(str(record["step"]))
                if record["step"] == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
            yield event

    practise(load_recipe(recipe_path), runs=runs, name="run", show=Show(say=quiet.say, watch=watch))


def _serve() -> None:
    """Fork a walk for each line of stdin, and answer with its exit code."""
    _load_libraries()
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            os.dup2(2, 1)  # stdout is for the answers alone
            try:
                _child(Path(job["recipe"]), Path(job["runs"]), job["kill_at"], job["mode"])
            except BaseException:  # noqa: BLE001 - a forked process ends here, whatever happened
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _load_libraries() -> None:
    """Everything that a walk imports; most of it belongs to the export of a network."""
    import polars  # noqa: F401
    import pyarrow  # noqa: F401
    import torch

    inputs = (Tensor("x", 2),)
    export_network(answering(torch.nn.Linear(2, 2), "classification", 0.0, 1.0), inputs, "classification")


if __name__ == "__main__":
    _serve()
