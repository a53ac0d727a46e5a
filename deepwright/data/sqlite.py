"""SQLite: a file opened read-only, in which nothing but SELECT is allowed and nothing is written beside it."""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import numpy as np

from deepwright.core.errors import DataError, ResourceError
from deepwright.core.text import text
from deepwright.data.cells import value_text
from deepwright.data.names import check_names
from deepwright.data.raw import Asides, Raw
from deepwright.data.signature import regular_file
from deepwright.data.table import Table
from deepwright.data.tidy import Tidied, tidy

ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
STEPS = 10_000
"""Virtual machine steps between two looks at the clock."""


class Database:
    """An open database; a context manager."""

    def __init__(self, uri: str, timeout_s: float) -> None:
        self.path = regular_file(uri.removeprefix("sqlite:///"))
        self._end_s = time.monotonic() + timeout_s
        self._timeout_s = timeout_s
        log = Path(f"{self.path}-wal")
        is_whole = not log.exists() or not log.stat().st_size  # else the newest rows stand in the log beside it
        address = f"file:{quote(str(self.path))}?mode=ro" + ("&immutable=1" if is_whole else "")
        self._connection = sqlite3.connect(address, uri=True, isolation_level=None)
        self._connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        self._connection.execute("PRAGMA trusted_schema = OFF")
        self._connection.set_authorizer(_authorise)
        self._connection.set_progress_handler(lambda: time.monotonic() > self._end_s, STEPS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def tables(self) -> list[str]:
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        return [str(name) for (name,) in self._run(query)]

    def count(self, query: str) -> int:
        return int(self._run(f"SELECT count(*) FROM (\n{query}\n)")[0][0])

    def rows(self, query: str, where: str, order: Sequence[str], options: Table) -> Raw:
        """Raises DataError for columns of bytes and for a query that cannot be run."""
        from deepwright.data.sql import ordered_query

        rows = self._run(ordered_query(query, order))
        names = tuple(str(name).strip() for name in self.names)
        check_names(where, names, options.max_columns)
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
        for name, column in zip(names, columns, strict=True):
            if any(isinstance(value, bytes) for value in column):
                raise DataError("parquet.nested", path=where, column=name, found="blob")
        asides, bad = Asides(), np.zeros(len(rows), dtype=bool)
        for reason, is_bad in ((text("aside.nul"), _has_nul), (text("aside.not_utf8"), _has_surrogate)):
            found = np.array([any(map(is_bad, row)) for row in rows], dtype=bool) & ~bad
            asides.add(reason, np.flatnonzero(found) + 1)
            bad |= found
        tidied = Tidied()
        cells = {
            name: tidy(
                name, [value_text(value) for value, out in zip(column, bad, strict=True) if not out], options, tidied
            )
            for name, column in zip(names, columns, strict=True)
        }
        forms = {name: _form(column) for name, column in zip(names, columns, strict=True)}
        origin = np.flatnonzero(~bad) + 1
        return Raw(names, cells, origin, where, "", options, asides.records(), tidied, forms=forms)

    def _run(self, query: str) -> list[tuple[Any, ...]]:
        try:
            cursor = self._connection.execute(query)
            self.names = [column[0] for column in cursor.description or ()]
            return cursor.fetchall()
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise ResourceError("sql.timeout", uri=self.path, limit=self._timeout_s) from None
            raise DataError("sql.query", uri=self.path, why=error) from None
        except (sqlite3.Error, sqlite3.Warning) as error:
            if "prohibited" in str(error) or "not authorized" in str(error):
                raise DataError("sql.not_select", uri=self.path) from None
            raise DataError("sql.query", uri=self.path, why=error) from None


def _authorise(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY


def _has_nul(value: object) -> bool:
    return isinstance(value, str) and "\0" in value


def _has_surrogate(value: object) -> bool:
    return isinstance(value, str) and not value.isascii() and any("\udc80" <= c <= "\udcff" for c in value)


def _form(column: list[Any]) -> str:
    """What the values are, if they are all of one kind; a column of SQLite may mix them."""
    kinds = {"text" if isinstance(value, str) else "number" for value in column if value is not None}
    return kinds.pop() if len(kinds) == 1 else ""
