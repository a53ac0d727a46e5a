"""The step of a series: how far its moments lie apart, whether they keep to it, and where some are missing."""

import re
from dataclasses import dataclass

import numpy as np

from deepwright.core.errors import RecipeError
from deepwright.core.text import text

UNITS_S = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
DURATION = re.compile(r"(\d{1,6})\s*(s|min|h|d|w)", re.ASCII)
CLOSE = 1e-6
"""Share of a step by which a distance may miss a whole number of steps: what rounding leaves."""


@dataclass(frozen=True)
class Rhythm:
    """Moments in order: their usual step and where they leave it.

    step: seconds (or counts), or calendar months where is_months. gaps: int64 [G], places after which moments are
    missing; missing: int64 [G], how many. irregular: int64 [I], places after which the distance is no whole number of
    steps.
    """

    step: float
    is_months: bool
    gaps: np.ndarray
    missing: np.ndarray
    irregular: np.ndarray

    @property
    def is_regular(self) -> bool:
        return not len(self.gaps) and not len(self.irregular)

    @property
    def breaks(self) -> np.ndarray:
        """int64, rising: places after which a window may not go on."""
        return np.union1d(self.gaps, self.irregular)


def rhythm(moments: np.ndarray, *, is_count: bool = False) -> Rhythm:
    """The step of moments, float64 [T] rising and all different; of fewer than two it is 0.

    >>> found = rhythm(np.array([0.0, 60.0, 120.0, 300.0, 310.0]))
    >>> found.step, found.gaps.tolist(), found.missing.tolist(), found.irregular.tolist()
    (60.0, [2], [2], [3])
    """
    none = np.zeros(0, np.int64)
    if len(moments) < 2:
        return Rhythm(0.0, False, none, none, none)
    months = None if is_count else _months(moments)
    distances = np.diff(moments if months is None else months)
    values, counts = np.unique(distances, return_counts=True)
    step = float(values[np.argmax(counts)])  # of equally frequent ones the smallest
    steps = np.rint(distances / step)
    is_whole = np.abs(distances - steps * step) <= CLOSE * step
    is_gap = is_whole & (steps > 1)
    gaps = np.flatnonzero(is_gap)
    return Rhythm(
        step, months is not None, gaps, (steps[gaps] - 1).astype(np.int64), np.flatnonzero(~is_whole | (steps < 1))
    )


def _months(moments: np.ndarray) -> np.ndarray | None:
    """float64 [T] of months since year 0 where every moment has the same day of the month and time; else None."""
    days = moments.astype("datetime64[s]").astype("datetime64[D]")
    if np.ptp(moments - days.astype("datetime64[s]").astype(np.float64)) > 0:
        return None
    months = days.astype("datetime64[M]")
    of_month = (days - months.astype("datetime64[D]")).astype(np.int64)
    if np.ptp(of_month) == 0:
        return months.astype(np.float64)
    is_last = (days + 1).astype("datetime64[M]") != months
    return months.astype(np.float64) if is_last.all() else None


def seconds_in(duration: str, option: str) -> float:
    """Seconds of `15min`, `1h`, `1d`, `1w`. Raises RecipeError naming the option for another text.

    >>> seconds_in("15min", "--source.resample")
    900.0
    """
    found = DURATION.fullmatch(duration.strip())
    if found is None or int(found[1]) == 0:
        raise RecipeError("series.duration", option=option, found=duration)
    return int(found[1]) * UNITS_S[found[2]]


def step_text(step: float, *, is_months: bool = False, is_count: bool = False) -> str:
    """A step as a user writes it.

    >>> step_text(3600.0), step_text(172800.0), step_text(1.0, is_months=True), step_text(90.0)
    ('1h', '2d', '1 month', '90s')
    """
    if is_count:
        return f"{step:.10g}"
    if is_months:
        return text("series.month") if step == 1 else text("series.months", count=f"{step:.0f}")
    for unit in ("w", "d", "h", "min"):
        size = UNITS_S[unit]
        if step >= size and step % size == 0 and (unit != "w" or step == size):
            return f"{step / size:.0f}{unit}"
    return f"{step:.10g}s"
