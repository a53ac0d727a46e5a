"""Flags: `--train.optimizer.lr 1e-3` and its like, read by the options' own definitions."""

import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

from deepwright.core.errors import RecipeError, UsageError, did_you_mean
from deepwright.core.part import Part, allowed
from deepwright.core.prepare import split_unescaped
from deepwright.core.recipe import BOUNDS, Recipe, suited_to, usual_for
from deepwright.core.recipe_file import scalar

SOURCE_FLAGS = ("test", "validation", "columns", "map", "delimiter", "encoding", "types", "missing")
"""Options of the source that need no `source.` before them."""

SHORT = {"from": "transfer.path"}
"""Flags that are short for another."""

SERIES_FLAGS = frozenset({"source.time", "source.entity"})
"""A table of which one of these is said is a series."""


def is_recipe_flag(name: str) -> bool:
    """Whether `--name` sets an option of the recipe."""
    return name.split(".")[0] in Recipe.model_fields or name in SOURCE_FLAGS or name in SHORT


def apply_flags(data: dict[str, Any], flags: list[tuple[str, str]]) -> dict[str, Any]:
    """Plain recipe data with flags (dotted name, text) applied; shorter names first: a kind comes before its options.

    Raises UsageError for a name that is unknown or stands twice, and RecipeError for a value of the wrong type.
    """
    flags = [(SHORT.get(name, name), value) for name, value in flags]
    kind = next((value for name, value in flags if name == "source"), data.get("source"))
    result = {**{name: value for name, value in usual_for(kind).items() if name != "train"}, **data}
    names = [name.removeprefix("source.") for name, _ in flags]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError("flags.twice", flag=f"--{twice[0]}")
    if _is_table(result.get("source")) and SERIES_FLAGS & {name for name, _ in flags}:
        result = _set(Recipe, result, ["source"], "series", "source")
    for name, value in sorted(flags, key=lambda flag: flag[0].count(".")):
        path = ["source", name] if name in SOURCE_FLAGS else name.split(".")
        result = _set(Recipe, result, path, value, name)
    return _as_many_epochs(result, {name for name, _ in flags})


def _as_many_epochs(data: dict[str, Any], named: set[str]) -> dict[str, Any]:
    """Who names the epochs gets these, whatever bounds of steps stood in the data before."""
    bounds = BOUNDS & (data.get("train") or {}).keys()
    if "train.epochs" not in named or not bounds or any(f"train.{bound}" in named for bound in BOUNDS):
        return data
    return {**data, "train": {**data["train"], **dict.fromkeys(bounds)}}


def _is_table(source: Any) -> bool:
    return isinstance(source, dict) and source.get("kind") == "table"


def _set(part: type[Part], data: dict[str, Any], path: list[str], value: str, name: str) -> dict[str, Any]:
    head, rest = path[0], path[1:]
    field = part.model_fields.get(head)
    if field is None:
        prefix = name[: len(name) - len(".".join(path))]
        known = [f"--{prefix}{option}" for option in part.model_fields]
        hint = did_you_mean(f"--{prefix}{head}", known)
        raise UsageError("flags.unknown", flag=f"--{name}", allowed=" ".join(known), hint=hint)
    nested = part_of(field.annotation)
    if not rest:
        made = _kind_or_value(part, head, nested, value, name)
        if head == "source" and isinstance(made, dict) and "path" in (data.get(head) or {}):
            made = {"path": data[head]["path"], **made}  # the same file, read as another kind
        return {**data, head: made}
    if nested is None:
        raise UsageError("flags.no_options", flag=f"--{name}", option=head)
    inner = data.get(head)
    if inner is None:  # the kind alone: what no flag names stays open
        inner = field.get_default(call_default_factory=True)
        inner = inner.kind or None if isinstance(inner, Part) else inner
    inner = {"kind": inner} if isinstance(inner, str) else dict(inner or {})
    target = nested
    if nested.family and not nested.kind:
        kind = inner.get("kind")
        if kind is None:
            example = sorted(nested.kinds)[0]
            raise UsageError(
                "flags.kind_first", flag=f"--{name}", option=f"--{'.'.join(name.split('.')[:-1])}", example=example
            )
        if kind not in nested.kinds:
            nested.parse(kind, head)
        target = nested.kinds[kind]
    return {**data, head: _set(target, inner, rest, value, name)}


def _kind_or_value(part: type[Part], head: str, nested: type[Part] | None, value: str, name: str) -> Any:
    annotation = part.model_fields[head].annotation
    if nested is not None and get_origin(annotation) is not tuple:
        if scalar(value) is None or (value == "none" and "none" not in nested.kinds):
            return None
        return {"kind": value}
    entry = _entry_of(annotation)
    if entry is not None:
        return [] if value == "none" else [_entry(entry, line, name) for line in split_unescaped(value, ";")]
    try:
        return convert(value, annotation)
    except ValueError:
        found = repr(value) if len(value) <= 80 else repr(value[:77] + "...")
        raise RecipeError("part.bad_value", where=f"--{name}", found=found, allowed=allowed(part, head)) from None


def _entry_of(annotation: Any) -> Any:
    """The part that each entry of a list is, if its entries can be written in one line."""
    arguments = get_args(annotation)
    return arguments[0] if get_origin(annotation) is tuple and hasattr(arguments[0], "read_line") else None


def _entry(part: Any, line: str, name: str) -> dict[str, Any]:
    """One entry of a list in plain data, its options converted as flags are."""
    data, options = part.read_line(line)
    part = part.kinds.get(data.get("kind", ""), part)
    for option, value in sorted(options, key=lambda pair: pair[0].count(".")):
        data = _set(part, data, option.split("."), value, f"{name}.{option}")
    return dict(data)


def convert(value: str, annotation: Any) -> Any:
    """A flag's text as the option's type wants it: lists split at commas, texts as they are, the rest as YAML words.
    What is true or false takes yes and no as well.

    >>> convert("64,64", tuple[int, ...]), convert("1e-3", float), convert("007", str), convert("no", bool)
    ((64, 64), 0.001, '007', False)
    """
    choices = list(get_args(annotation)) if get_origin(annotation) in (Union, types.UnionType) else [annotation]
    for choice in choices:
        if get_origin(choice) is tuple:
            words = [word.strip() for word in value.split(",")] if value.strip() else []
            return tuple(convert(word, get_args(choice)[0]) for word in words)
    if str in choices or any(isinstance(a, str) for choice in choices for a in get_args(choice)):
        return None if type(None) in choices and value in ("none", "null", "~") else value
    if any(isinstance(choice, type) and issubclass(choice, Part) for choice in choices):
        return value
    if bool in choices and value in ("yes", "no"):
        return value == "yes"
    found = None if value == "none" else scalar(value)
    if isinstance(found, str):
        raise ValueError(value)
    return found


def part_of(annotation: Any) -> type[Part] | None:
    """The part class that an option holds, if it holds one: also behind `| None`."""
    choices = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    for choice in choices:
        if isinstance(choice, type) and issubclass(choice, Part):
            return choice
    return None


def flags_of(
    part: type[Part], prefix: str = "", suited: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, str, str, str]]:
    """Every flag of a part, nested ones by their default kind: (flag, what it takes, default, help).

    suited: plain data that hold instead of the part's own defaults; a recipe's are what its default network recommends.
    """
    if part is Recipe:
        suited = {"train": suited_to(Recipe.model_fields["network"].default)}
    for name, field in part.model_fields.items():
        default = field.get_default(call_default_factory=True)
        held = (suited or {}).get(name, default)
        inner = held if isinstance(held, dict) else {}
        if held is not default:
            default = inner.get("kind", default) if inner else held
        shown = default.kind or "" if isinstance(default, Part) else default
        shown = ",".join(str(d) for d in shown) if isinstance(shown, tuple) else shown
        flag = f"{prefix}{name}"
        nested = part_of(field.annotation)
        if nested is None or nested.family:
            required = field.is_required()
            text = "" if required else ("none" if shown is None else str(shown))
            yield f"--{flag}", allowed(part, name), text, field.description or ""
        if nested is not None:
            target = nested.kinds.get(default) if isinstance(default, str) else None if nested.family else nested
            if target is not None:
                yield from flags_of(target, f"{flag}.", inner)
