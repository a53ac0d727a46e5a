"""The parts as a user reads them: families, kinds, options with what they take, their default and their help."""

import textwrap
from typing import Any

from deepwright import parts
from deepwright.core.errors import UsageError, did_you_mean
from deepwright.core.families import Source
from deepwright.core.flags import SOURCE_FLAGS, flags_of
from deepwright.core.part import Part, allowed
from deepwright.core.recipe import Recipe
from deepwright.core.text import text

WIDTH, INDENT = 110, 36
OTHER_OPTIONS = ("source", "plugin", "plugin_sha256", "allow")
"""Options of the recipe that the command line sets by SOURCE, --with and --allow."""


def lines(family: str | None, kind: str | None) -> list[str]:
    """What `deepwright parts [FAMILY [KIND]]` prints."""
    if family == "recipe":
        return recipe_lines()
    known = parts.families()
    if family is None:
        return _table([(name, ", ".join(kinds)) for name, kinds in known.items() if kinds])
    kinds = _family(known, family)
    if kind is None:
        return _table([(name, first_line(part)) for name, part in kinds.items()])
    part = _kind(kinds, family, kind)
    options = [
        (name, allowed(part, name), _default(part, name), field.description or "")
        for name, field in part.model_fields.items()
    ]
    return [f"{family} {kind}: {first_line(part)}", *_table(options)]


def recipe_lines() -> list[str]:
    """Every flag of `run`: its default, its meaning and what it takes; the table's need no `source.` before them."""
    table = Source.kinds["table"]
    flags = [flag for flag in flags_of(table) if flag[0][2:] in SOURCE_FLAGS]
    flags += [flag for flag in flags_of(Recipe) if flag[0][2:] not in OTHER_OPTIONS]
    lines: list[str] = []
    for flag, takes, default, meaning in flags:
        head = f"{flag} {default}".rstrip()
        body = textwrap.wrap(f"{meaning} [{takes}]", WIDTH - INDENT)
        if len(head) >= INDENT:
            lines.append(head)
            head = ""
        lines += [f"{head:{INDENT}}{body[0]}", *(" " * INDENT + line for line in body[1:])]
    return lines


def record(family: str | None, kind: str | None) -> dict[str, Any]:
    """The same for machines: JSON schema of one kind, or the names."""
    known = parts.families()
    if family is None or family == "recipe":
        return {"families": {name: list(kinds) for name, kinds in known.items()}}
    kinds = _family(known, family)
    if kind is None:
        return {"family": family, "kinds": {name: first_line(part) for name, part in kinds.items()}}
    part = _kind(kinds, family, kind)
    options = {
        name: {"takes": allowed(part, name), "default": _default(part, name), "help": field.description or ""}
        for name, field in part.model_fields.items()
    }
    return {"family": family, "kind": kind, "version": part.version, "options": options}


def first_line(part: type[Part]) -> str:
    """The first sentence of a part's docstring."""
    return (part.__doc__ or "").strip().splitlines()[0] if part.__doc__ else ""


def _family(known: dict[str, dict[str, type[Part]]], family: str) -> dict[str, type[Part]]:
    if family not in known:
        names = [*known, "recipe"]
        raise UsageError("parts.no_family", family=family, allowed=", ".join(names), hint=did_you_mean(family, names))
    return known[family]


def _kind(kinds: dict[str, type[Part]], family: str, kind: str) -> type[Part]:
    if kind not in kinds:
        hint = did_you_mean(kind, list(kinds))
        raise UsageError("part.unknown_kind", where=family, kind=kind, allowed=", ".join(kinds), hint=hint)
    return kinds[kind]


def _default(part: type[Part], name: str) -> str:
    field = part.model_fields[name]
    if field.is_required():
        return text("parts.required")
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Part):
        return value.kind or type(value).__name__
    if isinstance(value, tuple):
        return ",".join(str(v) for v in value) or text("parts.empty")
    return "none" if value is None else str(value)


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    widths = [min(44, max(len(row[i]) for row in rows)) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
