"""The rows of series before they are put in order: one table, a table per series, or columns in files side by side."""

import fnmatch
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepwright.core.errors import DataError, RecipeError, did_you_mean
from deepwright.core.report import finding
from deepwright.data.archive import gunzipped, is_archive, is_junk, open_archive
from deepwright.data.cells import seconds_of
from deepwright.data.raw import Raw, SourceFile, merge
from deepwright.data.read import read, read_content
from deepwright.data.series_order import FLAG
from deepwright.data.series_time import time_text

if TYPE_CHECKING:
    from deepwright.data.series import Series

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".ndjson")
SERIES, ANOMALY = "series", "anomaly"
"""The columns that files add: whose moments a file holds, and whether a moment lies in a labelled window."""

LABELS = "labels/combined_windows.json"
"""Where the Numenta Anomaly Benchmark keeps its windows: {file: [[from, to], ...]}."""


def read_files(source: "Series") -> Raw:
    """Every row of the source's files; a folder or an archive of tables is one series per file, named in `series`.

    Raises DataError for files without rows or with other columns than the first.
    """
    assert source.path is not None, "a source without a path is refused before"
    path = Path(source.path)
    raw = _appended(path, source) if path.is_dir() or is_archive(path) else read(path, source)
    for entry in source.beside:
        raw = _beside(raw, entry, source)
    return raw


def claims(path: Path) -> dict[str, object] | None:
    """A folder or an archive laid out as the Numenta Anomaly Benchmark: data/GROUP/NAME.csv and labelled windows."""
    names = file_names(path)
    if names and LABELS in names and any(n.startswith("data/") and n.endswith(".csv") for n in names):
        return {"kind": "series", "path": str(path), "labels": LABELS, "time": ["timestamp"]}
    return None


def file_names(path: Path) -> list[str]:
    """Names of all files below a folder or in an archive; none for anything else."""
    if path.is_dir():
        return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
    if path.is_file() and is_archive(path):
        with open_archive(path) as archive:
            return list(archive.names)
    return []


def _appended(path: Path, source: "Series") -> Raw:
    files = list(_tables(path, source))
    if not files:
        raise DataError("series.no_tables", path=path, member=source.member or "*", known=", ".join(TABLES))
    stem = _common(name for name, _ in files)
    chunks, known = [], []
    for name, raw in files:
        first = files[0][1]
        if raw.names != first.names:
            raise DataError(
                "series.other_columns", path=path, file=name, found=", ".join(raw.names[:12]),
                first=files[0][0], due=", ".join(first.names[:12]),
            )  # fmt: skip
        if SERIES in raw.names:
            raise DataError("series.name_taken", path=path, column=SERIES)
        cells = np.full(len(raw), name.removeprefix(stem).rsplit(".", 1)[0], dtype=object)
        chunks.append(replace(raw.with_cells({SERIES: cells}), names=(SERIES, *raw.names)))
        known.append(SourceFile(name, raw.sha256, raw.rows_in))
    digest = hashlib.sha256("".join(file.sha256 for file in known).encode()).hexdigest()
    whole = merge(chunks)
    file_of = np.repeat(np.arange(len(chunks), dtype=np.int32), [len(chunk) for chunk in chunks])
    whole = replace(whole, source=str(path), sha256=digest, files=tuple(known), file_of=file_of)
    return _labelled(whole, path, source) if source.labels is not None else whole


def _tables(path: Path, source: "Series") -> Iterator[tuple[str, Raw]]:
    """Name and rows of every table of a folder or archive, in the order of their names."""
    if path.is_dir():
        root = path.resolve()
        for name in file_names(path):
            if _is_wanted(name, source):
                if not (path / name).resolve().is_relative_to(root):
                    raise DataError("series.leaves", path=path, file=name)
                yield name, read(path / name, source)
        return
    with open_archive(path) as archive:
        for name in sorted(archive.names):
            if _is_wanted(name, source):
                data = archive.read(name)
                sha256 = hashlib.sha256(data).hexdigest()
                yield name, read_content(gunzipped(data, name), Path(f"{path}!{name}"), source, sha256=sha256)


def _is_wanted(name: str, source: "Series") -> bool:
    plain = name.lower().removesuffix(".gz")
    is_table = plain.endswith(TABLES) and not is_junk(name)
    return is_table and (source.member is None or fnmatch.fnmatchcase(name, source.member))


def _common(names: Iterator[str]) -> str:
    """The folders that all names begin with."""
    folders = [name.split("/")[:-1] for name in names]
    shared = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "".join(f"{folder}/" for folder in shared)


def _labelled(raw: Raw, path: Path, source: "Series") -> Raw:
    """A column `anomaly`: 1 from the start of a labelled window to its end, else 0."""
    assert source.labels is not None, "asked for only where labels are named"
    if len(source.time) != 1:
        raise RecipeError("series.labels_time")
    windows = _windows(path, source.labels)
    known = set(windows)
    (time,) = source.time
    if time not in raw.names:
        hint = did_you_mean(time, raw.names)
        raise DataError("types.column_absent", source=raw.source, column=time, known=", ".join(raw.names), hint=hint)
    distinct = raw.distinct(time)
    at = np.array([np.nan if v is None else _seconds(v) for v in distinct.values])[distinct.codes]
    is_anomaly = np.zeros(len(raw), dtype=bool)
    used, unused = 0, []
    assert raw.file_of is not None, "rows of several files know theirs"
    for place, file in enumerate(raw.files):
        key = next((name for name in known if file.name == name or file.name.endswith(f"/{name}")), None)
        rows = raw.file_of == place
        for low, high in windows[key] if key is not None else ():
            inside = rows & (at >= low) & (at <= high)
            used += 1
            if not inside.any():
                unused.append(f"{file.name} {time_text(low)}")
            is_anomaly |= inside
        known.discard(key or "")
    cells = np.where(is_anomaly, "1", "0").astype(object)
    count = int(is_anomaly.sum())
    notes = [finding("series_labels", "note", ANOMALY, windows=used, rows=count, of=len(raw), path=source.labels)]
    if unused or any(windows[name] for name in known):
        missed = [*unused, *sorted(name for name in known if windows[name])]
        notes.append(finding("series_labels_unused", "warning", ANOMALY, count=len(missed), first=missed[0]))
    made = raw.with_cells({ANOMALY: cells}, tuple(notes))
    return replace(made, names=(*raw.names, ANOMALY), forms={**raw.forms, ANOMALY: FLAG})


def _windows(path: Path, labels: str) -> dict[str, list[tuple[float, float]]]:
    """File > windows in seconds. Raises DataError for a file that is none of that form."""
    if path.is_dir():
        file = path / labels
        data = file.read_bytes() if file.is_file() else None
    else:
        with open_archive(path) as archive:
            data = archive.read(labels)
    try:
        found = json.loads(data or b"")
        windows = {name: [(_seconds(low), _seconds(high)) for low, high in pairs] for name, pairs in found.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError("series.bad_labels", path=path, labels=labels, why=str(error) or type(error).__name__) from None
    return windows


def _seconds(words: str) -> float:
    found = seconds_of(words)
    if found is None:
        raise ValueError(words)
    return found


def _beside(raw: Raw, entry: str, source: "Series") -> Raw:
    """One more column from a file of its own, row by row. Raises DataError when the rows are not as many."""
    name, mark, file = entry.partition("=")
    if not mark:
        raise RecipeError("series.beside", found=entry)
    if name in raw.names:
        raise DataError("series.name_taken", path=file, column=name)
    path = Path(file) if Path(file).is_absolute() else Path(source.path or "").parent / file
    column = read(path, source.replace(columns=(name,), test=None))
    if column.set_aside or raw.set_aside or len(column) != len(raw):
        raise DataError(
            "series.beside_rows", path=path, found=column.rows_in, due=raw.rows_in, first=raw.source,
            aside=raw.rows_in - len(raw) + column.rows_in - len(column),
        )  # fmt: skip
    digest = hashlib.sha256((raw.sha256 + column.sha256).encode()).hexdigest()
    made = raw.with_cells({name: column.cells[name]}, column.findings)
    return replace(made, names=(*raw.names, name), sha256=digest)
