"""Join: the columns of one source beside the rows of another, by keys that are different in every row looked up."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepwright.core.errors import DataError, did_you_mean
from deepwright.core.report import Finding, finding
from deepwright.core.text import text
from deepwright.data.append import files_of, joint_hash
from deepwright.data.cells import canonical
from deepwright.data.narrow import listed
from deepwright.data.raw import Asides, Raw

NO_MATCH = -1


def join(left: Raw, right: Raw, on: Sequence[str], *, keeps_unmatched: bool, suffix: str | None = None) -> Raw:
    """Every row of `left` with the columns of the one row of `right` that has its keys.

    Keys are compared as values (`7.0` is `7`); a missing key matches nothing. keeps_unmatched: a row without a match
    has missing cells there, else it is set aside. Raises DataError for keys that are not there or stand twice in
    `right`, and for column names that both have.
    """
    for raw in (left, right):
        _require_columns(raw, on)
    names = _new_names(left, right, on, suffix)
    keys = _keys(left, on)
    place = _lookup(right, on)
    match = np.array([NO_MATCH if key is None else place.get(key, NO_MATCH) for key in keys], np.int64)
    cells = dict(left.cells)
    for name, new in names.items():
        with_missing = np.append(right.cells[name], [None])
        cells[new] = with_missing[match]
    digests = dict(left.digests)
    for name, hashes in right.digests.items():
        digests[names[name]] = np.append(hashes, [""])[match]
    whole = replace(
        left,
        names=(*left.names, *names.values()),
        cells=cells,
        sha256=joint_hash([left, right]),
        forms={**left.forms, **{names[name]: form for name, form in right.forms.items() if name in names}},
        files=(*files_of(left), *files_of(right)),
        file_of=np.zeros(len(left), np.int32) if left.file_of is None else left.file_of,
        digests=digests,
        notes=(*left.notes, *right.findings, *_findings(left, right, match, keeps_unmatched)),
        _distinct={},
    )
    return whole if keeps_unmatched else _without_unmatched(whole, right, match)


def _require_columns(raw: Raw, on: Sequence[str]) -> None:
    for name in on:
        if name not in raw.names:
            known = ", ".join(raw.names)
            raise DataError(
                "types.column_absent", source=raw.source, column=name, known=known, hint=did_you_mean(name, raw.names)
            )


def _new_names(left: Raw, right: Raw, on: Sequence[str], suffix: str | None) -> dict[str, str]:
    """The columns of `right` that come in, and what they are called."""
    found: dict[str, str] = {}
    for name in right.names:
        if name in on:
            continue
        new = name + suffix if suffix and name in left.names else name
        if new in left.names or new in found.values():
            raise DataError("join.name_taken", left=left.source, right=right.source, column=new)
        found[name] = new
    return found


def _keys(raw: Raw, on: Sequence[str]) -> list[tuple[str, ...] | None]:
    """Each row's key as canonical texts; None where a piece of it is missing."""
    columns = []
    for name in on:
        distinct = raw.distinct(name)
        texts = [
            None if value is None or value == "?" or value in raw.options.missing else canonical(value, kind)
            for value, kind in zip(distinct.values, distinct.kinds, strict=True)
        ]
        columns.append([texts[code] for code in distinct.codes.tolist()])
    return [None if None in key else key for key in zip(*columns, strict=True)]


def _lookup(right: Raw, on: Sequence[str]) -> dict[tuple[str, ...], int]:
    place: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(_keys(right, on)):
        if key is None:
            continue
        if key in place:
            shown = ", ".join(f"{name} = '{piece}'" for name, piece in zip(on, key, strict=True))
            rows = (int(right.origin[place[key]]), int(right.origin[row]))
            raise DataError("join.key_twice", right=right.source, key=shown, first=rows[0], second=rows[1])
        place[key] = row
    return place


def _findings(left: Raw, right: Raw, match: np.ndarray, keeps_unmatched: bool) -> list[Finding]:
    found = []
    alone = match == NO_MATCH
    if alone.any() and keeps_unmatched:
        rows = listed([str(row) for row in left.origin[alone][:5]])
        found.append(
            finding(
                "join_unmatched", "warning", left.source, count=int(alone.sum()), of=len(left), other=right.source,
                rows=rows,
            )
        )  # fmt: skip
    unused = len(right) - len(np.unique(match[~alone]))
    if unused:
        found.append(finding("join_unused", "note", right.source, count=unused, of=len(right), other=left.source))
    lost = sum(entry.count for entry in right.set_aside)
    if lost:
        reasons = "; ".join(entry.reason for entry in right.set_aside)
        found.append(finding("join_set_aside", "warning", right.source, count=lost, reasons=reasons))
    return found


def _without_unmatched(whole: Raw, right: Raw, match: np.ndarray) -> Raw:
    alone = match == NO_MATCH
    asides = Asides().add_all(whole.set_aside)
    asides.add_rows(text("aside.no_match", other=right.source), whole, alone)
    kept = whole.take(~alone)
    return replace(kept, set_aside=asides.records(), tidied=whole.tidied, notes=whole.notes)
