"""JSON Lines: one object per line; numbers keep their own digits, a field that is absent is missing."""

import json
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
            row = _parse(line)
            if names and not row.keys() <= set(names):
                raise _Refused(text("aside.json_field", field=min(row.keys() - set(names))))
        except _Refused as refused:
            asides.add(str(refused), [number])
            continue
        rows.append(row)
        origin.append(number)
    if not names:
        names = tuple(dict.fromkeys(key for row in rows for key in row))
        if not names:
            raise DataError("table.no_rows", path=path)
        check_names(path, names, options.max_columns)
    tidied = Tidied()
    cells = {name: tidy(name, [row.get(name) for row in rows], options, tidied) for name in names}
    return Raw(names, cells, np.array(origin, np.int64), str(path), sha256, options, asides.records(), tidied)


def _parse(line: str) -> dict[str, str | None]:
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
    return {key: _cell(key, cell) for key, cell in value.items()}


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
