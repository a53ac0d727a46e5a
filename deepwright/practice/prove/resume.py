"""Resume: kill -9 at random steps and start again; the weights and the metrics must have the same SHA-256.

The control skips the reseeding of every step and must end in other weights, or the test could not tell.
"""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.errors import ProofError
from deepwright.core.part import canonical_json
from deepwright.core.recipe import Recipe
from deepwright.core.recipe_file import dump_recipe, load_recipe
from deepwright.core.run import Run
from deepwright.core.text import text
from deepwright.practice.prove.case import Case, Claim
from deepwright.practice.run import practise
from deepwright.practice.show import Show, quiet
from deepwright.train.loop import Training

DEFAULT_TRIALS = 5
MAX_KILLS = 3
SKIP_RESEEDING = "skip-reseeding"
SOUND = "sound"


def prove_resume(case: Case) -> list[Claim]:
    """Killed trials against one run without a kill, then the same with the fault planted."""
    trials = case.trials or DEFAULT_TRIALS
    path = case.write_csv(case.whole, case.folder / "table.csv")
    recipe_path = case.folder / "recipe.yaml"
    recipe_path.write_text(dump_recipe(_recipe(case, path)))
    draw = np.random.default_rng(0)

    expected, num_steps, _ = _walk(recipe_path, case.folder / "whole", (), SOUND)
    equal = late = 0
    for trial in range(trials):
        kills = sorted(draw.integers(1, num_steps, size=int(draw.integers(1, MAX_KILLS + 1))).tolist())
        digest, _, resumed_from = _walk(recipe_path, case.folder / f"trial{trial}", tuple(kills), SOUND)
        equal += digest == expected
        late += all(step > 0 for step in resumed_from)

    unkilled, _, _ = _walk(recipe_path, case.folder / "control", (), SKIP_RESEEDING)
    middle = (num_steps // 2,)
    killed, _, _ = _walk(recipe_path, case.folder / "control-killed", middle, SKIP_RESEEDING)
    differs = killed != unkilled
    return [
        Claim(text("prove.resume.equal"), equal, f"= {trials}", equal == trials, expected[:16]),
        Claim(text("prove.resume.late"), late, f">= {0.95 * trials:g}", late >= 0.95 * trials),
        Claim(text("prove.resume.control"), int(differs), "= 1", differs),
    ]


def _recipe(case: Case, path: Path) -> Recipe:
    """A network with dropout, so that random draws matter, and a checkpoint after every step."""
    network = case.recipe.network.parse({"kind": "mlp", "widths": [32, 32], "dropout": 0.2})
    train = case.recipe.train.replace(epochs=3, checkpoint_s=0.0)
    return case.table(path, network=network, train=train, baselines=("constant",))


def _walk(recipe: Path, runs: Path, kills: tuple[int, ...], mode: str) -> tuple[str, int, list[int]]:
    """Walk the line in processes of their own, killed at the given steps; gives the digest of weights and metrics, the
    number of steps and where each further process took up."""
    for kill_at in (*kills, 0):
        command = [sys.executable, "-m", "deepwright.practice.prove.resume", str(recipe), str(runs), str(kill_at), mode]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != (-signal.SIGKILL if kill_at else 0):
            raise ProofError("prove.child_failed", code=done.returncode, why=(done.stderr.splitlines() or ["?"])[-1])
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
        Training._reseed = lambda *place: None  # type: ignore[assignment,method-assign]  # the planted fault
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


if __name__ == "__main__":
    _child(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
