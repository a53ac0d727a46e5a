"""Cases: a source with a row per series, each with a label: .ts files, or tables with a column per moment."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from deepwright.core.errors import AskError, DataError, UsageError, did_you_mean
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.seal import TEST, TRAIN
from deepwright.core.series import series_text
from deepwright.data.table import Table

if TYPE_CHECKING:
    from deepwright.data.raw import Raw

PARTS = {"train": TRAIN, "test": TEST}
SERIES, LABEL = "series", "label"


class Cases(Table, kind="cases"):
    """A series per row: a .ts file of the UCR and UEA archives, a folder or an archive with NAME_TRAIN.ts and
    NAME_TEST.ts, or a table with a column per moment.

    Series keep their own lengths; the column `series` refers to them, `label` is what is predicted.

    >>> Cases(path="ucr_uea.zip", name="GunPoint").name
    'GunPoint'
    """

    default_target: ClassVar[str | None] = LABEL

    name: str | None = option(None, "the data set within a folder or an archive of several; none: there is one")
    keep: tuple[str, ...] = option((), "columns of a table that hold no moment, as an id; the target is known")

    def read(self, target: str | None) -> "Raw":
        """Rows of `series`, `label` and the columns kept; rows of a TEST file are the test part.

        Raises DataError for what cannot be read, AskError where there are several data sets.
        """
        from deepwright.data.given import with_validation

        if self.path is None:
            raise UsageError("collect.no_source")
        whole = self._read(Path(self.path), target)
        if self.validation is None:
            return whole
        return with_validation(whole, self._read(Path(self.validation), target))

    def _read(self, path: Path, target: str | None) -> "Raw":
        from deepwright.data.read import read
        from deepwright.data.ts_file import is_ts

        if path.is_dir() or _is_archive(path):
            return self._of_files(path, self._chosen(path))
        if is_ts(path):
            return self._of_files(path, {None: TRAIN})
        return self._of_table(read(path, self), target)

    def arrange(self, raw: "Raw") -> "Raw":
        """A table with a column per moment as one column of series."""
        return self._of_table(raw, LABEL)

    def _of_table(self, raw: "Raw", target: str | None) -> "Raw":
        """Raises DataError for a column that is not there or holds no numbers."""
        from deepwright.data.series_order import number_column

        others = [name for name in raw.names if name in (*self.keep, target)]
        moments = [name for name in raw.names if name not in others]
        for name in self.keep:
            if name not in raw.names:
                hint = did_you_mean(name, raw.names)
                raise DataError(
                    "types.column_absent", source=raw.source, column=name, known=", ".join(raw.names), hint=hint
                )
        columns = []
        for name in moments:
            values = number_column(raw, name)
            if values is None:
                found = next((v for v in raw.distinct(name).values if v is not None), "")
                raise DataError("cases.no_moment", source=raw.source, column=name, found=found)
            columns.append(values)
        values_NT = np.stack(columns, axis=1)
        cells = np.empty(len(raw), dtype=object)
        cells[:] = [series_text(row[:, None]) for row in values_NT]
        made = replace(raw.with_cells({SERIES: cells}), names=(SERIES, *others), forms={**raw.forms, SERIES: "series"})
        return replace(
            made, notes=(*made.notes, _lengths(raw.source, [len(moments)], 1, int(np.isnan(values_NT).sum())))
        )

    def _chosen(self, path: Path) -> dict[str | None, int]:
        """Files of the one data set, and their parts. Raises AskError where there are several, DataError for none."""
        sets = _sets(path)
        if not sets:
            raise DataError("cases.no_files", path=path)
        if self.name is None:
            if len(sets) > 1:
                raise AskError(
                    "cases.ask_name", path=path, count=len(sets), first=next(iter(sets)), names=", ".join(sets)
                )
            return next(iter(sets.values()))
        if self.name not in sets:
            raise DataError(
                "cases.no_set", path=path, found=self.name, names=", ".join(sets),
                hint=did_you_mean(self.name, list(sets)),
            )  # fmt: skip
        return sets[self.name]

    def _of_files(self, path: Path, files: dict[str | None, int]) -> "Raw":
        from deepwright.core.disk import sha256_file
        from deepwright.data.raw import Asides, Raw, SourceFile
        from deepwright.data.series_cells import case_reference, open_ts
        from deepwright.data.ts_file import case_of

        cells: dict[str, list[str | None]] = {SERIES: [], LABEL: []}
        origin, part, file_of, digests, known = [], [], [], [], []
        lengths, dimensions, missing, asides, headers = [], set(), 0, Asides(), set()
        constant: list[str] = []
        for place, (member, its_part) in enumerate(files.items()):
            is_folder = path.is_dir()
            where = path / member if is_folder and member is not None else path
            file = open_ts(where, None if is_folder else member)
            headers.add((file.header.has_label, file.header.is_classes, file.header.labels))
            for number in range(len(file.lines)):
                case = case_of(file, number)
                if case.fault is not None:
                    asides.add(case.fault, [number + 1])
                    continue
                cells[SERIES].append(case_reference(where, None if is_folder else member, number))
                cells[LABEL].append(case.label)
                digests.append(hashlib.sha256(f"{case.values.shape}".encode() + case.values.tobytes()).hexdigest())
                lengths.append(len(case.values))
                dimensions.add(case.values.shape[1])
                missing += int(np.isnan(case.values).sum())
                if (case.values == case.values[0]).all() and len(case.values) > 1:
                    constant.append(cells[SERIES][-1] or "")
                origin.append(number + 1)
                part.append(its_part)
                file_of.append(place)
            sha256 = sha256_file(where)
            known.append(SourceFile(member or str(path), sha256, len(file.lines)))
        if len(headers) > 1:
            raise DataError("cases.other_header", path=path, files=", ".join(file.name for file in known))
        if not origin or len(dimensions) > 1:
            raise DataError("cases.dimensions", path=path, found=", ".join(map(str, sorted(dimensions))) or "0")
        (has_label, is_classes, _) = headers.pop()
        names = (SERIES, LABEL) if has_label else (SERIES,)
        types = (*self.types, f"{LABEL}=category") if is_classes and has_label else self.types
        digest = hashlib.sha256("".join(file.sha256 for file in known).encode()).hexdigest()
        return Raw(
            names,
            {name: _column(cells[name]) for name in names},
            np.array(origin, np.int64),
            str(path),
            digest if len(known) > 1 else known[0].sha256,
            self.replace(types=types),
            asides.records(),
            notes=(
                _lengths(str(path), lengths, dimensions.pop(), missing),
                *_constant(str(path), constant, len(origin)),
            ),
            forms={SERIES: "series"},
            files=tuple(known),
            file_of=np.array(file_of, np.int32) if len(known) > 1 else None,
            part=np.array(part, np.int8) if len(known) > 1 else None,
            digests={SERIES: _column(list(digests))},
        )


def claims(path: Path) -> dict[str, Any] | None:
    """A .ts file, or a folder or an archive that holds some."""
    from deepwright.data.ts_file import is_ts

    if path.is_file() and is_ts(path):
        return {"kind": "cases", "path": str(path)}
    if (path.is_dir() or (path.is_file() and _is_archive(path))) and _sets(path):
        return {"kind": "cases", "path": str(path)}
    return None


def _is_archive(path: Path) -> bool:
    from deepwright.data.archive import is_archive

    return path.is_file() and is_archive(path)


def _sets(path: Path) -> dict[str, dict[str | None, int]]:
    """Data set > its files and their parts: NAME_TRAIN.ts and NAME_TEST.ts are one, NAME.ts is another."""
    from deepwright.data.series_files import file_names
    from deepwright.data.ts_file import is_ts

    sets: dict[str, dict[str | None, int]] = {}
    for name in file_names(path):
        if not is_ts(Path(name)):
            continue
        stem = name.rsplit("/", 1)[-1]
        stem = stem[: stem.lower().rindex(".ts")]
        base, mark, ending = stem.rpartition("_")
        is_part = bool(mark) and ending.lower() in PARTS
        sets.setdefault(base if is_part else stem, {})[name] = PARTS[ending.lower()] if is_part else TRAIN
    return {name: dict(sorted(files.items(), key=lambda item: item[1])) for name, files in sets.items()}


def _column(values: list[str | None]) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _constant(where: str, constant: list[str], count: int) -> tuple[Finding, ...]:
    """Series that never change: each says nothing but its level."""
    if not constant:
        return ()
    return (finding("cases_constant", "warning", where, count=len(constant), of=count, first=constant[0]),)


def _lengths(where: str, lengths: list[int], dimensions: int, missing: int) -> Finding:
    low, high = min(lengths), max(lengths)
    middle = int(np.median(lengths))
    values = {"dimensions": dimensions, "missing": missing}
    if low == high:
        return finding("cases_read", "note", where, length=low, **values)
    return finding("cases_unequal", "warning", where, shortest=low, median=middle, longest=high, **values)
