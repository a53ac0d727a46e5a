"""Images in tables: a column of encoded images in Parquet files, or a manifest that names files."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepwright.core.disk import sha256_file
from deepwright.core.errors import AskError, DataError, did_you_mean
from deepwright.core.report import finding
from deepwright.data.arrow import cells_of_table
from deepwright.data.image_folders import SUFFIXES
from deepwright.data.image_listing import OPEN, PARTS, Listing, part_of_name
from deepwright.data.media import escaped, row_reference
from deepwright.data.raw import SourceFile
from deepwright.data.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]|^[A-Za-z]:")
LOOKED_AT = 50


def list_parquet(paths: Sequence[Path], image: str | None, source: str) -> Listing:
    """The rows of Parquet files with a column of encoded images; `train.parquet` and `test.parquet` are parts.

    Raises AskError where several columns could be the images, DataError for files of different columns.
    """
    return Listing.joined(source, [_of_parquet(path, image, part_of_name(path.stem)) for path in paths])


def image_columns(path: Path) -> list[str]:
    """The binary columns of a Parquet file, and the `bytes` of a structure; each may hold images."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError):
        return []
    return [name for field in schema if (name := _bytes_of(field))]


def list_manifest(path: Path, root: Path, image: str | None, part: str | None) -> Listing:
    """The rows of a table that names image files below `root`; its other columns stand beside them.

    part: a column with words such as train, validation, test.
    Raises DataError for a name that leaves the folder, AskError where the column of names is not certain.
    """
    raw = Table(path=str(path)).read(None)
    name = _path_column(raw.names, {n: raw.cells[n] for n in raw.names}, path, root, image)
    cells = raw.cells[name]
    for row, cell in zip(raw.origin, cells, strict=True):
        if cell is None:
            raise DataError("images.no_path", path=path, row=row, column=name)
        _require_inside(cell, path, int(row), root)
    references = [escaped(str(root / cell)) for cell in cells]
    parts: np.ndarray | None = None
    columns = {n: raw.cells[n] for n in raw.names if n != name}
    if part is not None:
        parts = _parts(columns, part, path)
        del columns[part]
    file = SourceFile(str(path), raw.sha256, raw.rows_in)
    listing = Listing.of_file(file, references, columns, parts)
    listing = replace(listing, origin=raw.origin, image=name, forms=raw.forms)
    return replace(listing, notes=raw.findings, set_aside=raw.set_aside)


def _of_parquet(path: Path, image: str | None, part: int | None) -> Listing:
    import pyarrow.parquet as pq

    known = image_columns(path)
    chosen = [name for name in known if image in (name, name.partition(".")[0])] if image else known
    if len(chosen) != 1:
        raise AskError("images.ask_column", path=path, known=", ".join(known) or "-", column=(known or ["image"])[0])
    with pq.ParquetFile(path) as file:
        others = [field.name for field in file.schema_arrow if not _bytes_of(field)]
        table: pa.Table | None = file.read(columns=others) if others else None
        num = file.metadata.num_rows
    column = chosen[0]
    references = [row_reference(path, column, row) for row in range(num)]
    raw = None if table is None else cells_of_table(table, str(path), Table(path=str(path)), 0, "")
    dropped = [name for name in known if name != column]
    notes = () if raw is None else raw.findings
    if dropped:
        notes = (*notes, finding("images_other_column", "note", str(path), columns=", ".join(dropped)))
    file_ = SourceFile(str(path), sha256_file(path), num)
    listing = Listing.of_file(file_, references, {} if raw is None else dict(raw.cells), part)
    return replace(listing, forms={} if raw is None else raw.forms, notes=notes, image=column.partition(".")[0])


def _bytes_of(field: "pa.Field") -> str:
    import pyarrow as pa

    kind = field.type
    if pa.types.is_struct(kind):
        inner = [kind.field(i).name for i in range(kind.num_fields) if _bytes_of(kind.field(i))]
        return f"{field.name}.{inner[0]}" if len(inner) == 1 else ""
    return field.name if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else ""


def _path_column(names: Sequence[str], cells: dict[str, np.ndarray], path: Path, root: Path, asked: str | None) -> str:
    """The column that names image files: the one asked for, or the only one whose first cells end like images."""
    if asked is not None:
        if asked not in names:
            hint = did_you_mean(asked, tuple(names))
            raise DataError("types.column_absent", source=path, column=asked, known=", ".join(names), hint=hint)
        return asked
    fitting = []
    for name in names:
        some = [cell for cell in cells[name][:LOOKED_AT] if cell is not None]
        if some and all(os.path.splitext(cell)[1].lower() in SUFFIXES for cell in some):  # noqa: PTH122
            fitting.append(name)
    if len(fitting) != 1:
        raise AskError("images.ask_paths", path=path, known=", ".join(names), column=(fitting or list(names))[0])
    return fitting[0]


def _require_inside(cell: str, path: Path, row: int, root: Path) -> None:
    """Raises DataError for a name that stands for a place outside of the folder."""
    steps = cell.replace("\\", "/").split("/")
    is_unsafe = UNSAFE.search(cell) or cell.startswith("/") or ".." in steps
    inside, target = os.path.realpath(root), os.path.realpath(root / cell)
    if is_unsafe or os.path.commonpath([inside, target]) != inside:
        raise DataError("images.outside", path=path, row=row, found=repr(cell), root=root)


def _parts(columns: dict[str, np.ndarray], part: str, path: Path) -> np.ndarray:
    if part not in columns:
        hint = did_you_mean(part, tuple(columns))
        raise DataError("types.column_absent", source=path, column=part, known=", ".join(columns), hint=hint)
    found = set(columns[part])
    unknown = sorted(str(word) for word in found if word is not None and word.lower() not in PARTS)
    if unknown:
        raise DataError("images.part_word", path=path, column=part, found=unknown[0], known=", ".join(PARTS))
    return np.array([OPEN if word is None else PARTS[word.lower()] for word in columns[part]], np.int8)
