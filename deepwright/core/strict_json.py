"""JSON as we accept it: UTF-8, no duplicate keys, no NaN or infinity, bounded depth."""

import json
from typing import Any

MAX_DEPTH = 32


def loads(content: bytes) -> Any:
    """The value. Raises ValueError saying what is wrong: duplicate key, NaN, depth, encoding, syntax."""
    text = content.decode("utf-8")
    _check_depth(text)
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key!r} stands twice")
            seen.add(key)
    return result


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number in JSON")


def _check_depth(text: str) -> None:
    depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
        elif character in "]}":
            depth -= 1
