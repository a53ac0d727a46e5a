"""SQL: rows of a table or a query of a database, which is only read."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from pydantic import field_validator

from deepwright.core.dataset import column_bytes
from deepwright.core.errors import DataError, RecipeError, ResourceError, did_you_mean
from deepwright.core.part import option
from deepwright.core.report import finding
from deepwright.data.interpret import Interpreted
from deepwright.data.raw import Raw
from deepwright.data.rows import row_hashes

SQLITE, POSTGRESQL = "sqlite:///", ("postgresql://", "postgres://")
SQLITE_MAGIC = b"SQLite format 3\0"


class Sql(Interpreted, kind="sql"):
    """Rows of a database: SQLite by its file, PostgreSQL over ADBC (extra `sql`); nothing but SELECT is run.

    A password stands in no recipe: PostgreSQL's own ways hold (PGPASSWORD, ~/.pgpass, PGSERVICE). A database gives
    rows in any order, so they are sorted by their content unless `order` names columns.

    >>> Sql(uri="sqlite:///shop.db", query="SELECT age, bought FROM visits WHERE year = 2024").timeout_s
    600.0
    """

    uri: str = option(help="sqlite:///FILE or postgresql://USER@HOST:PORT/DATABASE, without a password")
    table: str | None = option(None, "the table or view, SCHEMA.TABLE if need be; none: the only one there is")
    query: str | None = option(None, "one SELECT instead of a table")
    order: tuple[str, ...] = option((), "columns that order the rows, together different in each; none: by content")
    timeout_s: float = option(600.0, "the longest that the database may take", unit="s", above=0, high=86_400)

    @field_validator("uri")
    @classmethod
    def _require_no_password(cls, uri: str) -> str:
        if not uri.startswith((SQLITE, *POSTGRESQL)):
            raise RecipeError("sql.uri", found=uri.partition("://")[0])
        parts = urlsplit(uri)
        if parts.password or any("password" in key.lower() for key in parse_qs(parts.query)):
            raise RecipeError("sql.password", host=parts.hostname or "")
        return uri

    def read(self, target: str | None) -> Raw:
        if self.table is not None and self.query is not None:
            raise RecipeError("sql.both")
        if self.uri.startswith(SQLITE):
            from deepwright.data.sqlite import Database
        else:
            from deepwright.data.postgresql import Database  # type: ignore[assignment]
        with Database(self.uri, self.timeout_s) as database:
            where, query = self._query(database.tables)
            _require_memory(where, database.count(query))
            raw = database.rows(query, where, self.order, self.reading)
        raw = _ordered(raw, self.order)
        return replace(raw, sha256=_content_hash(raw))

    def _query(self, tables: Any) -> tuple[str, str]:
        """What findings call the rows, and the SELECT that gives them."""
        base = self.uri.removeprefix(SQLITE) if self.uri.startswith(SQLITE) else self.uri
        if self.query is not None:
            return f"{base}#query", self.query.strip().rstrip(";")
        table = self.table
        if table is None:
            known = tables()
            if len(known) != 1:
                raise DataError("sql.which", uri=base, known=", ".join(known), example=(known or ["NAME"])[0])
            table = known[0]
        return f"{base}#{table}", f"SELECT * FROM {'.'.join(map(quoted, table.split('.')))}"


def quoted(name: str) -> str:
    """A name as an SQL identifier.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def ordered_query(query: str, order: Sequence[str]) -> str:
    """The query as a subquery, so that nothing but a SELECT can stand there."""
    ending = f" ORDER BY {', '.join(map(quoted, order))}" if order else ""
    return f"SELECT * FROM (\n{query}\n) AS rows_{ending}"


def claims(path: Path) -> dict[str, Any] | None:
    """The source of a SQLite file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        is_mine = file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    return {"kind": "sql", "uri": f"{SQLITE}{path}"} if is_mine else None


def _require_memory(where: str, num_rows: int) -> None:
    import psutil

    if not num_rows:
        raise DataError("table.no_rows", path=where)
    wanted, free = num_rows * 200, psutil.virtual_memory().available  # a row of a few cells, at least
    if wanted > free:
        raise ResourceError("file.memory", path=where, free=free >> 20, wanted=wanted >> 20)


def _ordered(raw: Raw, order: Sequence[str]) -> Raw:
    """The rows as asked for, if the columns tell all rows apart; else sorted by their hashes, which is told."""
    for name in order:  # SQLite takes an unknown name for a text
        if name not in raw.names:
            known = ", ".join(raw.names)
            raise DataError(
                "types.column_absent", source=raw.source, column=name, known=known, hint=did_you_mean(name, raw.names)
            )
    if order:
        keys = list(zip(*(raw.cells[name].tolist() for name in order), strict=True))
        twice = next((place for place in range(1, len(keys)) if keys[place] == keys[place - 1]), None)
        if twice is not None:
            raise DataError(
                "sql.ties", source=raw.source, order=", ".join(order), found=", ".join(map(str, keys[twice]))
            )
        return raw
    place = np.argsort(row_hashes(raw, in_order=True), kind="stable")
    notes = (*raw.notes, finding("sql_order", "note", raw.source))
    kept = raw.take(place)
    return replace(kept, origin=np.arange(1, len(raw) + 1), notes=notes, tidied=raw.tidied, set_aside=raw.set_aside)


def _content_hash(raw: Raw) -> str:
    digest = hashlib.sha256()
    for name in raw.names:
        digest.update(f"{name}\0".encode())
        digest.update(column_bytes(raw.cells[name]))
    return digest.hexdigest()
