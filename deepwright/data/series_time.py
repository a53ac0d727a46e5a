"""Times of a series' rows: texts, days and hours in columns of their own, or seconds since 1970, as one number each."""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from deepwright.core.errors import AskError, DataError, RecipeError, did_you_mean
from deepwright.core.text import text
from deepwright.data.cells import EPOCH, kind_of, seconds_of
from deepwright.data.raw import Raw
from deepwright.data.time_forms import as_iso, is_ambiguous, of_digits

PARTS = ("year", "month", "day", "hour", "minute", "second")
FIRST = {"month": 1, "day": 1}
ZONED = re.compile(r".*(Z|[+-]\d{2}:?\d{2})", re.ASCII)
UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
EPOCH_S = (1e8, 1e10)
"""Seconds since 1970 from 1973 to 2286: numbers between, times a unit, may be times or may count something else."""
YEARS = ("1900", "2100")
MOST = 0.9
"""Share of numbers that must be dates in digits for the others to be faults."""
LOOKED_AT = 1000
"""Different cells of a column that show whether it holds times."""
NUMBERS = frozenset({"whole", "decimal", "zeros", "big"})


@dataclass(frozen=True)
class Moments:
    """seconds: float64 [N], since 1970 in UTC, or the number itself where is_count; NaN where there is none.

    faults: why a row has no time > bool [N]. assumed: rows whose local time stands twice in the year, taken as the
    first. name: the column that holds the time.
    """

    seconds: np.ndarray
    name: str
    is_count: bool
    faults: dict[str, np.ndarray]
    assumed: int = 0


def moments_of(
    raw: Raw, columns: Sequence[str], *, entities: np.ndarray, unit: str | None, zone: str | None
) -> Moments:
    """The time of every row, read from one column or joined of several.

    entities: int64 [N], whose moment a row is; an hour that clocks show twice is told apart within each. unit: what a
    number counts (s, ms, us, ns since 1970, or `count`); zone: the zone of times that name none.
    Raises DataError for columns that are not there or hold no time, AskError for numbers that may be times and for
    times with and without a zone side by side.
    """
    for name in columns:
        if name not in raw.names:
            hint = did_you_mean(name, raw.names)
            raise DataError(
                "types.column_absent", source=raw.source, column=name, known=", ".join(raw.names), hint=hint
            )
    local = _zone(zone)
    if len(columns) > 1:
        return _joined(raw, columns, entities, local)
    (name,) = columns
    distinct = raw.distinct(name)
    missing = frozenset(raw.options.missing)
    pairs = zip(distinct.values, distinct.kinds, strict=True)
    kinds = ["missing" if v is None or v in missing else kind for v, kind in pairs]
    present = sum(kind not in ("missing", "question") for kind in kinds)
    if not present:
        raise DataError("series.no_time", source=raw.source, column=name, found="")
    if unit == "digits":
        return _texts(raw, name, [of_digits(value or "") for value in distinct.values], entities, local)
    if sum(kind in NUMBERS for kind in kinds) > 0.5 * present:
        return _numbers(raw, name, kinds, unit)
    dates = raw.options.dates
    isos = [as_iso(value or "", dates) for value in distinct.values]
    if dates is None:
        ambiguous = next((iso for iso in isos if is_ambiguous(iso)), None)
        if ambiguous is not None:
            raise AskError("series.ask_day", source=raw.source, column=name, found=ambiguous)
    return _texts(raw, name, isos, entities, local)


def proposed_time(raw: Raw) -> tuple[str, ...]:
    """The columns that look like the time of a row: parts named year, month ..., or the first column of times."""
    named = {name.lower(): name for name in raw.names}
    parts = [named[part] for part in PARTS if part in named]
    if len(parts) > 2 and parts[0] == named.get("year"):
        return tuple(parts)
    for name in raw.names:
        texts = [value for value in raw.distinct(name).values if value is not None and value != "?"]
        is_time = [as_iso(v, "day_first") != v or kind_of(v) in ("day", "time") for v in texts[:LOOKED_AT]]
        if texts and sum(is_time) > 0.9 * len(is_time):
            return (name,)
    return ()


def time_text(second: float) -> str:
    """A time as ISO 8601 in UTC, without zone, as cells hold it.

    >>> time_text(86400.0), time_text(3600.5)
    ('1970-01-02', '1970-01-01T01:00:00.500000')
    """
    moment = (EPOCH + dt.timedelta(seconds=second)).replace(tzinfo=None)
    return moment.isoformat().removesuffix("T00:00:00")


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RecipeError("series.no_zone", found=name) from None


def _numbers(raw: Raw, name: str, kinds: list[str], unit: str | None) -> Moments:
    distinct = raw.distinct(name)
    values = np.array(
        [float(v) if kind in NUMBERS else np.nan for v, kind in zip(distinct.values, kinds, strict=True)]  # type: ignore[arg-type]
    )
    if unit is None:
        _ask_digits(raw, name, kinds)
        size = float(np.nanmin(np.abs(values)))
        largest = float(np.nanmax(np.abs(values)))
        likely = [u for u, s in UNITS_S.items() if EPOCH_S[0] <= size * s and largest * s < EPOCH_S[1]]
        if likely:
            found = next(v for v, kind in zip(distinct.values, kinds, strict=True) if kind in NUMBERS)
            day = time_text(float(found or 0) * UNITS_S[likely[0]])
            raise AskError("series.ask_unit", source=raw.source, column=name, found=found, unit=likely[0], day=day)
    scale = UNITS_S.get(unit or "count")
    # division by a whole number is exact where it can be; times 1e-3 is not
    seconds = values if scale is None else values / round(1.0 / scale)
    faults = _faults(
        raw, name, [kind if kind in ("missing", "question") or kind in NUMBERS else "bad" for kind in kinds]
    )
    return Moments(seconds[distinct.codes], name, scale is None, faults)


def _ask_digits(raw: Raw, name: str, kinds: list[str]) -> None:
    """Raises AskError where every number may be a date in digits: 20240131."""
    values = [v for v, kind in zip(raw.distinct(name).values, kinds, strict=True) if v and kind in NUMBERS]
    isos = [of_digits(value) for value in values]
    dates = [iso for iso, value in zip(isos, values, strict=True) if iso != value and YEARS[0] <= iso[:4] <= YEARS[1]]
    if len(dates) >= MOST * len(values):
        raise AskError("series.ask_unit", source=raw.source, column=name, found=values[0], unit="digits", day=dates[0])


def _texts(raw: Raw, name: str, values: list[str], entities: np.ndarray, zone: ZoneInfo | None) -> Moments:
    """Times as ISO texts, one per distinct cell; those without a zone are of `zone`, or in UTC."""
    distinct = raw.distinct(name)
    missing = frozenset(raw.options.missing)
    blank = [v is None or v == "?" or v in missing for v in distinct.values]
    kinds = ["question" if gone else kind_of(value) for value, gone in zip(values, blank, strict=True)]
    is_time = [kind in ("day", "time") for kind in kinds]
    if sum(is_time) < 0.5 * (len(kinds) - sum(blank)):
        other = next(v for v, here, gone in zip(values, is_time, blank, strict=True) if not here and not gone)
        raise DataError("series.no_time", source=raw.source, column=name, found=other[:40])
    zoned = [place for place, kind in enumerate(kinds) if kind == "time" and ZONED.fullmatch(values[place])]
    naive = sorted({place for place, here in enumerate(is_time) if here} - set(zoned))
    if zoned and naive and zone is None:
        first, second = distinct.values[naive[0]], distinct.values[zoned[0]]
        raise AskError("series.ask_zone", source=raw.source, column=name, naive=first, zoned=second)
    seconds = np.full(len(kinds), np.nan)
    for place in zoned if zone is not None else [*zoned, *naive]:
        seconds[place] = _or_nan(seconds_of(values[place]))
    found = seconds[distinct.codes]
    words = [
        "time" if here else kind if kind in ("missing", "question", "no_day") else "bad"
        for here, kind in zip(is_time, kinds, strict=True)
    ]
    faults = _faults(raw, name, words)
    if zone is None:
        return Moments(found, name, False, faults)
    rows = np.flatnonzero(np.isin(distinct.codes, naive))
    moments = [dt.datetime.fromisoformat(values[code]) for code in distinct.codes[rows].tolist()]
    found[rows], skipped, assumed = _in_zone(moments, entities[rows], zone)
    if skipped.any():
        gone = np.zeros(len(found), dtype=bool)
        gone[rows] = skipped
        example = moments[int(np.flatnonzero(skipped)[0])].isoformat(" ")
        faults[text("aside.skipped_hour", column=name, example=example, zone=zone)] = gone
    return Moments(found, name, False, faults, assumed)


def _in_zone(moments: list[dt.datetime], entities: np.ndarray, zone: ZoneInfo) -> tuple[np.ndarray, np.ndarray, int]:
    """Seconds in UTC of local times; which of them clocks never showed; how many stand for two hours.

    Of two equal rows of an entity in the hour that clocks show twice the second is the later one.
    """
    seconds, gone, assumed = np.empty(len(moments)), np.zeros(len(moments), dtype=bool), 0
    seen: set[tuple[int, dt.datetime]] = set()
    for place, (entity, moment) in enumerate(zip(entities.tolist(), moments, strict=True)):
        first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        at = [(m.astimezone(dt.UTC) - EPOCH).total_seconds() for m in (first, second)]
        seconds[place] = at[0]
        if at[0] == at[1]:
            continue
        if first.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) != moment:
            gone[place] = True  # skipped in spring: it comes back as another hour
        elif (entity, moment) in seen:
            seconds[place], assumed = at[1], assumed - 1
        else:
            seen.add((entity, moment))
            assumed += 1
    return seconds, gone, max(assumed, 0)


def _joined(raw: Raw, columns: Sequence[str], entities: np.ndarray, zone: ZoneInfo | None) -> Moments:
    """Whole numbers of year, month, day ... side by side; the columns are known by their names."""
    named = {name.lower(): name for name in columns}
    unknown = [name for name in columns if name.lower() not in PARTS]
    if unknown or [part for part in PARTS if part in named] != list(PARTS[: len(columns)]):
        raise RecipeError("series.parts", found=",".join(columns), parts=",".join(PARTS))
    values = {part: _whole(raw, named[part]) for part in PARTS[: len(columns)]}
    stacked = np.stack(list(values.values()), axis=1)
    rows, codes = np.unique(stacked, axis=0, return_inverse=True)
    codes = codes.reshape(-1)
    distinct: list[dt.datetime | None] = [_moment(row, list(values)) for row in rows.tolist()]
    name = "time"
    while name in raw.names:
        name += "'"
    bad = np.array([moment is None for moment in distinct])[codes]
    faults = {}
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        example = ", ".join(f"{raw.cells[c][first]}" for c in columns)
        faults[text("aside.no_day", column=",".join(columns), example=example)] = bad
    if zone is None:
        seconds = np.array(
            [np.nan if m is None else (m.replace(tzinfo=dt.UTC) - EPOCH).total_seconds() for m in distinct]
        )
        return Moments(seconds[codes], name, False, faults)
    found = np.full(len(codes), np.nan)
    good = np.flatnonzero(~bad)
    moments = [moment for code in codes[good].tolist() if (moment := distinct[code]) is not None]
    found[good], skipped, assumed = _in_zone(moments, entities[good], zone)
    if skipped.any():
        gone = np.zeros(len(codes), dtype=bool)
        gone[good] = skipped
        example = moments[int(np.flatnonzero(skipped)[0])].isoformat(" ")
        faults[text("aside.skipped_hour", column=",".join(columns), example=example, zone=zone)] = gone
    return Moments(found, name, False, faults, assumed)


def _whole(raw: Raw, name: str) -> np.ndarray:
    """float64 [N] of a column of whole numbers, NaN where a cell is none."""
    distinct = raw.distinct(name)
    read: Callable[[str | None, str], float] = lambda v, kind: float(v) if v and kind in NUMBERS else np.nan  # noqa: E731
    values = np.array([read(v, kind) for v, kind in zip(distinct.values, distinct.kinds, strict=True)])
    return np.where(values == np.floor(values), values, np.nan)[distinct.codes]


def _moment(row: list[float], parts: list[str]) -> dt.datetime | None:
    if any(value != value for value in row):
        return None
    try:
        return dt.datetime(**{**FIRST, **{part: int(v) for part, v in zip(parts, row, strict=True)}})  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None


def _faults(raw: Raw, name: str, words: list[str]) -> dict[str, np.ndarray]:
    """Rows without a time, by reason. words: missing, question, no_day, bad, or anything else for a good cell."""
    distinct = raw.distinct(name)
    found: dict[str, np.ndarray] = {}
    for word in ("missing", "question", "no_day", "bad"):
        places = [place for place, kind in enumerate(words) if kind == word]
        rows = np.isin(distinct.codes, places)
        if not rows.any():
            continue
        example = (distinct.values[places[0]] or "")[:40]
        if word in ("missing", "question"):
            reason = text("aside.role", column=name, role="time")
        elif word == "no_day":
            reason = text("aside.no_day", column=name, example=example)
        else:
            reason = text("aside.not_time", column=name, example=example)
        found[reason] = found.get(reason, np.zeros(len(rows), dtype=bool)) | rows
    return found


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
