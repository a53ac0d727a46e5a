"""The speed plan of `train.speed auto`: measured once for a recipe on its rows and this machine, then taken again.

Plans give different bits, so a plan is kept with its run, for a kill or a rerun, and in the workspace, for the next run
of the same recipe: `.deepwright/speed/KEY.json`, written whole.
"""

import hashlib
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from deepwright.core.disk import write_atomic
from deepwright.core.errors import RecipeError
from deepwright.core.ledger import workspace
from deepwright.core.part import canonical_json
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.seal import Split
from deepwright.train.speed import SpeedPlan

SPEED = "speed plan"
"""The ledger's entry for the plan that `train.speed auto` chose."""


def speed_of(run: Run, recipe: Recipe, split: Split, threads: int) -> Literal["exact", "auto"] | SpeedPlan:
    """The recipe's choice; where it is `auto`, the plan that this run chose before it was killed or that a rerun took
    over, else the one measured here for the same recipe, rows and threads, else `auto`: it has to be measured.

    Raises RecipeError where the workspace's file is not what was written.
    """
    if recipe.train.speed == "exact":
        return "exact"
    entry = run.entry(SPEED)
    path, made_for = _place(recipe, split, threads)
    if entry is None and path.exists():
        kept = _read(path, made_for)
        entry = run.commit(SPEED, plan=kept["plan"], measured=kept["measured"])
    return recipe.train.speed if entry is None else SpeedPlan.parse(entry["plan"])


def keep_plan(run: Run, recipe: Recipe, split: Split, threads: int, plan: SpeedPlan) -> None:
    """Keep a plan that was measured just now, with the run and in the workspace."""
    path, made_for = _place(recipe, split, threads)
    kept = {"plan": plan.record(), "measured": datetime.now(UTC).date().isoformat()}
    run.commit(SPEED, **kept)
    write_atomic(path, (json.dumps({**kept, "for": made_for}, indent=1) + "\n").encode())
    write_atomic(path.with_name(".gitignore"), b"*\n")  # what this machine measured is no other's business


def measured_on(run: Run) -> str | None:
    """The day on which the run's plan was measured on this machine; None where that is not known."""
    entry = run.entry(SPEED)
    return None if entry is None else entry.get("measured")


def _place(recipe: Recipe, split: Split, threads: int) -> tuple[Path, dict[str, Any]]:
    """Where a plan stands in the workspace, and all that it was measured for: what passed its checks on other rows or
    for another network need not pass them here."""
    import torch

    made_for = {
        "recipe": recipe.hash,
        "rows": split.train.fingerprint,
        "threads": threads,
        "torch": torch.__version__,
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "cpus": os.cpu_count(),
        "machine": f"{platform.node()} {platform.machine()}",
    }
    key = hashlib.sha256(canonical_json(made_for).encode()).hexdigest()
    return workspace() / "speed" / f"{key[:16]}.json", made_for


def _read(path: Path, made_for: dict[str, Any]) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_bytes())
        if kept["for"] == made_for and isinstance(kept["measured"], str):
            return {"plan": SpeedPlan.parse(kept["plan"]).record(), "measured": kept["measured"]}
    except (ValueError, KeyError, TypeError, RecipeError):
        pass
    raise RecipeError("run.speed_file", path=path)
