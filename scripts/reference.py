"""Writes docs/reference.md from the parts themselves; `--check` only says whether it is up to date."""

import inspect
import os
import sys
from pathlib import Path
from typing import Any

os.environ["DEEPWRIGHT_LANG"] = "en"

from deepwright import parts
from deepwright.core.part import FAMILIES, Part, allowed
from deepwright.core.recipe import Prepare, Recipe, Train

PATH = Path(__file__).parents[1] / "docs" / "reference.md"

HEAD = """# Reference

Written by `make reference` from the parts' own definitions; do not edit. Every option below is a field in Python, a key
in YAML, and a flag with its path: `--train.epochs 20`, `--network.dropout 0.2`.
"""


def main() -> int:
    text = reference()
    if "--check" in sys.argv[1:]:
        is_current = PATH.is_file() and PATH.read_text(encoding="utf-8") == text
        print("docs/reference.md is up to date" if is_current else "docs/reference.md is old: run make reference")
        return 0 if is_current else 1
    PATH.write_text(text, encoding="utf-8")
    return 0


def reference() -> str:
    """The whole page: the recipe, then every family of which a recipe or a command names kinds."""
    pieces = [HEAD, section("recipe", Recipe), section("recipe: prepare", Prepare), section("recipe: train", Train)]
    for name, kinds in parts.families().items():
        pieces.append(f"## {name}\n\n{paragraph(FAMILIES[name])}\n")
        pieces += [section(f"{name}: {kind}", part, level=3) for kind, part in kinds.items()]
    return "\n".join(pieces)


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
