"""Which kind of source a bare path is: what lies there decides, and a recipe can always say it instead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from deepwright.data import array_source, cases, excel, images, series_files, sql, texts

CLAIMS: tuple[Callable[[Path], dict[str, Any] | None], ...] = (
    excel.claims,
    images.claims,
    series_files.claims,
    cases.claims,
    array_source.claims,
    sql.claims,
    texts.claims,
)
"""Each looks at a path and gives its source as plain data, or None when it is not for its kind; the first that does
not give None decides."""


def source_for(path: str) -> dict[str, Any]:
    """The source of a path as plain data, a table unless some kind claims it."""
    if path.startswith((sql.SQLITE, *sql.POSTGRESQL)):
        return {"kind": "sql", "uri": path}
    for claim in CLAIMS:
        found = claim(Path(path))
        if found is not None:
            return found
    return {"kind": "table", "path": path}
