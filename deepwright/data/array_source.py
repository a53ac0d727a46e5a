"""Array source: a table in .npy, .npz or idx files, each array one column or several."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.disk import sha256_file
from deepwright.core.errors import DataError, ResourceError
from deepwright.core.part import option
from deepwright.core.seal import TEST, TRAIN, VALIDATION
from deepwright.data.append import append
from deepwright.data.arrays import array_heads, is_array_file, read_array
from deepwright.data.interpret import Interpreted
from deepwright.data.raw import Raw, SourceFile
from deepwright.data.signature import regular_file

PART = re.compile(r"(?P<base>.+?)_(?P<part>train|training|valid|validation|val|test|testing)", re.IGNORECASE)
PARTS = {"tr": TRAIN, "va": VALIDATION, "te": TEST}
CELL_BYTES = 40
"""Memory of one cell while it is read: a reference, a code, and the lists they are made in."""

FORMS = {"b": "bool", "i": "number", "u": "number", "f": "number", "M": "time", "U": "text"}


class Arrays(Interpreted, kind="arrays"):
    """Arrays as a table: [N] is a column of the array's name, [N, F] the columns name0, name1 ...

    In an .npz, `x_train`, `x_validation` and `x_test` are the parts of one array. Nothing is ever unpickled.

    >>> Arrays(path="measured.npz", keys=("x", "y")).keys
    ('x', 'y')
    """

    path: str = option(help="a .npy, .npz or idx file (.gz too)")
    labels: str | None = option(None, "a further .npy or idx file with one answer per row, read as column y")
    keys: tuple[str, ...] = option((), "which arrays of an .npz are read; none: all of them")
    columns: tuple[str, ...] = option((), "names of the columns, labels left out; none: by the arrays' names")

    def read(self, target: str | None) -> Raw:
        path = regular_file(self.path)
        arrays = _read(path, self.keys)
        files = [path]
        if self.labels is not None:
            labels = regular_file(self.labels)
            arrays |= {(part, "y"): array for (part, _), array in _read(labels, ()).items()}
            files.append(labels)
        parts = {part: {name: array for (p, name), array in arrays.items() if p == part} for part, _ in arrays}
        raws = [self._raw(named, part) for part, named in parts.items()]
        whole = append(raws, self.path) if len(raws) > 1 else raws[0]
        sources = tuple(SourceFile(str(file), sha256_file(file), len(whole)) for file in files)
        return replace(whole, source=self.path, files=sources, file_of=None)

    def _raw(self, arrays: Mapping[str, np.ndarray], part: int | None) -> Raw:
        from deepwright.data.frame import read_object

        sizes = {name: array.shape[0] for name, array in arrays.items()}
        if len(set(sizes.values())) > 1:
            shown = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise DataError("array_source.unequal", path=self.path, found=shown)
        columns = self._named(arrays)
        raw = read_object(columns, self.reading)
        forms = {name: FORMS[column.dtype.kind] for name, column in columns.items()}
        given = None if part is None else np.full(len(raw), part, np.int8)
        return replace(raw, source=self.path, forms=forms, part=given)

    def _named(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Every column by its name: those of `columns` go to the columns in order, but for the labels'."""
        found: dict[str, np.ndarray] = {}
        for name, array in arrays.items():
            found |= _columns(name, array)
        if not self.columns:
            return found
        own = [name for name in found if name != "y" or self.labels is None]
        if len(self.columns) != len(own):
            raise DataError("table.columns_width", path=self.path, given=len(self.columns), rows=len(own))
        renamed = dict(zip(own, self.columns, strict=True))
        return {renamed.get(name, name): column for name, column in found.items()}


def claims(path: Path) -> dict[str, Any] | None:
    """The source of an array file that holds rows of numbers."""
    return {"kind": "arrays", "path": str(path)} if path.is_file() and is_array_file(path) else None


def _read(path: Path, keys: Sequence[str]) -> dict[tuple[int | None, str], np.ndarray]:
    """(part, name) > array. Raises DataError for an array that is no column and no table."""
    heads = array_heads(path)
    for key in keys:
        if key not in heads:
            read_array(path, key)  # says which arrays there are
    chosen = {key: head for key, head in heads.items() if not keys or key in keys}
    found: dict[tuple[int | None, str], np.ndarray] = {}
    for key, head in chosen.items():
        if len(head.shape) not in (1, 2):
            others = ",".join(other for other, shape in chosen.items() if len(shape.shape) in (1, 2))
            raise DataError("array_source.axes", path=path, name=key, shape=str(head.shape), others=others)
    _require_memory(path, sum(prod(head.shape) for head in chosen.values()) * CELL_BYTES)
    for key in chosen:
        found[_part_and_name(key, len(heads))] = read_array(path, key)
    return found


def _require_memory(path: Path, wanted: int) -> None:
    import psutil

    free = psutil.virtual_memory().available
    if wanted > free:
        raise ResourceError("file.memory", path=path, free=free >> 20, wanted=wanted >> 20)


def _part_and_name(key: str, num_arrays: int) -> tuple[int | None, str]:
    match = PART.fullmatch(key) if num_arrays > 1 else None
    return (None, key or "x") if match is None else (PARTS[match["part"][:2].lower()], match["base"])


def _columns(name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    if array.ndim == 1 or array.shape[1] == 1:
        return {name: array.reshape(len(array))}
    return {f"{name}{place}": array[:, place] for place in range(array.shape[1])}
