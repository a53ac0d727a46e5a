"""PostgreSQL over ADBC: values come typed, in a read-only transaction with a time limit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from deepwright.core.errors import DataError, ResourceError
from deepwright.data.raw import Raw
from deepwright.data.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = """
SELECT CASE WHEN table_schema = 'public' THEN table_name ELSE table_schema || '.' || table_name END AS name
FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
NUMERIC = "numeric"
CANCELLED = "57014"
READ_ONLY = "25006"
SYNTAX = "42601"


class Database:
    """An open connection; a context manager. Raises ResourceError when the extra is missing or no server answers."""

    def __init__(self, uri: str, timeout_s: float) -> None:
        try:
            from adbc_driver_postgresql import dbapi
        except ModuleNotFoundError:
            raise ResourceError("sql.extra") from None
        self._error = dbapi.Error
        self.host = urlsplit(uri).hostname or uri
        self._timeout_s = timeout_s
        try:
            self._connection = dbapi.connect(uri)
        except dbapi.Error as error:
            raise ResourceError("sql.no_server", host=self.host, why=_first_line(error)) from None
        for setting in (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            f"SET statement_timeout = {int(timeout_s * 1000)}",
        ):
            with self._connection.cursor() as cursor:
                cursor.execute(setting)
            self._connection.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def tables(self) -> list[str]:
        return [str(name) for name in self._run(TABLES).column(0).to_pylist()]

    def count(self, query: str) -> int:
        return int(self._run(f"SELECT count(*) FROM (\n{query}\n) AS rows_").column(0)[0].as_py())

    def rows(self, query: str, where: str, order: Sequence[str], options: Table) -> Raw:
        """Raises DataError for columns of bytes, lists and intervals, and for a query that cannot be run."""
        from dataclasses import replace

        from deepwright.data.arrow import cells_of_table
        from deepwright.data.sql import ordered_query

        found = self._run(ordered_query(query, order))
        names = tuple(str(name).strip() for name in found.column_names)
        numeric = {name for name, field in zip(names, found.schema, strict=True) if _type_name(field) == NUMERIC}
        try:
            raw = cells_of_table(_plain(found, where), where, options, 0, "")
        except OverflowError as error:  # 'infinity' and years above 9999
            raise DataError("sql.query", uri=self.host, why=error) from None
        return replace(raw, forms={**raw.forms, **dict.fromkeys(numeric, "number")})

    def _run(self, query: str) -> "pa.Table":
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetch_arrow_table()
        except self._error as error:
            state = getattr(error, "sqlstate", None)
            if state == CANCELLED:
                raise ResourceError("sql.timeout", uri=self.host, limit=self._timeout_s) from None
            if state == READ_ONLY or (state == SYNTAX and "multiple commands" in str(error)):
                raise DataError("sql.not_select", uri=self.host) from None
            raise DataError("sql.query", uri=self.host, why=_first_line(error)) from None


def _type_name(field: "pa.Field") -> str:
    return str((field.metadata or {}).get(b"POSTGRESQL:type", b"").decode())


def _plain(table: "pa.Table", where: str) -> "pa.Table":
    """Columns of types of their own as texts: exact decimals, UUIDs and JSON. Raises DataError for the others."""
    import pyarrow as pa

    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if isinstance(field.type, pa.BaseExtensionType):
            if field.type.extension_name == "arrow.uuid":
                column = pa.chunked_array([[None if v is None else str(v) for v in column.to_pylist()]], pa.string())
            elif pa.types.is_string(field.type.storage_type):
                column = pa.chunked_array([chunk.storage for chunk in column.chunks], pa.string())
            else:
                raise DataError("parquet.nested", path=where, column=field.name, found=_type_name(field))
        columns.append(column)
    return pa.table(columns, names=table.column_names)


def _first_line(error: Any) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
