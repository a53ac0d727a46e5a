"""Large: tables that do not fit into memory are read through; what needs all rows at once learns on a sample.

The first pass counts every cell, hashes every row and draws the sample: the rows whose hash, mixed with a fixed seed,
is small, so that a row is in it whatever the file's order. Types come from all cells. The network's tensors are written
by a further pass.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import PracticeError
from deepwright.core.report import Finding, SetAside, finding
from deepwright.core.schema import Columns, Schema
from deepwright.data.raw import Asides, Raw
from deepwright.data.read import HEAD_BYTES, Opened, open_text
from deepwright.data.relabel import relabel
from deepwright.data.rows import order_matters, row_hashes
from deepwright.data.shares import drawn
from deepwright.data.signature import fits_memory, format_of, read_head, regular_file
from deepwright.data.survey import Survey
from deepwright.data.table import Table
from deepwright.data.types import Inferred, decode, infer

SAMPLE_ROWS = 200_000
SAMPLE_SEED = 0x5A3
ORDER_ROWS = 10_000
"""Rows that show whether the order of the columns counts in a row's hash."""

PARTITIONS, PART_ROWS = 16, 1 << 22


@dataclass(frozen=True)
class Large:
    """A table that was read through. hashes: uint64 [N] of all rows in their order, on disk. kept: rows of N."""

    opened: Opened
    inferred: Inferred
    hashes: np.ndarray
    kept: int

    def parts(self, schema: Schema) -> Iterator[Dataset]:
        """All kept rows in their order, some at a time, under what was learned of their columns."""
        start = 0
        for raw in self.opened.chunks():
            (named,) = relabel([raw], must_occur=False)
            decoded = decode(named, self.inferred.schema, class_numbers=self.inferred.class_numbers)
            hashes = self.hashes[start : start + len(raw)]
            start += len(raw)
            kept = decoded.kept
            yield Dataset(decoded.columns, schema, "whole", raw.origin[kept], hashes[kept], raw.source)


@dataclass(frozen=True)
class ReadThrough:
    """large: for further passes. sample: the rows drawn, typed. rows_in: all rows. raw: what was found, and no row."""

    large: Large
    sample: Dataset
    rows_in: int
    raw: Raw
    set_aside: tuple[SetAside, ...]
    findings: tuple[Finding, ...]


def large_table(source: Any) -> Table | None:
    """The source, if it is one file of delimited text that is to be read through: asked for, or larger than fits."""
    if type(source) is not Table or source.memory == "hold" or source.path is None:
        return None
    path = Path(source.path)
    if source.test is not None or source.validation is not None or not path.is_file():
        return None
    if source.memory == "auto" and fits_memory(path.stat().st_size):
        return None
    is_text = format_of(read_head(regular_file(path), HEAD_BYTES), path) == "delimited"
    return source if is_text else None


def read_through(source: Table, **options: Any) -> ReadThrough:
    """One pass over the rows, or two where the beginning of the table does not show the types that all of it has.

    options: those of `types.infer`. Raises as reading and inferring do.
    """
    opened = open_text(regular_file(str(source.path)), source)
    with _Hashes() as hashes:
        return _read_through(opened, hashes, options)


def _read_through(opened: Opened, hashes: "_Hashes", options: dict[str, Any]) -> ReadThrough:
    share = SAMPLE_ROWS / max(opened.num_rows, 1)
    survey = Survey()
    sample: _Sample | None = None
    held: list[tuple[Raw, np.ndarray]] | None = []
    for raw in opened.chunks():
        (named,) = relabel([raw], must_occur=False)
        found = hashes.add(raw)
        survey.add(named)
        if held is not None:
            held.append((named, found))
            if survey.rows < ORDER_ROWS:
                continue
            sample = _try(partial(infer, survey.raw(), **options), share)
            for before in held if sample else ():
                sample.add(*before)  # type: ignore[union-attr]
            held = None
        elif sample is not None:
            sample.add(named, found)
    raw = replace(survey.raw(), sha256=opened.sha256)
    relabel([raw], must_occur=False)
    inferred = infer(raw, **options)
    if sample is None or not sample.is_of(inferred):
        sample, start = _Sample(inferred, share), 0
        for chunk in opened.chunks():
            (named,) = relabel([chunk], must_occur=False)
            sample.add(named, hashes.read(start, start + len(chunk)))
            start += len(chunk)
    rows, kept = hashes.all(), np.concatenate(sample.kept)
    drawn_rows = sample.dataset(inferred.schema, raw.source)
    large = Large(opened, inferred, rows, int(kept.sum()))
    told = finding(
        "sampled", "warning", raw.source, rows=raw.rows_in, sample=len(drawn_rows), error=_error(len(drawn_rows))
    )
    findings = (told, *inferred.findings, *_duplicates(rows, kept, raw.source))
    return ReadThrough(large, drawn_rows, raw.rows_in, raw, sample.asides.records(), findings)


def _error(rows: int) -> str:
    """How far the share of rows below a sample's quantile may lie off, with 95 % confidence (Massart 1990)."""
    return f"{np.sqrt(np.log(2 / 0.05) / (2 * max(rows, 1))):.2%}"


def _try(inferring: partial[Inferred], share: float) -> "_Sample | None":
    """The types that the beginning shows; None where it does not show any yet."""
    try:
        return _Sample(inferring(), share)
    except PracticeError:
        return None  # all rows are asked in the end, and what is wrong is told then


class _Sample:
    """Rows drawn while the table is read through, decoded by types known so far."""

    def __init__(self, inferred: Inferred, share: float) -> None:
        self.inferred, self.limit = inferred, min(share, 1.0)
        self.asides = Asides()
        self.kept: list[np.ndarray] = []
        self.columns: list[Columns] = []
        self.origins: list[np.ndarray] = []
        self.hashes: list[np.ndarray] = []

    def add(self, raw: Raw, hashes: np.ndarray) -> None:
        decoded = decode(raw, self.inferred.schema, class_numbers=self.inferred.class_numbers)
        self.asides.add_all(decoded.set_aside)
        self.kept.append(decoded.kept)
        hashes = hashes[decoded.kept]
        rows = np.flatnonzero(drawn(hashes, SAMPLE_SEED) / 2.0**64 < self.limit)
        self.columns.append({name: column[rows] for name, column in decoded.columns.items()})
        self.origins.append(raw.origin[decoded.kept][rows])
        self.hashes.append(hashes[rows])

    def is_of(self, inferred: Inferred) -> bool:
        """Whether the rows were decoded as these types say."""
        ours, theirs = _decoding(self.inferred), _decoding(inferred)
        return ours == theirs

    def dataset(self, schema: Schema, source: str) -> Dataset:
        names = schema.names
        columns = {name: np.concatenate([part[name] for part in self.columns]) for name in names}
        return Dataset(columns, schema, "whole", np.concatenate(self.origins), np.concatenate(self.hashes), source)


def _decoding(inferred: Inferred) -> tuple[object, ...]:
    return tuple((f.name, f.type, f.role) for f in inferred.schema.features), inferred.class_numbers


class _Hashes:
    """The rows' hashes, in a file without a name that goes with the process."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object; a map of it lives on
        self.rows = 0
        self.in_order: bool | None = None

    def __enter__(self) -> "_Hashes":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def add(self, raw: Raw) -> np.ndarray:
        found = row_hashes(raw, in_order=bool(self.in_order))
        if self.in_order is None and len(raw) >= ORDER_ROWS // 10:
            self.in_order = not self.rows and order_matters(raw, found)
            found = row_hashes(raw, in_order=True) if self.in_order else found
        self.file.write(found.astype("<u8").tobytes())
        self.rows += len(found)
        return found

    def read(self, start: int, stop: int) -> np.ndarray:
        return np.asarray(self.all()[start:stop])

    def all(self) -> np.ndarray:
        self.file.flush()
        return np.memmap(self.file, "<u8", "r", shape=(self.rows,)) if self.rows else np.zeros(0, np.uint64)


def _duplicates(hashes: np.ndarray, kept: np.ndarray, source: str) -> tuple[Finding, ...]:
    """As `leakage.duplicates`, a sixteenth of the hashes at a time."""
    rows, distinct = int(kept.sum()), 0
    for partition in range(PARTITIONS):
        chosen = []
        for start in range(0, len(hashes), PART_ROWS):
            part = np.asarray(hashes[start : start + PART_ROWS])[kept[start : start + PART_ROWS]]
            chosen.append(part[part >> np.uint64(60) == partition])
        distinct += len(np.unique(np.concatenate(chosen))) if chosen else 0
    if distinct == rows:
        return ()
    share = f"{(rows - distinct) / rows:.2%}"
    return (finding("duplicates", "note", source, count=rows - distinct, rows=rows, share=share),)
