"""Rows of series put in order: each entity's moments one after the other, each moment once, at the step asked for."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from deepwright.core.errors import AskError, DataError
from deepwright.core.report import Finding, finding
from deepwright.core.text import text
from deepwright.data.cells import number_text
from deepwright.data.raw import Asides, Raw
from deepwright.data.series_time import NUMBERS, Moments, time_text

Merging = Literal["first", "last", "mean", "sum", "min", "max"]
FLAG = "flag"
"""The form of a column of 0 and 1 that says something of a moment."""

LATEST_S = 2.5e11
"""Whole seconds within eight thousand years of 1970 are written all at once."""
MOST = 0.5
"""Share of a column's cells that must be numbers for them to be added up."""


@dataclass(frozen=True, eq=False)
class Ordered:
    """raw: rows with their time as canonical text, entity by entity. moments: float64 [N], rising within each entity.

    entities: int64 [N], whose row it is, from 0. names: what each entity is called.
    """

    raw: Raw
    moments: np.ndarray
    entities: np.ndarray
    names: tuple[str, ...]
    time: str
    is_count: bool

    @property
    def offsets(self) -> np.ndarray:
        """int64 [S + 1]: entity s has the rows from offsets[s] to offsets[s + 1]."""
        return np.concatenate([[0], np.cumsum(np.bincount(self.entities, minlength=len(self.names)))])

    def where(self, row: int) -> str:
        """A row's moment, and its entity where there are several."""
        moment = moment_of(self.moments[row], self.is_count)
        return f"{self.names[self.entities[row]]}, {moment}" if len(self.names) > 1 else moment


def entity_codes(raw: Raw, entity: str | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """int64 [N] in the order of first appearance, -1 where it is missing; and the entities' names."""
    if entity is None:
        return np.zeros(len(raw), np.int64), ("",)
    distinct = raw.distinct(entity)
    names = [value for value in distinct.values if value is not None]
    number = {value: place for place, value in enumerate(names)}
    codes = np.array([-1 if value is None else number[value] for value in distinct.values], np.int64)
    return codes[distinct.codes], tuple(names)


def ordered(raw: Raw, found: Moments, entities: np.ndarray, names: tuple[str, ...], entity: str | None) -> Ordered:
    """Rows sorted by entity, then time; those without either are set aside with the reason."""
    asides = Asides().add_all(raw.set_aside)
    bad = np.zeros(len(raw), dtype=bool)
    for reason, gone in {**found.faults, text("aside.role", column=entity, role="entity"): entities < 0}.items():
        asides.add_rows(reason, raw, gone & ~bad)
        bad |= gone
    kept = np.flatnonzero(~bad)
    if not len(kept):
        raise DataError("series.no_time", source=raw.source, column=found.name, found=raw.cells[raw.names[0]][0])
    order = kept[np.lexsort((found.seconds[kept], entities[kept]))]  # stable: rows of one moment stay as they came
    moved = int((np.diff(found.seconds[kept])[np.diff(entities[kept]) == 0] < 0).sum())
    notes = raw.notes
    if moved:
        first = kept[1:][(np.diff(found.seconds[kept]) < 0) & (np.diff(entities[kept]) == 0)][0]
        notes += (finding("series_sorted", "note", found.name, count=moved, row=int(raw.origin[first])),)
    rows = replace(raw.take(order), set_aside=asides.records(), notes=notes, tidied=raw.tidied)
    seconds = found.seconds[order]
    cells = time_cells(seconds, found.is_count)
    forms = {**raw.forms, found.name: "number" if found.is_count else "time"}
    names_ = rows.names if found.name in rows.names else (found.name, *rows.names)
    rows = replace(rows.with_cells({found.name: cells}), names=names_, forms=forms)
    return Ordered(rows, seconds, entities[order], names, found.name, found.is_count)


def settled(found: Ordered, duplicates: Literal["ask"] | Merging) -> Ordered:
    """Each moment of an entity once. Raises AskError where one stands twice and nothing says what to do."""
    is_same = (np.diff(found.moments) == 0) & (np.diff(found.entities) == 0)
    count = int(is_same.sum())
    if not count:
        return found
    first = int(np.flatnonzero(is_same)[0])
    if duplicates == "ask":
        rows = found.raw.origin[first : first + 2]
        raise AskError(
            "series.ask_duplicates", source=found.raw.source, count=count, column=found.time,
            moment=found.where(first), first=int(rows[0]), second=int(rows[1]),
        )  # fmt: skip
    is_first, is_last = np.concatenate([[True], ~is_same]), np.concatenate([~is_same, [True]])
    asides = Asides().add_all(found.raw.set_aside)
    gone = ~(is_last if duplicates == "last" else is_first)
    asides.add_rows(text("aside.same_moment", column=found.time, by=duplicates), found.raw, gone)
    counted = replace(found, raw=replace(found.raw, set_aside=asides.records()))
    starts = np.flatnonzero(is_first)
    note = finding("series_merged", "warning", found.time, count=count, moment=found.where(first), by=duplicates)
    return grouped(counted, starts, found.moments[starts], duplicates, (note,))


def grouped(
    found: Ordered, starts: np.ndarray, moments: np.ndarray, by: Merging, notes: tuple[Finding, ...]
) -> Ordered:
    """One row for each run of rows. starts: int64 [G], the first row of each run; moments: float64 [G], its time.

    Numbers are taken together by `by`, missing ones do not count; of other columns the first present value stays, or
    the last.
    """
    raw = found.raw
    ends = np.concatenate([starts[1:], [len(raw)]])
    kept = raw.take(ends - 1 if by == "last" else starts)
    changed = {found.time: time_cells(moments, found.is_count)}
    if by not in ("first", "last"):
        for name in raw.names:
            values = None if name == found.time else number_column(raw, name)
            if values is not None:
                changed[name] = number_cells(reduced(values, starts, way(raw, name, by)))
    rows = replace(kept.with_cells(changed), set_aside=raw.set_aside, notes=raw.notes + notes, tidied=raw.tidied)
    return replace(found, raw=rows, moments=moments, entities=found.entities[starts])


def way(raw: Raw, name: str, by: Merging) -> Merging:
    """How rows of a column are taken together: a flag stays one, as 1 where any row has it."""
    return "max" if raw.forms.get(name) == FLAG else by


def reduced(values: np.ndarray, starts: np.ndarray, by: str) -> np.ndarray:
    """float64 [G] of runs of float64 [N]; NaN where every value of a run is missing."""
    is_present = ~np.isnan(values)
    counts = np.add.reduceat(is_present.astype(np.int64), starts)
    if by in ("min", "max"):
        far = np.inf if by == "min" else -np.inf
        made = (np.minimum if by == "min" else np.maximum).reduceat(np.where(is_present, values, far), starts)
    else:
        made = np.add.reduceat(np.where(is_present, values, 0.0), starts)
        made = made / np.maximum(counts, 1) if by == "mean" else made
    return np.where(counts > 0, made, np.nan)


def number_column(raw: Raw, name: str) -> np.ndarray | None:
    """float64 [N] of a column whose cells are mostly numbers, NaN where one is none; None for another column."""
    distinct = raw.distinct(name)
    missing = frozenset(raw.options.missing)
    is_number = [k in NUMBERS and v not in missing for v, k in zip(distinct.values, distinct.kinds, strict=True)]
    is_blank = [v is None or v == "?" or v in missing for v in distinct.values]
    counts = np.bincount(distinct.codes, minlength=len(distinct.values))
    if counts[is_number].sum() <= MOST * counts[~np.array(is_blank)].sum():
        return None
    pairs = zip(distinct.values, is_number, strict=True)
    values = np.array([float(v) if is_one else np.nan for v, is_one in pairs])  # type: ignore[arg-type]
    return np.asarray(values[distinct.codes])


def number_cells(values: np.ndarray) -> np.ndarray:
    """object [N] of the shortest texts of numbers, None where missing."""
    distinct, codes = np.unique(values, return_inverse=True)
    texts = np.empty(len(distinct), dtype=object)
    texts[:] = [None if value != value else number_text(value) for value in distinct.tolist()]
    return np.asarray(texts[codes])


def time_cells(moments: np.ndarray, is_count: bool) -> np.ndarray:
    """object [N]: moments as canonical texts."""
    if is_count or (moments != np.floor(moments)).any() or np.abs(moments).max() > LATEST_S:
        distinct, codes = np.unique(moments, return_inverse=True)
        texts = np.empty(len(distinct), dtype=object)
        texts[:] = [moment_of(moment, is_count) for moment in distinct.tolist()]
        return np.asarray(texts[codes])
    texts = np.empty(len(moments), dtype=object)
    isos = np.datetime_as_string(moments.astype(np.int64).astype("datetime64[s]"))
    texts[:] = [iso.removesuffix("T00:00:00") for iso in isos.tolist()]
    return texts


def moment_of(moment: float, is_count: bool) -> str:
    return number_text(moment) if is_count else time_text(moment)


def runs_of(is_in: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First rows and lengths of the runs of rows that are in, none across two entities."""
    edges = np.zeros(len(is_in), dtype=bool)
    edges[offsets[:-1][offsets[:-1] < len(is_in)]] = True
    starts = np.flatnonzero(is_in & (edges | ~np.concatenate([[False], is_in[:-1]])))
    if not len(starts):
        return starts, starts
    run = np.cumsum(np.isin(np.arange(len(is_in)), starts))[is_in]
    return starts, np.bincount(run - 1, minlength=len(starts))
