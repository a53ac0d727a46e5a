"""What the training part of series shows: the target among its inputs, seasons, stretches that stand still, levels that
move."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.report import Finding, finding
from deepwright.core.step import require_part
from deepwright.data.narrow import listed
from deepwright.data.periods import moment_text
from deepwright.data.rows import column_codes
from deepwright.data.series_order import runs_of

LEAST_EQUAL = 20
"""Rows; in fewer, equal columns may be chance."""

AHEAD = 3
"""Moments by which an input may run ahead of the target and be told."""

STILL_ROWS, STILL_SHARE = 48, 0.01
"""A stretch of equal values is told from so many moments and this share of the series on."""

SEASON = 0.3
"""Autocorrelation from which a period is called a season."""

MOST_MOMENTS = 20_000
MOVED = 1.0
"""Standard deviations between the first and the last quarter's mean from which the level is said to move."""


def series_findings(train: Dataset) -> tuple[Finding, ...]:
    """Nothing without a time column."""
    require_part(train, "train", "series_findings")
    in_order = _in_order(train)
    return () if in_order is None else (*target_as_input(train, *in_order), *series_shapes(train))


def series_shapes(data: Dataset) -> tuple[Finding, ...]:
    """Seasons, stretches that stand still and levels that move, of the rows that a person may look at."""
    in_order = _in_order(data)
    if in_order is None:
        return ()
    order, offsets = in_order
    numbers = {
        f.name: data.columns[f.name][order]
        for f in data.schema.features
        if f.type == "number" and f.role in ("input", "target")
    }
    return (*_still(data, numbers, order, offsets), *_shape(numbers, offsets))


def _in_order(data: Dataset) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows by entity and time, and where each entity begins; None without a time, or in very few rows."""
    times, groups = data.of_role("time"), data.of_role("group")
    if times is None or len(data) < LEAST_EQUAL:
        return None
    entities = np.zeros(len(data), np.int64) if groups is None else column_codes(groups)
    return np.lexsort((times, entities)), np.concatenate([[0], np.cumsum(np.bincount(entities))])


def target_as_input(train: Dataset, order: np.ndarray, offsets: np.ndarray) -> tuple[Finding, ...]:
    """Inputs that are the target itself, at the same moment (which blocks) or up to three moments ahead of it."""
    target = train.target[order]
    codes = column_codes(target) if target.dtype == object else target
    found = []
    for feature in train.schema.inputs:
        if (feature.type == "number") != (target.dtype != object) or feature.type not in ("number", "category"):
            continue
        column = train.columns[feature.name][order]
        if target.dtype == object:
            both = column_codes(np.concatenate([column, target]))
            column, codes = both[: len(column)], both[len(column) :]
        if _equals(column, codes):
            found.append(finding("target_as_input", "blocking", feature.name, target=train.schema.target.name))
            continue
        for steps in range(1, AHEAD + 1):
            if _equals(*_shifted(column, codes, offsets, steps)):
                found.append(
                    finding("target_ahead", "warning", feature.name, target=train.schema.target.name, steps=steps)
                )
                break
    return tuple(found)


def _shifted(column: np.ndarray, target: np.ndarray, offsets: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of the column and, of the same series, those of the target so many moments later."""
    entity = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    same = entity[steps:] == entity[:-steps]
    return column[:-steps][same], target[steps:][same]


def _equals(column: np.ndarray, target: np.ndarray) -> bool:
    """Whether two columns are equal wherever both are known, in enough rows and not by being constant."""
    known = ~(np.isnan(column.astype(np.float64)) | np.isnan(target.astype(np.float64)))
    here, there = column[known], target[known]
    return len(here) >= LEAST_EQUAL and bool((here == there).all()) and len(np.unique(here)) > 1


def _still(
    data: Dataset, numbers: dict[str, np.ndarray], order: np.ndarray, offsets: np.ndarray
) -> tuple[Finding, ...]:
    """Columns that stand still at a value they have hardly ever else: a sensor that was off, a price not yet known."""
    feature = data.schema.of_role("time")
    assert feature is not None, "asked for only where a time is declared"
    times = data.columns[feature.name][order]
    found = []
    for name, values in numbers.items():
        if np.isnan(values).all() or np.nanmin(values) == np.nanmax(values):
            continue
        if (np.diff(values) >= 0).all():
            continue  # a year or a counter
        is_same = np.concatenate([values[1:] == values[:-1], [False]])
        is_same[offsets[1:-1] - 1] = False
        starts, lengths = runs_of(is_same, np.array([0, len(values)]))
        if not len(starts):
            continue
        longest = int(lengths.argmax())
        moments, value = int(lengths[longest]) + 1, values[starts[longest]]
        if moments >= max(STILL_ROWS, STILL_SHARE * len(values)) and moments >= 0.5 * (values == value).sum():
            moment = moment_text(float(times[starts[longest]]), feature.type)
            found.append(
                finding("series_still", "warning", name, moments=moments, value=f"{value:.10g}", moment=moment)
            )
    return tuple(found)


def _shape(numbers: dict[str, np.ndarray], offsets: np.ndarray) -> tuple[Finding, ...]:
    """Seasons and moving levels of the longest series."""
    longest = int(np.argmax(np.diff(offsets)))
    low, high = int(offsets[longest]), int(offsets[longest + 1])
    seasons, moved = [], []
    for name, column in numbers.items():
        values = column[max(low, high - MOST_MOMENTS) : high]
        period, strength = season(values)
        if period:
            seasons.append(f"{name} {period} ({strength:.2f})")
        distance = level_change(column[low:high])
        if abs(distance) > MOVED:
            moved.append(f"{name} ({distance:+.1f} sd)")
    found = []
    if seasons:
        found.append(finding("series_season", "note", "series", columns=listed(seasons)))
    if moved:
        found.append(finding("series_level", "note", "series", columns=listed(moved)))
    return tuple(found)


def season(values: np.ndarray) -> tuple[int, float]:
    """The period, in moments, at which a series resembles itself most, and its autocorrelation there; (0, 0.0): none.

    The straight line is taken out first; missing values count as the mean.

    >>> wave = np.sin(2 * np.pi * np.arange(240) / 24) + 0.02 * np.arange(240)
    >>> season(wave)[0]
    24
    """
    known = ~np.isnan(values)
    if known.sum() < 12 or np.nanmin(values) == np.nanmax(values):
        return 0, 0.0
    place = np.arange(len(values), dtype=np.float64)
    slope, level = np.polyfit(place[known], values[known], 1)
    rest = np.where(known, values - (slope * place + level), 0.0)
    size = 1 << (2 * len(rest) - 1).bit_length()
    power = np.abs(np.fft.rfft(rest, size)) ** 2
    correlation = np.fft.irfft(power, size)[: len(rest) // 3 + 1]
    if correlation[0] <= 1e-12 * max(float(np.nanmax(np.abs(values))), 1e-300) ** 2:
        return 0, 0.0
    # each lag has fewer pairs than the one before
    correlation = correlation / correlation[0] * len(rest) / (len(rest) - np.arange(len(correlation)))
    below = np.flatnonzero(correlation < 0)
    start = int(below[0]) if len(below) else 2
    inner = correlation[start:]
    peaks = np.flatnonzero((inner[1:-1] >= inner[:-2]) & (inner[1:-1] > inner[2:])) + start + 1
    peaks = peaks[peaks >= 2]
    if not len(peaks):
        return 0, 0.0
    best = float(correlation[peaks].max())
    if best < SEASON:
        return 0, 0.0
    # multiples of a period resemble as much, and noise makes small peaks beside the one that is meant
    first = next(int(peak) for peak in peaks if correlation[peak] >= 0.8 * best)
    near = peaks[(peaks >= first) & (peaks <= 1.25 * first)]
    period = int(near[np.argmax(correlation[near])])
    return period, float(correlation[period])


def level_change(values: np.ndarray) -> float:
    """How far the last quarter's mean lies from the first's, in standard deviations within the quarters."""
    quarters = np.array_split(values, 4)
    if any(np.isnan(quarter).all() for quarter in quarters) or len(values) < LEAST_EQUAL:
        return 0.0
    means = [float(np.nanmean(quarter)) for quarter in quarters]
    within = float(np.sqrt(np.mean([np.nanvar(quarter) for quarter in quarters])))
    return (means[-1] - means[0]) / within if within > 1e-12 * max(map(abs, means)) else 0.0
