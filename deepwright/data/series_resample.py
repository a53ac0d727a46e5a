"""Resampling: the moments of each series at one step, from those in between; a made moment knows nothing later."""

from dataclasses import replace

import numpy as np

from deepwright.core.errors import DataError, RecipeError
from deepwright.core.report import finding
from deepwright.data.raw import Raw
from deepwright.data.series_order import (
    Merging,
    Ordered,
    number_cells,
    number_column,
    reduced,
    time_cells,
    way,
)
from deepwright.data.series_step import seconds_in

MAX_FACTOR = 100
"""Moments made of one; a step this much too fine is a slip, and would fill memory."""


def resampled(found: Ordered, resample: str, by: Merging, *, interpolate: bool, target: str | None = None) -> Ordered:
    """Every series at the step `resample` (15min, 1h, 1d); a moment holds what came after the one before, up to itself.

    Moments in which nothing came have missing values; with interpolate, numbers lie on the line to the next known one,
    which looks ahead. Of columns that hold no numbers the last value stands. Rows that are made have the number of the
    last row before them; one that would have no target is not made.
    """
    if found.is_count:
        raise RecipeError("series.resample_count", column=found.time)
    step = seconds_in(resample, "--source.resample")
    place = np.ceil(found.moments / step).astype(np.int64)  # (t - step, t] becomes t
    is_first = np.concatenate([[True], (np.diff(place) != 0) | (np.diff(found.entities) != 0)])
    starts = np.flatnonzero(is_first)
    size = _size(found, place)
    if size > MAX_FACTOR * len(found.raw):
        raise DataError("series.too_fine", source=found.raw.source, step=resample, rows=len(found.raw), made=size)
    # the grid of each entity from its first to its last moment, and the run of rows that stands at each place of it
    run_place, run_entity = place[starts], found.entities[starts]
    firsts = np.flatnonzero(np.concatenate([[True], np.diff(run_entity) != 0]))
    lasts = np.concatenate([firsts[1:], [len(starts)]]) - 1
    lengths = run_place[lasts] - run_place[firsts] + 1
    begins = np.cumsum(lengths) - lengths
    at = run_place - np.repeat(run_place[firsts], lasts - firsts + 1) + np.repeat(begins, lasts - firsts + 1)
    total = int(lengths.sum())
    run_of = np.full(total, -1, np.int64)
    run_of[at] = np.arange(len(starts))
    is_made = run_of < 0
    latest = np.maximum.accumulate(run_of)
    moments = (np.arange(total) - np.repeat(begins, lengths) + np.repeat(run_place[firsts], lengths)) * step
    entities = np.repeat(run_entity[firsts], lengths)
    rows = _rows(found, starts, latest, is_made, begins, by, interpolate=interpolate)
    rows = rows.with_cells({found.time: time_cells(moments, is_count=False)})
    left_out = np.zeros(total, dtype=bool)
    if target in rows.names:
        left_out = is_made & np.array([cell is None for cell in rows.cells[target]])
    rows, moments, entities = rows.take(~left_out), moments[~left_out], entities[~left_out]
    filled, empty = int((is_made & ~left_out).sum()), int(left_out.sum())
    notes = [finding("series_resampled", "note", found.time, rows=len(found.raw), made=len(rows), step=resample, by=by)]
    if empty:
        notes.append(finding("series_left_out", "note", found.time, count=empty, target=target))
    if filled and interpolate:
        notes.append(finding("series_interpolated", "warning", found.time, count=filled))
    elif filled:
        notes.append(finding("series_filled", "note", found.time, count=filled))
    raw = found.raw
    rows = replace(rows, set_aside=raw.set_aside, notes=(*raw.notes, *notes), tidied=raw.tidied)
    return replace(found, raw=rows, moments=moments, entities=entities)


def _size(found: Ordered, place: np.ndarray) -> int:
    offsets = found.offsets
    full = np.flatnonzero(np.diff(offsets) > 0)
    return int((place[offsets[full + 1] - 1] - place[offsets[full]] + 1).sum())


def _rows(
    found: Ordered, starts: np.ndarray, latest: np.ndarray, is_made: np.ndarray, begins: np.ndarray, by: Merging,
    *, interpolate: bool,
) -> Raw:  # fmt: skip
    """Each place's row: the last of its run, with its numbers taken together; of a made place only the entity stays."""
    raw = found.raw
    ends = np.concatenate([starts[1:], [len(raw)]])
    kept = raw.take((starts if by == "first" else ends - 1)[latest])
    changed: dict[str, np.ndarray] = {}
    for name in raw.names:
        if name == found.time or _is_entity(found, name):
            continue
        values = number_column(raw, name)
        if values is None:
            cells = kept.cells[name].copy()
            cells[is_made] = None
            changed[name] = cells
            continue
        how = way(raw, name, by)
        made = (
            values[starts if how == "first" else ends - 1] if how in ("first", "last") else reduced(values, starts, how)
        )
        numbers = np.where(is_made, np.nan, made[latest])
        changed[name] = number_cells(_between(numbers, begins) if interpolate else numbers)
    return kept.with_cells(changed)


def _is_entity(found: Ordered, name: str) -> bool:
    """Whether a column says whose row it is: it has one value within each entity and differs between them."""
    return name in found.raw.roles and found.raw.roles[name] == "group"


def _between(values: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Missing values on the line between their known neighbours of the same series; none before the first or last."""
    result = values.copy()
    for low, high in zip(begins, [*begins[1:], len(values)], strict=True):
        part = values[low:high]
        known = np.flatnonzero(~np.isnan(part))
        if len(known) > 1:
            gone = np.flatnonzero(np.isnan(part[known[0] : known[-1] + 1])) + known[0]
            result[low + gone] = np.interp(gone, known, part[known])
    return result
