"""Spikes: many equal values at the end of a column, such as 0 for missing or a cap."""

from dataclasses import dataclass

import numpy as np

LOW_PLACEHOLDERS = (0.0, -1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0)
HIGH_PLACEHOLDERS = (99.0, 999.0, 9999.0, 99999.0, 999999.0, 9999999.0)

FEW_VALUES = 15
"""A column with fewer different values beside the spike is a scale of its own."""

FEW_ROWS = 5
GAP = 2.5
"""How often the widest step among the nearer half of the other values fits into the gap before the spike."""

NARROW = 0.1
"""Quartile distances: a gap narrower than this is none."""

EDGE = 0.05
"""Share of the other values, nearest to the spike, that are too sparse to tell how wide steps are."""

FENCE = 1.5
"""Quartile distances below the first (above the third) quartile beyond which a value is an outlier (Tukey 1977)."""

MANY = 0.1
MOST = 0.6
"""Share of rows from which on a value is the ordinary one, as no loss of capital is, and no placeholder."""

PILE_SHARE = 0.01
PILE_FACTOR = 10.0


@dataclass(frozen=True)
class Spike:
    """rows: how often the value occurs. nearest: the next value. is_clear: whether `auto` takes it as missing."""

    value: float
    rows: int
    share: float
    nearest: float
    is_clear: bool


def placeholder(column: np.ndarray) -> Spike | None:
    """A usual placeholder at the end of a number column that stands apart from all other values, if there is one.

    Apart: the gap to the next value is at least 2.5 times the widest step among the nearer half of the others. Clear:
    it also is an outlier by Tukey's fence, or a tenth of the rows have it and no other value has a fifth of that; what
    most rows have is never clear.
    """
    present = column[~np.isnan(column)]
    if len(present) < FEW_ROWS:
        return None
    low, high = float(present.min()), float(present.max())
    if low in LOW_PLACEHOLDERS:
        return _spike(present, low, 1.0)
    if high in HIGH_PLACEHOLDERS:
        return _spike(present, high, -1.0)
    return None


def _spike(present: np.ndarray, value: float, sign: float) -> Spike | None:
    """sign: 1 where the value is the lowest, -1 where it is the highest."""
    others = np.sort((present[present != value] - value) * sign)  # distances from the spike, all above 0
    rows = len(present) - len(others)
    distinct = np.unique(others)
    if rows < 2 or len(distinct) < FEW_VALUES or len(others) < 2 * FEW_VALUES:
        return None
    edge, first, median, third = (float(q) for q in np.quantile(others, [EDGE, 0.25, 0.5, 0.75]))
    steps = np.diff(distinct[(distinct >= edge) & (distinct <= median)])
    widest = float(steps.max()) if len(steps) else first
    gap = float(distinct[0])
    if gap < max(GAP * widest, NARROW * (third - first)):
        return None
    share = rows / len(present)
    commonest = float(np.unique(others, return_counts=True)[1].max()) / len(present)
    is_outlier = first - FENCE * (third - first) > 0
    is_clear = share < MOST and (is_outlier or (share >= MANY and commonest < share / 5))
    if not is_outlier and rows < FEW_ROWS:
        return None
    return Spike(value, rows, share, value + sign * gap, is_clear)


def cap(column: np.ndarray) -> Spike | None:
    """A pile of equal values at the largest (or smallest) of a number column, as of a measurement that was cut off.

    At least a hundredth of the rows, and 10 times as many as the median of the other values has.
    """
    present = column[~np.isnan(column)]
    distinct, counts = np.unique(present, return_counts=True)
    if len(distinct) < 2 * FEW_VALUES:
        return None
    for place, nearest in ((-1, -2), (0, 1)):
        rows = int(counts[place])
        others = float(np.median(np.delete(counts, place)))
        near = float(counts[nearest])
        if distinct[place] == 0 or rows < max(2 * FEW_ROWS, PILE_SHARE * len(present)):
            continue
        if rows >= PILE_FACTOR * others and rows >= 3 * near:
            return Spike(float(distinct[place]), rows, rows / len(present), float(distinct[nearest]), False)
    return None
