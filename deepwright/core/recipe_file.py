"""Recipe files: YAML 1.2 without tags, anchors or aliases; duplicate keys are refused with both lines."""

import io
import re
from pathlib import Path
from typing import Any

from deepwright.core.errors import RecipeError
from deepwright.core.recipe import Recipe

SIZE_LIMIT_BYTES = 1 << 20
DEPTH_LIMIT = 32
DIGITS_LIMIT = 400

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def scalar(word: str) -> Any:
    """A plain word as YAML 1.2's core schema reads it: null, true, false, integers, floats; all else is text.

    >>> scalar("1e-3"), scalar("NO"), scalar("12:30:45"), scalar("true"), scalar("~")
    (0.001, 'NO', '12:30:45', True, None)
    """
    if word in ("", "~", "null", "Null", "NULL"):
        return None
    if word in ("true", "True", "TRUE"):
        return True
    if word in ("false", "False", "FALSE"):
        return False
    if len(word) > DIGITS_LIMIT:
        return word
    if _INT.fullmatch(word):
        return int(word)
    if _FLOAT.fullmatch(word):
        return float(word)
    return word


def load_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file. Raises RecipeError naming the line, what was found and what is allowed."""
    return Recipe.parse(read_recipe(path))


def read_recipe(path: Path) -> dict[str, Any]:
    """The plain data of a recipe's file, before its parts are known. Raises RecipeError."""
    if not path.is_file():
        raise RecipeError("yaml.no_file", path=path)
    if path.stat().st_size > SIZE_LIMIT_BYTES:
        raise RecipeError("yaml.too_large", path=path, found=path.stat().st_size, limit=SIZE_LIMIT_BYTES)
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError("yaml.not_utf8", path=path, offset=error.start) from None
    data = parse_yaml(text, str(path))
    if not isinstance(data, dict):
        raise RecipeError("yaml.not_a_mapping", path=path, found=type(data).__name__)
    return data


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as YAML with every default visible; `load_recipe` reads it back to an equal recipe."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096
    stream = io.StringIO()
    yaml.dump(recipe.dump(), stream)
    return stream.getvalue()


def parse_yaml(text: str, path: str) -> Any:
    """Plain data of one YAML document. Raises RecipeError naming file and line."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        _check_nesting(text, path)
        return _Reader(YAML(typ="safe", pure=True).parse(io.StringIO(text)), path).document()
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise RecipeError("yaml.syntax", path=path, line=line, why=getattr(error, "problem", None) or "?") from None


def _check_nesting(text: str, path: str) -> None:
    """Refuse deep flow nesting before the parser, whose time grows with it, sees it."""
    depth = 0
    for line, content in enumerate(text.splitlines(), start=1):
        for character in content:
            depth += (character in "[{") - (character in "]}")
            if depth > DEPTH_LIMIT:
                raise RecipeError("yaml.too_deep", path=path, line=line, limit=DEPTH_LIMIT)


class _Reader:
    """Builds plain data from the parser's events, refusing what a recipe has no use for."""

    def __init__(self, events: Any, path: str) -> None:
        self.events = iter(events)
        self.path = path

    def document(self) -> Any:
        value: Any = None
        num_documents = 0
        for event in self.events:
            name = type(event).__name__
            if name == "DocumentStartEvent":
                num_documents += 1
                if num_documents > 1:
                    raise RecipeError("yaml.two_documents", path=self.path, line=event.start_mark.line + 1)
                value = self._value(next(self.events), 0)
        return value

    def _value(self, event: Any, depth: int) -> Any:
        line = event.start_mark.line + 1
        name = type(event).__name__
        if name == "AliasEvent" or getattr(event, "anchor", None) is not None:
            raise RecipeError("yaml.anchor", path=self.path, line=line)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise RecipeError("yaml.tag", path=self.path, line=line, tag=tag)
        if depth > DEPTH_LIMIT:
            raise RecipeError("yaml.too_deep", path=self.path, line=line, limit=DEPTH_LIMIT)
        if name == "ScalarEvent":
            return self._scalar(event, line)
        if name == "SequenceStartEvent":
            return self._sequence(depth)
        return self._mapping(depth)

    def _scalar(self, event: Any, line: int) -> Any:
        if event.style in ("'", '"', "|", ">"):
            return str(event.value)
        if len(event.value) > DIGITS_LIMIT and _INT.fullmatch(event.value):
            raise RecipeError(
                "yaml.long_number", path=self.path, line=line, digits=len(event.value), limit=DIGITS_LIMIT
            )
        return scalar(event.value)

    def _sequence(self, depth: int) -> list[Any]:
        items = []
        while type(event := next(self.events)).__name__ != "SequenceEndEvent":
            items.append(self._value(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while type(event := next(self.events)).__name__ != "MappingEndEvent":
            line = event.start_mark.line + 1
            key = str(event.value) if type(event).__name__ == "ScalarEvent" else ""
            if not key:
                raise RecipeError("yaml.bad_key", path=self.path, line=line)
            if key in items:
                raise RecipeError("yaml.duplicate_key", path=self.path, key=key, first=lines[key], second=line)
            lines[key] = line
            items[key] = self._value(next(self.events), depth + 1)
        return items
