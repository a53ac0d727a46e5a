"""Files: every row of the tables that a path stands for: one file, a folder, a glob or an archive of them."""

import fnmatch
import glob
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from deepwright.core.errors import DataError
from deepwright.core.report import Finding, finding
from deepwright.data.append import append
from deepwright.data.archive import gunzipped, is_archive, is_junk, open_archive
from deepwright.data.narrow import listed
from deepwright.data.raw import Raw, SourceFile
from deepwright.data.read import read, read_content
from deepwright.data.signature import regular_file
from deepwright.data.table import Table

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".parquet", ".jsonl", ".ndjson")
"""By which a table is known among the other files of a folder or an archive."""
MAGIC = "*?["


def read_path(path: str, options: Table) -> Raw:
    """Every row; of several files the rows stand below each other, and each keeps its file and its number there.

    Raises DataError for a folder, a glob or an archive without a table, and for tables whose columns differ.
    """
    place = Path(path)
    if not place.exists() and set(path) & set(MAGIC):
        return _appended(_matching(path), path, options)
    if place.is_dir():
        tables, others = _split([str(file) for file in _regular_files(place)])
        if not tables:
            raise DataError("files.none", path=path, suffixes=" ".join(SUFFIXES))
        return _with(_appended([Path(name) for name in tables], path, options), _left(path, others))
    if is_archive(regular_file(place)):
        return _read_archive(place, options)
    if options.member is not None:
        raise DataError("files.no_archive", path=path, member=options.member)
    return read(place, options)


def is_table_name(name: str) -> bool:
    """Whether a file's name says that it is a table, gzipped or not."""
    return name.lower().removesuffix(".gz").endswith(SUFFIXES)


def _matching(pattern: str) -> list[Path]:
    paths = [Path(name) for name in sorted(_matches(pattern)) if not Path(name).is_dir()]
    if not paths:
        raise DataError("files.no_match", path=pattern)
    return paths


def _matches(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern


def _appended(paths: Sequence[Path], source: str, options: Table) -> Raw:
    if options.member is not None:
        raise DataError("files.no_archive", path=source, member=options.member)
    raws = [read(path, options) for path in paths]
    return _joined(raws, source)


def _joined(raws: list[Raw], source: str) -> Raw:
    if len(raws) > 1:
        return append(raws, source)
    return replace(raws[0], files=(SourceFile(raws[0].source, raws[0].sha256, raws[0].rows_in),))


def _read_archive(path: Path, options: Table) -> Raw:
    with open_archive(path) as archive:
        names = [name for name in archive.names if not is_junk(name)]
        if options.member is None:
            tables, others = _split(names)
        else:
            tables = [name for name in names if fnmatch.fnmatchcase(name, options.member)]
            others = []
        if not tables:
            wanted = options.member or " ".join(SUFFIXES)
            raise DataError("files.no_member", path=path, wanted=wanted, known=listed(names))
        raws = [_read_member(archive.read(name), Path(f"{path}!{name}"), options) for name in tables]
    return _with(_joined(raws, str(path)), _left(str(path), others))


def _read_member(data: bytes, path: Path, options: Table) -> Raw:
    digest = hashlib.sha256(data).hexdigest()
    return read_content(gunzipped(data, str(path)), path, options, sha256=digest)


def _split(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that are tables by their names, and the others."""
    tables = [name for name in names if is_table_name(name)]
    return tables, [name for name in names if not is_table_name(name)]


def _regular_files(folder: Path) -> Iterator[Path]:
    """The files below a folder, in order. Raises DataError for a link that leaves it, a pipe or a device."""
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or _is_hidden(path, folder):
            continue
        if not path.resolve().is_relative_to(root):
            raise DataError("files.leaves", path=path, folder=folder)
        yield regular_file(path)


def _is_hidden(path: Path, folder: Path) -> bool:
    inner = path.relative_to(folder)
    return is_junk(str(inner)) or any(piece.startswith(".") for piece in inner.parts)


def _left(source: str, others: Sequence[str]) -> Iterator[Finding]:
    if others:
        yield finding("files_left", "note", source, files=listed([Path(name).name for name in others]))


def _with(raw: Raw, notes: Iterator[Finding]) -> Raw:
    return replace(raw, notes=(*raw.notes, *notes))
