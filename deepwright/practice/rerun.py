"""Rerun: the same recipe on the same data once more; the same bits, or the first difference named."""

from dataclasses import dataclass
from pathlib import Path

from deepwright.core.bundle import read_manifest
from deepwright.core.errors import DataError, UsageError
from deepwright.core.recipe import Recipe
from deepwright.core.report import Report
from deepwright.core.run import Run
from deepwright.data.collect import collect
from deepwright.data.files import MAGIC
from deepwright.data.table import Table
from deepwright.practice.opening import recipe_of
from deepwright.practice.run import practise
from deepwright.practice.show import Show, quiet
from deepwright.practice.speed import SPEED


@dataclass(frozen=True)
class Rerun:
    """difference: where the two runs first differ, or None when all bits are the same."""

    run: Run
    again: Run
    compared: int
    difference: str | None
    changed_environment: tuple[str, ...]


def rerun(run: Run, *, show: Show = quiet) -> Rerun:
    """Walk the line again under the run's recipe into a new run folder beside it, and compare every artefact.

    Raises UsageError when the rows were handed over in Python, DataError when the source has changed.
    """
    report = run.report
    recipe = recipe_of(run)
    if report.environment["network"].get("stopped") == "budget":
        raise UsageError("rerun.budget")
    _require_same_source(recipe, report)
    name = _free_name(run)
    planned = run.entry(SPEED)
    if planned is not None:
        twin = Run.create(run.folder.parent, name, recipe=recipe.hash, source=report.data.source_sha256)
        twin.commit(SPEED, plan=planned["plan"])
    again = practise(recipe, runs=run.folder.parent, name=name, show=show)
    pairs = _facts(run, report), _facts(again, again.report)
    difference = next((name for name in pairs[0] if pairs[0][name] != pairs[1].get(name)), None)
    here = again.report.environment
    changed = tuple(key for key in ("versions", "machine") if report.environment[key] != here[key])
    return Rerun(run, again, len(pairs[0]), difference, changed)


def _facts(run: Run, report: Report) -> dict[str, object]:
    """Everything that must be equal, in the order of the line, by a name a user understands."""
    facts: dict[str, object] = {f"rows of {part}": value for part, value in report.data.fingerprints.items()}
    for member in report.members:
        for name, entry in sorted(read_manifest(run.folder / "members" / member)["files"].items()):
            if name != "report.json":
                facts[f"members/{member}/{name}"] = entry["sha256"]
    for epoch in report.history:
        facts[f"epoch {epoch['epoch']}"] = {k: v for k, v in epoch.items() if k in ("train", "validation", "lr")}
    for number in report.numbers:
        if number.part == "validation":
            facts[f"{number.part} {number.metric} of {number.member}"] = (
                number.value,
                number.low,
                number.high,
                number.n,
            )
    return facts


def _require_same_source(recipe: Recipe, report: Report) -> None:
    path = getattr(recipe.source, "path", None)
    if isinstance(recipe.source, Table) and path is None:
        raise UsageError("rerun.no_source")
    if path is not None and not Path(path).exists() and not set(path) & set(MAGIC):
        raise DataError("rerun.source_gone", path=path)
    found = collect(recipe)
    if found.source_sha256 != report.data.source_sha256:
        raise DataError("rerun.source_changed", path=found.source)


def _free_name(run: Run) -> str:
    number = 1
    while (run.folder.parent / f"{run.name}-rerun{number}").exists():
        number += 1
    return f"{run.name}-rerun{number}"
