"""What a command line asks for: the recipe's options among its arguments, and the recipe that they make."""

from pathlib import Path
from typing import Any

from deepwright import parts
from deepwright.core.errors import UsageError
from deepwright.core.flags import apply_flags, is_recipe_flag
from deepwright.core.recipe import Recipe
from deepwright.core.recipe_file import load_recipe, read_recipe
from deepwright.data.detect import source_for

Flags = list[tuple[str, str]]
"""Options of the recipe as they were typed: (dotted name, text)."""
OWN = ("allow", "plugin")
"""Names of a recipe that a command has as options of its own, with other values."""


def take_flags(arguments: list[str]) -> tuple[Flags, list[str]]:
    """The recipe's options, and the arguments that are left. Raises UsageError for one without a value.

    >>> take_flags(["run", "a.csv", "--target", "y", "--final", "--train.epochs=3"])
    ([('target', 'y'), ('train.epochs', '3')], ['run', 'a.csv', '--final'])
    """
    flags: Flags = []
    rest: list[str] = []
    position = 0
    while position < len(arguments):
        argument = arguments[position]
        name, equals, value = argument[2:].partition("=") if argument.startswith("--") else ("", "", "")
        name = name.replace("-", "_")
        position += 1
        if not name or not is_recipe_flag(name) or name in OWN:
            rest.append(argument)
            continue
        if not equals:
            if position == len(arguments):
                raise UsageError("cli.flag_without_value", flag=argument)
            value = arguments[position]
            position += 1
        flags.append((name, value))
    return flags, rest


def asked_recipe(
    source: str, flags: Flags, *, plugin: Path | None = None, allow: str | None = None, reason: str | None = None
) -> Recipe:
    """The recipe of a YAML file or of a bare source, with the flags applied. Defines the parts that are installed."""
    path = Path(source)
    data: dict[str, Any]
    if path.suffix in (".yaml", ".yml"):
        given = read_recipe(path)
        named = given.get("plugin")
        plugin = plugin or (Path(named) if isinstance(named, str) else None)
        digest = load_parts(plugin)
        data = given  # what it leaves open stays open, so that a flag's kind or quality brings what suits it
        if "transfer" not in given or "network" in given:
            load_recipe(path)  # what is wrong in the file itself is told as such
    else:
        digest = load_parts(plugin)
        data = {"source": source_for(source)}
    data = apply_flags(_begun(data, flags), flags)
    if plugin is not None:
        data |= {"plugin": str(plugin), "plugin_sha256": digest}
    if allow is not None:
        if reason is None:
            raise UsageError("cli.allow_without_reason", rules=allow)
        data["allow"] = [{"rule": rule.strip(), "reason": reason} for rule in allow.split(",")]
    return Recipe.parse(data)


def load_parts(plugin: Path | None = None) -> str | None:
    """Define the parts that are installed, and those of a Python file; gives that file's SHA-256."""
    parts.load_installed()
    return parts.load_plugin(plugin) if plugin is not None else None


def _begun(data: dict[str, Any], flags: Flags) -> dict[str, Any]:
    """Plain data of a recipe with what the weights bring that it begins with (--from, or a file's `transfer`)."""
    transfer = data["transfer"] if isinstance(data.get("transfer"), dict) else {}
    asked = next((value for name, value in flags if name in ("from", "transfer.path")), None)
    if asked is None and (transfer.get("path") is None or "network" in data):
        return data
    from deepwright.practice.origin import begun_with

    if asked is not None:
        data = {**data, "transfer": {k: v for k, v in transfer.items() if k not in ("path", "sha256")}}
    return begun_with(data, asked or transfer["path"])
