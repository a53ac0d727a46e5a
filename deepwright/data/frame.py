"""Rows handed over in Python: polars and pandas frames, Arrow tables, a dict of arrays, (X, y) arrays."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from deepwright.core.dataset import column_bytes
from deepwright.core.errors import DataError
from deepwright.data.cells import value_text
from deepwright.data.names import check_names
from deepwright.data.raw import Raw
from deepwright.data.table import Table
from deepwright.data.tidy import Tidied, tidy


def read_object(data: Any, options: Table | None = None, *, target: str = "target") -> Raw:
    """The rows of a frame or of arrays, as cells.

    A pair (X, y) has columns x0, x1 ... (or `options.columns`) and `target`. None, NaN, NaT and pd.NA are missing.
    Raises DataError for other objects, unequal lengths and cells that are no single value.
    """
    options = options or Table()
    origin_of = type(data).__module__.split(".")[0]
    name = f"{origin_of}.{type(data).__name__}" if origin_of not in ("builtins", "numpy") else type(data).__name__
    if origin_of in ("polars", "pyarrow") and hasattr(data, "columns"):
        return _from_arrow(data, name, options)
    if isinstance(data, tuple) and len(data) == 2:
        columns = _pair(data[0], data[1], options, target)
    elif origin_of == "pandas" and hasattr(data, "columns"):
        names = [str(column).strip() for column in data.columns]
        check_names(name, tuple(names), options.max_columns)
        columns = {key: data.iloc[:, place].to_numpy() for place, key in enumerate(names)}
    elif isinstance(data, Mapping):
        check_names(name, tuple(str(key).strip() for key in data), options.max_columns)
        columns = {str(key).strip(): _array(str(key), value) for key, value in data.items()}
    else:
        raise DataError("frame.unknown", found=name)
    return _from_columns(columns, name, options)


def _from_arrow(data: Any, name: str, options: Table) -> Raw:
    from deepwright.data.arrow import cells_of_table

    table = data.to_arrow() if hasattr(data, "to_arrow") else data
    raw = cells_of_table(table, name, options, 0, "")
    _require_rows(len(raw), name)
    return _hashed(raw)


def _pair(x: Any, y: Any, options: Table, target: str) -> dict[str, np.ndarray]:
    if hasattr(x, "columns"):  # a frame with its answers beside it
        raw = read_object(x, options)
        return {**raw.cells, target: _array(target, y)}
    matrix = np.asarray(x)
    if matrix.ndim != 2:
        raise DataError("frame.not_two_axes", shape=str(matrix.shape))
    names = options.columns or tuple(f"x{place}" for place in range(matrix.shape[1]))
    if len(names) != matrix.shape[1]:
        raise DataError("table.columns_width", path="X", given=len(names), rows=matrix.shape[1])
    return {**{name: matrix[:, place] for place, name in enumerate(names)}, target: _array(target, y)}


def _array(name: str, value: Any) -> np.ndarray:
    array = value.to_numpy() if hasattr(value, "to_numpy") else np.asarray(value)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError("frame.not_one_axis", column=name, shape=str(array.shape))
    return array


def _from_columns(columns: Mapping[str, np.ndarray], source: str, options: Table) -> Raw:
    check_names(source, tuple(columns), options.max_columns)
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        raise DataError("frame.unequal", sizes=", ".join(f"{name}: {size}" for name, size in sizes.items()))
    size = next(iter(sizes.values()), 0)
    _require_rows(size, source)
    tidied = Tidied()
    cells = {name: tidy(name, _texts(name, column), options, tidied) for name, column in columns.items()}
    raw = Raw(tuple(columns), cells, np.arange(1, size + 1), source, "", options, (), tidied)
    return _hashed(raw)


def _require_rows(size: int, source: str) -> None:
    if not size:
        raise DataError("table.no_rows", path=source)


def _hashed(raw: Raw) -> Raw:
    digest = hashlib.sha256()
    for name in raw.names:
        digest.update(f"{name}\0".encode())
        digest.update(column_bytes(raw.cells[name]))
        digest.update(b"\x1e")
    return replace(raw, sha256=digest.hexdigest())


def _texts(name: str, column: np.ndarray) -> list[str | None]:
    if column.dtype.kind in "fiu":
        values, codes = np.unique(column, return_inverse=True)
        texts = [value_text(value) for value in values]
        return [texts[code] for code in codes.tolist()]
    if column.dtype.kind == "M":
        column = column.astype("datetime64[us]")
    if column.dtype.kind not in "bMOUT":
        raise DataError("frame.cell", column=name, row=1, found=str(column.dtype))
    return [_text(name, row, value) for row, value in enumerate(column.tolist(), 1)]


def _text(name: str, row: int, value: Any) -> str | None:
    try:
        cell = value_text(value)
        if cell is not None and not cell.isascii():
            cell.encode("utf-8")  # half of a surrogate pair is no character
        return cell
    except (TypeError, UnicodeEncodeError) as error:
        raise DataError("frame.cell", column=name, row=row, found=error) from None
