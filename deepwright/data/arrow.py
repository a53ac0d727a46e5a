"""Parquet files and Arrow tables: the distinct values of each column become texts, never the decoded rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core.errors import DataError, ResourceError
from deepwright.data.cells import value_text
from deepwright.data.names import check_names
from deepwright.data.raw import Raw
from deepwright.data.table import Table
from deepwright.data.tidy import Tidied, tidy

if TYPE_CHECKING:
    import pyarrow as pa

CELL_BYTES = 24
"""Memory of one cell while it is read: a reference, a code and Arrow's own index."""


def read_parquet(
    path: Path, options: Table, *, chunk: int | None, sha256: str = "", content: bytes | None = None
) -> Iterator[Raw]:
    """The rows of a Parquet file, `chunk` of them at a time, or all at once. content: its bytes, if not on disk.

    Raises DataError for a broken file and for nested or binary columns, ResourceError when the rows cannot fit.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    where = path if content is None else pa.BufferReader(content)
    try:
        file = pq.ParquetFile(where)
        is_text = (pa.types.is_string, pa.types.is_large_string)
        texts = [field.name for field in file.schema_arrow if any(test(field.type) for test in is_text)]
        file = pq.ParquetFile(where, read_dictionary=texts)
        _require_flat(path, file.schema_arrow)
        if chunk is None:
            _require_memory(path, file.metadata.num_rows * file.metadata.num_columns * CELL_BYTES)
            yield cells_of_table(file.read(), str(path), options, 0, sha256)
            return
        number = 0
        for batch in file.iter_batches(chunk):
            yield cells_of_table(pa.Table.from_batches([batch]), str(path), options, number, sha256)
            number += batch.num_rows
        if number == 0:
            raise DataError("table.no_rows", path=path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError("parquet.broken", path=path, why=str(error).splitlines()[0]) from None


def cells_of_table(table: "pa.Table", source: str, options: Table, before: int, sha256: str) -> Raw:
    """An Arrow table's rows as cells; `before` rows of the source came earlier."""
    _require_flat(source, table.schema)
    tidied = Tidied()
    names = tuple(name.strip() for name in table.column_names)
    check_names(source, names, options.max_columns)
    cells = {name: _cells(name, column, options, tidied) for name, column in zip(names, table.columns, strict=True)}
    origin = np.arange(before + 1, before + table.num_rows + 1)
    forms = {name: _form(column.type) for name, column in zip(names, table.columns, strict=True)}
    return Raw(names, cells, origin, source, sha256, options, (), tidied, forms=forms)


def _form(kind: "pa.DataType") -> str:
    """What the values are, whatever their width: an empty string where no value says it."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_null(kind):
        return ""
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    return "time" if pa.types.is_temporal(kind) else "text"


def _cells(name: str, column: "pa.ChunkedArray", options: Table, tidied: Tidied) -> np.ndarray:
    import pyarrow as pa

    if pa.types.is_null(column.type):
        return np.full(len(column), None, dtype=object)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # how an empty column comes back
        column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    texts = [value_text(value) for value in _values(column.dictionary)]
    codes = column.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False).astype(np.int64)
    times = np.bincount(codes, minlength=len(texts) + 1).tolist()
    values = tidy(name, texts, options, tidied, times[:-1])
    with_missing = np.empty(len(values) + 1, dtype=object)
    with_missing[: len(values)] = values
    return with_missing[codes]


def _values(dictionary: "pa.Array") -> list[Any]:
    import pyarrow as pa

    if pa.types.is_floating(dictionary.type):
        return list(dictionary.to_numpy(zero_copy_only=False))  # keeps float32, whose shortest text is shorter
    if pa.types.is_timestamp(dictionary.type) and dictionary.type.unit == "ns":
        dictionary = dictionary.cast(pa.timestamp("us", dictionary.type.tz), safe=False)
    return dictionary.to_pylist()


def _require_flat(source: object, schema: "pa.Schema") -> None:
    import pyarrow as pa

    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if _holds_no_cell(kind):
            raise DataError("parquet.nested", path=source, column=field.name, found=str(field.type))


def _holds_no_cell(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return pa.types.is_nested(kind) or binary or pa.types.is_duration(kind) or pa.types.is_interval(kind)


def _require_memory(path: Path, wanted: int) -> None:
    import psutil

    free = psutil.virtual_memory().available
    if wanted > free:
        raise ResourceError("file.memory", path=path, free=free >> 20, wanted=wanted >> 20)
