"""Batch prediction: a file of rows, larger than memory if need be, through a bundle."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from deepwright import parts
from deepwright.core.bundle import BATCH, Bundle
from deepwright.core.errors import DataError, did_you_mean
from deepwright.core.families import Source
from deepwright.core.flags import SOURCE_FLAGS, apply_flags
from deepwright.core.schema import Columns, Schema
from deepwright.data.archive import is_archive
from deepwright.data.collect import read_chunks
from deepwright.data.detect import source_for
from deepwright.data.interpret import Interpreted
from deepwright.data.media import Media
from deepwright.data.raw import Raw
from deepwright.data.table import Table
from deepwright.data.types import decode_inputs
from deepwright.deploy.batch import predict_stream
from deepwright.practice.images import image_columns, opened

CHUNK_ROWS = 64 * BATCH
IMAGES_OPEN = 256
"""Images whose files are held at once."""
TABULAR = frozenset({"arrays", "excel", "merge", "sql", "table"})
"""Kinds of sources whose rows may come to a model from another of them."""


@dataclass(frozen=True)
class Predicted:
    """rows: answered. not_finite: of these, rows without a finite answer, left empty. set_aside: could not be read."""

    rows: int
    out_of_range: int
    not_finite: int
    set_aside: int


def predict_file(
    bundle_folder: Path, rows: Path, output: Path, *, flags: list[tuple[str, str]], overwrite: bool
) -> Predicted:
    """Answer every row of `rows` into `output` in constant memory; rows that cannot be read are counted and named.

    flags: source options (--columns, --delimiter ...) as the file needs them; the bundle's own recipe gives the rest.
    Raises DataError when a column of the model is not in the file.
    """
    parts.load_installed()
    bundle = Bundle.load(bundle_folder)
    source = _source_of(rows, dict(bundle.recipe.get("source", {"kind": "table"})))
    own = [(name, value) for name, value in flags if name in SOURCE_FLAGS or name.split(".")[0] == "source"]
    source = apply_flags({"source": source}, own)["source"]
    part = Source.parse(source, "source")
    name = _image_name(bundle.schema)
    is_one_table = isinstance(part, Table) and rows.is_file() and not is_archive(rows)
    pieces = read_chunks(str(rows), part, CHUNK_ROWS) if is_one_table else iter([_numbered(part.read(None))])
    set_aside = [0]

    def chunks() -> Iterator[tuple[Columns, np.ndarray]]:
        for raw in pieces:
            raw = raw if name is None else _renamed(raw, name)
            _require_columns(bundle.schema, raw.names, rows)
            columns, origin, aside = decode_inputs(raw, bundle.schema)
            set_aside[0] += sum(entry.count for entry in (*raw.set_aside, *aside))
            yield from _opened(bundle.schema, columns) if name is not None else [(columns, origin)]

    result = predict_stream(bundle, chunks(), output, overwrite=overwrite)
    return Predicted(result.rows, result.out_of_range, result.not_finite, set_aside[0])


def _image_name(schema: Schema) -> str | None:
    """The input that is an image, if one is."""
    return next((feature.name for feature in schema.inputs if feature.type == "image"), None)


def _renamed(raw: Raw, name: str) -> Raw:
    """The only column of images under the name that the model knows: each source names it in its own way."""
    found = [column for column, form in raw.forms.items() if form == "image"]
    if len(found) != 1 or found[0] == name or name in raw.names:
        return raw
    (old,) = found
    return replace(
        raw,
        names=tuple(name if column == old else column for column in raw.names),
        cells={name if column == old else column: raw.cells[column] for column in raw.names},
        forms={name if column == old else column: form for column, form in raw.forms.items()},
        digests={},
    )


def _opened(schema: Schema, columns: Columns) -> Iterator[tuple[Columns, np.ndarray]]:
    """Some rows at a time with the bytes of their images; each is named by its reference."""
    (name,) = image_columns(schema)
    with Media() as media:
        for low in range(0, len(columns[name]), IMAGES_OPEN):
            piece = {name: column[low : low + IMAGES_OPEN] for name, column in columns.items()}
            yield opened(piece, schema, media), piece[name]


def _numbered(raw: Raw) -> Raw:
    """Rows of several files are answered by their number in the whole."""
    return raw if raw.file_of is None else replace(raw, origin=np.arange(1, len(raw) + 1))


def _source_of(rows: Path, own: dict[str, Any]) -> dict[str, Any]:
    """How the rows are read, in plain data: as the model's own source was, or, where they are a table of another kind,
    as that kind is, with what was said of values, types and missing ones. own: the recipe's source.
    """
    found = source_for(str(rows))
    if own["kind"] == "images" and found["kind"] == "table":
        return {**own, "path": None, "manifest": str(rows), **dict.fromkeys(("part", "validation", "test"))}
    if own["kind"] == "images":
        found = {**found, "manifest": None, "layout": "flat"}
    if own["kind"] == "merge" or (found["kind"] != own["kind"] and {found["kind"], own["kind"]} <= TABULAR):
        part = Source.parse(own, "source")
        said = part if isinstance(part, Table) else cast(Interpreted, part).reading
        return {"map": said.map, "types": said.types, "missing": said.missing} | found
    place = found if found["kind"] == own["kind"] else {"path": str(rows)}
    return own | place | dict.fromkeys({"validation", "test"} & own.keys())


def _require_columns(schema: Schema, names: tuple[str, ...], path: Path) -> None:
    for feature in schema.inputs:
        if feature.name not in names:
            known = list(names)
            hint = did_you_mean(feature.name, known)
            raise DataError("predict.no_column", path=path, column=feature.name, known=", ".join(known), hint=hint)
