"""JSON Lines, one object per line, and arrays of objects; numbers keep their digits, absent fields are missing."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.errors import DataError
from deepwright.core.text import text
from deepwright.data.names import check_names
from deepwright.data.raw import Asides, Raw
from deepwright.data.table import Table
from deepwright.data.tidy import Tidied, tidy

LINE_LIMIT = 1 << 20


_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]')
"""What matters between the elements of an array: a whole string, a bracket, a comma."""


def elements(content: str, path: Path) -> Iterator[str]:
    """The text of each element of one JSON array. Raises DataError when the array does not end, or not with the file.

    >>> list(elements('[{"a": [1, 2]}, {"a": "],"}]', Path("a.json")))
    ['{"a": [1, 2]}', ' {"a": "],"}']
    """
    start = content.index("[") + 1
    depth = 0
    for found in _MARK.finditer(content, start):
        mark = found[0]
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        if depth < 0 or (mark == "," and not depth):
            yield content[start : found.start()]
            start = found.end()
        if depth < 0:
            break
    if depth >= 0 or content[start:].strip():
        raise DataError("file.json_end", path=path, end=content[-40:].strip())


class _Refused(ValueError):
    """A line that is no row; its text is the reason."""


def read_jsonl(lines: Iterable[str], path: Path, options: Table, *, chunk: int, sha256: str = "") -> Iterator[Raw]:
    """The rows of the lines, `chunk` of them at a time; later chunks have the columns of the first."""
    names: tuple[str, ...] = ()
    number = 0
    numbered = ((count, line) for count, line in enumerate((line for line in lines if line.strip()), 1))
    while True:
        part = list(islice(numbered, chunk))
        if not part and number:
            return
        raw = _raw(part, names, path, options, sha256)
        names = raw.names
        yield raw
        number += len(part)
        if len(part) < chunk:
            return


def _raw(lines: list[tuple[int, str]], names: tuple[str, ...], path: Path, options: Table, sha256: str) -> Raw:
    asides = Asides()
    rows: list[dict[str, str | None]] = []
    origin: list[int] = []
    for number, line in lines:
        try:
            row = _parse(line, options.nested == "dots")
            if names and not row.keys() <= set(names):
                raise _Refused(text("aside.json_field", field=min(row.keys() - set(names))))
        except _Refused as refused:
            asides.add(str(refused), [number])
            continue
        rows.append(row)
        origin.append(number)
    if not names:
        names = tuple(dict.fromkeys(key for row in rows for key in row))
        if not names and lines:
            reasons = "; ".join(f"{entry.reason} ({entry.count})" for entry in asides.records())
            raise DataError("table.no_good_rows", path=path, rows=len(lines), reasons=reasons)
        if not names:
            raise DataError("table.no_rows", path=path)
        check_names(path, names, options.max_columns)
    tidied = Tidied()
    cells = {name: tidy(name, [row.get(name) for row in rows], options, tidied) for name in names}
    return Raw(names, cells, np.array(origin, np.int64), str(path), sha256, options, asides.records(), tidied)


def _parse(line: str, is_flattened: bool) -> dict[str, str | None]:
    if len(line) > LINE_LIMIT:
        raise _Refused(text("aside.json_long", limit=LINE_LIMIT))
    try:
        value = json.loads(
            line, parse_int=str, parse_float=str, parse_constant=_no_constant, object_pairs_hook=_no_double_field
        )
    except json.JSONDecodeError as error:
        raise _Refused(text("aside.json", why=error.msg)) from None
    except RecursionError:
        raise _Refused(text("aside.json_nested", field="")) from None
    if not isinstance(value, dict):
        raise _Refused(text("aside.json_no_object"))
    if is_flattened:
        value = _no_double_field(list(_flattened(value)))
    return {key: _cell(key, cell) for key, cell in value.items()}


def _flattened(value: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Fields of objects within objects, with the names of all of them and dots between."""
    for key, cell in value.items():
        if isinstance(cell, dict):
            yield from _flattened(cell, f"{before}{key}.")
        else:
            yield before + key, cell


def _cell(key: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        if value is not None and not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                raise _Refused(text("aside.not_utf8")) from None
        if value is not None and "\0" in value:
            raise _Refused(text("aside.nul"))
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise _Refused(text("aside.json_nested", field=key))


def _no_constant(word: str) -> Any:
    raise _Refused(text("aside.json_constant", found=word))


def _no_double_field(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {key.strip(): value for key, value in pairs}
    if len(found) != len(pairs):
        keys = [key.strip() for key, _ in pairs]
        raise _Refused(text("aside.json_double", field=next(key for key in keys if keys.count(key) > 1)))
    return found
