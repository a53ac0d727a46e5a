"""Writes docs/reference.md from the parts themselves, and a plot of each schedule; `--check` only says whether they are
up to date."""

import inspect
import os
import sys
from pathlib import Path
from typing import Any

os.environ["DEEPWRIGHT_LANG"] = "en"

from deepwright import parts
from deepwright.core.families import Schedule
from deepwright.core.flags import part_of
from deepwright.core.part import FAMILIES, Part, allowed
from deepwright.core.prepare import ColumnChoice, Prepare, Rule
from deepwright.core.recipe import Recipe

DOCS = Path(__file__).parents[1] / "docs"
PATH = DOCS / "reference.md"
PLOTS = DOCS / "schedules"
STEPS = 200
WIDTH, HEIGHT, EDGE = 320, 120, 8

HEAD = """# Reference

Written by `make reference` from the parts' own definitions; do not edit. Every option below is a field in Python, a key
in YAML, and a flag with its path: `--train.epochs 20`, `--network.dropout 0.2`.
"""


def main() -> int:
    pages = {PATH: reference(), **{PLOTS / f"{kind}.svg": plot(kind) for kind in schedules()}}
    left = [path for path in PLOTS.glob("*") if path not in pages]
    if "--check" in sys.argv[1:]:
        old = [path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
        for path in (*old, *left):
            print(f"{path.relative_to(DOCS.parent)} is old: run make reference")
        if not old and not left:
            print("docs/reference.md is up to date")
        return 1 if old or left else 0
    PLOTS.mkdir(exist_ok=True)
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    for path in left:
        path.unlink()
    return 0


def reference() -> str:
    """The whole page: the recipe, then every family of which a recipe or a command names kinds."""
    pieces = [HEAD, section("recipe", Recipe)]
    for name, field in Recipe.model_fields.items():
        part = part_of(field.annotation)
        if part is not None and not part.family:
            pieces.append(section(f"recipe: {name}", part))
        if part is Prepare:
            pieces += [section("recipe: prepare.rules", Rule), section("recipe: prepare.columns", ColumnChoice)]
    for name, kinds in parts.families().items():
        pieces.append(f"## {name}\n\n{paragraph(FAMILIES[name])}\n")
        for kind, part in kinds.items():
            pieces.append(section(f"{name}: {kind}", part, level=3))
            if name == "schedule" and kind in schedules():
                pieces.append(f"![The rate over the run](schedules/{kind}.svg)\n")
    return "\n".join(pieces)


def schedules() -> dict[str, type[Schedule]]:
    """Ours; a user's own kinds are not in the reference's pictures."""
    kinds = parts.families()["schedule"]
    return {kind: part for kind, part in kinds.items() if part.__module__ == "deepwright.train.schedule"}


def factors(kind: str) -> list[float]:
    """The factor of each step of a run of 200, as a training would ask for it.

    Plateau falls by what it watches; here that stays as it is from the middle of a run of 20 epochs on.
    """
    schedule = Schedule.parse(kind)
    adapt = getattr(schedule, "adapt", None)
    found = []
    for step in range(STEPS):
        epoch = step * 20 // STEPS
        watched = [1.0 - min(done, 10) / 10 for done in range(epoch)]
        found.append(schedule.factor(step, STEPS) * (adapt(watched, greater_is_better=False) if adapt else 1.0))
    return found


def plot(kind: str) -> str:
    """The schedule with its defaults as SVG: from left to right the run, from bottom to top the factor 0 to 1."""
    across, up = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    points = " ".join(
        f"{EDGE + across * step / (STEPS - 1):.1f},{HEIGHT - EDGE - up * factor:.1f}"
        for step, factor in enumerate(factors(kind))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f"<title>schedule {kind}: the rate over the run, as a factor of the optimizer's</title>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<path d="M{EDGE} {EDGE}V{HEIGHT - EDGE}H{WIDTH - EDGE}" fill="none" stroke="#999"/>'
        f'<polyline points="{points}" fill="none" stroke="#1a66b3" stroke-width="2"/></svg>\n'
    )


def section(title: str, part: type[Part], level: int = 2) -> str:
    rows = [row(part, name) for name in part.model_fields]
    table = "\n".join(["| option | takes | default | |", "|---|---|---|---|", *rows]) + "\n" if rows else ""
    return f"{'#' * level} {title}\n\n{paragraph(part)}\n" + (f"\n{table}" if table else "")


def row(part: type[Part], name: str) -> str:
    field = part.model_fields[name]
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    notes = [field.description or ""]
    if extra.get("unit"):
        notes.append(f"in {extra['unit']}")
    if extra.get("search"):
        notes.append("searched: " + ", ".join(shown(value) for value in extra["search"]))
    cells = [f"`{name}`", allowed(part, name), default_of(part, name), "; ".join(notes)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def default_of(part: type[Part], name: str) -> str:
    field = part.model_fields[name]
    return "must be given" if field.is_required() else shown(field.get_default(call_default_factory=True))


def shown(value: Any) -> str:
    if isinstance(value, Part):
        return value.kind or "its own defaults"
    if isinstance(value, tuple):
        return ", ".join(shown(item) for item in value) or "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def paragraph(part: type[Part]) -> str:
    """A docstring's first paragraph on one line."""
    return inspect.cleandoc(part.__doc__ or "").split("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
