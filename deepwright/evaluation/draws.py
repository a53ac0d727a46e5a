"""How rows are drawn for an interval: each for itself, whole groups, or blocks of consecutive moments.

Rows of one patient resemble each other, and so do the days of one week: an interval that takes such rows for so many
witnesses is too narrow. What is drawn together here is what may hang together: a group, or a stretch of time.

References: Cameron, Gelbach and Miller 2008 (groups); Politis and Romano 1992 (circular blocks); Politis and White 2004
with the correction of Patton, Politis and White 2009 (length of a block).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

LEAST_PIECES = 4
"""Fewer groups or blocks give no interval."""
BLOCK_FACTOR = 3
"""Blocks are so many times as long as gives the least error of a variance: an interval loses more by a variance that is
too small than by one that is uncertain, which its t quantile allows for (Sun, Phillips and Jin 2008; docs/log.md)."""
ENOUGH_UNITS = 10
"""Where rows have a group and a time, a way of drawing with fewer pieces than this gives way to the other."""


@dataclass(frozen=True)
class Draws:
    """One way of drawing rows. unit: int64 [N], what each row is drawn with, from 0, in order of time where `block` is
    more than 1; None: each row for itself. num_units: their number. block: consecutive units drawn at once."""

    num_units: int
    unit: np.ndarray | None = None
    block: int = 1
    kind: Literal["rows", "groups", "blocks"] = "rows"

    @property
    def pieces(self) -> int:
        """What is drawn independently: rows, groups or blocks."""
        return self.num_units // self.block

    def weights(self, num_resamples: int, seed: int) -> Iterator[np.ndarray]:
        """How often each row is drawn, with replacement: float64 [B, N] per block of resamples, a function of these
        rows' number (units) and the seed alone."""
        rows = self.num_units if self.unit is None else len(self.unit)
        size = max(1, min(num_resamples, 2_000_000 // max(rows, self.num_units)))
        for number, start in enumerate(range(0, num_resamples, size)):
            counts = self._counts(min(size, num_resamples - start), np.random.default_rng((seed, number)))
            yield counts if self.unit is None else counts[:, self.unit]

    def _counts(self, size: int, draw: np.random.Generator) -> np.ndarray:
        """float64 [size, U]: how often each unit is drawn; blocks wrap around the end."""
        num = -(-self.num_units // self.block)
        starts = draw.integers(0, self.num_units, size=(size, num))
        starts += np.arange(size)[:, np.newaxis] * self.num_units
        counts = np.bincount(starts.ravel(), minlength=size * self.num_units).reshape(size, self.num_units)
        if self.block > 1:
            wrapped = np.concatenate([counts[:, 1 - self.block :], counts], axis=1)
            summed = np.concatenate([np.zeros((size, 1), counts.dtype), np.cumsum(wrapped, axis=1)], axis=1)
            counts = summed[:, self.block :] - summed[:, : -self.block]
        return counts.astype(np.float64)


@dataclass(frozen=True)
class Dependence:
    """Which rows hang together. group: int64 [N] numbers from 0; moment: int64 [N] places in time from 0, equal for
    rows of the same time; each None where no column says so."""

    group: np.ndarray | None = None
    moment: np.ndarray | None = None

    @classmethod
    def of(cls, group: np.ndarray | None, time: np.ndarray | None) -> "Dependence | None":
        """From the columns that have the roles; None where neither ties two rows together.

        >>> Dependence.of(np.array(["b", "a", "b"], dtype=object), None).group.tolist()
        [1, 0, 1]
        """
        groups = None if group is None else np.unique(group.astype(str), return_inverse=True)[1]
        if groups is not None and int(groups.max(initial=0)) + 1 == len(groups):
            groups = None  # every row is a group of its own
        moments = None if time is None else np.unique(time, return_inverse=True)[1]
        return None if groups is None and moments is None else cls(groups, moments)

    def draws(self, losses: np.ndarray) -> tuple[Draws, ...]:
        """The ways of drawing that do these rows justice, one or two. losses: float64 [S, N], what the rows of a block
        resemble each other in; the longest block that one of them asks for is taken."""
        found = []
        if self.group is not None:
            found.append(Draws(int(self.group.max(initial=-1)) + 1, self.group, 1, "groups"))
        if self.moment is not None:
            found.append(_blocks(self.moment, losses))
        if len(found) == 2 and min(way.pieces for way in found) < ENOUGH_UNITS:
            return (max(found, key=lambda way: way.pieces),)
        return tuple(found)


def _blocks(moment: np.ndarray, losses: np.ndarray) -> Draws:
    num_units = int(moment.max(initial=-1)) + 1
    length = int(np.ceil(num_units ** (1 / 3)))  # at least: weak dependence is not seen in few rows
    for series in losses:
        deviations = np.bincount(moment, weights=series - series.mean(), minlength=num_units)
        length = max(length, BLOCK_FACTOR * block_length(deviations))
    return Draws(num_units, moment, max(1, min(length, num_units // LEAST_PIECES)), "blocks")


def block_length(series: np.ndarray) -> int:
    """The length of blocks of a series, float64 [T], that gives the least error of the variance of its mean.

    >>> draw = np.random.default_rng(0).normal(size=2000)
    >>> block_length(draw), block_length(np.convolve(draw, 0.8 ** np.arange(30)))
    (1, 37)
    """
    size = len(series)
    if size < 2 * LEAST_PIECES or not series.std() > 0:
        return 1
    spread = max(5, int(np.ceil(np.sqrt(np.log10(size)))))
    longest = min(int(np.ceil(np.sqrt(size))) + spread, size - 1)
    covariance = autocovariances(series, min(2 * longest, size - 1))
    correlation = covariance / covariance[0]
    limit = 2 * np.sqrt(np.log10(size) / size)
    is_small = np.abs(correlation[1:]) < limit
    last = longest
    for lag in range(longest - spread + 1):
        if is_small[lag : lag + spread].all():
            last = lag
            break
    if last == 0:
        return 1
    lags = np.arange(1, min(2 * last, len(covariance) - 1) + 1)
    taper = np.minimum(1.0, 2 * (1 - lags / (2 * last)))
    spectrum = covariance[0] + 2 * np.sum(taper * covariance[lags])
    slope = 2 * np.sum(taper * lags * covariance[lags])
    wanted = (2 * slope**2 / (4 / 3 * spectrum**2)) ** (1 / 3) * size ** (1 / 3) if spectrum > 0 else np.inf
    return int(np.clip(np.ceil(wanted), 1, max(1, size // LEAST_PIECES)))


def autocovariances(series: np.ndarray, num_lags: int) -> np.ndarray:
    """float64 [num_lags + 1], the biased estimates, by the Fourier transform."""
    centred = series - series.mean()
    size = 1 << (2 * len(series) - 1).bit_length()
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    return np.asarray(np.fft.irfft(power, size)[: num_lags + 1] / len(series))
