"""What series show when they are read: their step and where it breaks, missing stretches, unequal lengths."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from deepwright.core.errors import AskError, DataError
from deepwright.core.report import Finding, finding
from deepwright.data.narrow import listed
from deepwright.data.series_order import Ordered, moment_of, runs_of
from deepwright.data.series_step import Rhythm, rhythm, step_text

COLUMNS_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Rhythms:
    """The rhythm of every series. each: by entity; offsets: int64 [S + 1], the rows of each."""

    each: tuple[Rhythm, ...]
    offsets: np.ndarray
    is_count: bool

    @classmethod
    def of(cls, found: Ordered) -> "Rhythms":
        offsets = found.offsets
        pairs = pairwise(offsets)
        each = tuple(rhythm(found.moments[low:high], is_count=found.is_count) for low, high in pairs)
        return cls(each, offsets, found.is_count)

    @property
    def breaks(self) -> int:
        """Distances between two moments that are not one step."""
        return sum(len(one.gaps) + len(one.irregular) for one in self.each)

    @property
    def missing(self) -> int:
        return sum(int(one.missing.sum()) for one in self.each)

    @property
    def step(self) -> Rhythm:
        """The rhythm of the longest series."""
        return self.each[int(np.argmax(np.diff(self.offsets)))]

    def step_words(self) -> str:
        steps = sorted({(one.step, one.is_months) for one in self.each if one.step})
        words = [step_text(step, is_months=months, is_count=self.is_count) for step, months in steps]
        return listed(words, 4)

    def longest_gap(self) -> tuple[int, int] | None:
        """Row before the longest gap, and how many moments are missing there."""
        found = [
            (int(one.missing.max()), int(low + one.gaps[np.argmax(one.missing)]))
            for low, one in zip(self.offsets, self.each, strict=False)
            if len(one.gaps)
        ]
        if not found:
            return None
        most = max(count for count, _ in found)
        return next((row, count) for count, row in found if count == most)

    def question(self, found: Ordered) -> AskError:
        """Which gaps there are, and the options that settle what is done about them."""
        row, count = self.longest_gap() or (self._first_irregular(), 0)
        step = self.step
        resample = step_text(step.step) if not (self.is_count or step.is_months) else "1d"
        irregular = sum(len(one.irregular) for one in self.each)
        values = {
            "source": found.raw.source,
            "column": found.time,
            "step": self.step_words(),
            "where": found.where(row),
        }
        if self.is_count or step.is_months:
            return AskError("series.ask_gaps", **values, breaks=self.breaks, missing=self.missing, irregular=irregular)
        return AskError(
            "series.ask_gaps_or_resample", **values, breaks=self.breaks, missing=self.missing, irregular=irregular,
            longest=count, resample=resample,
        )  # fmt: skip

    def _first_irregular(self) -> int:
        return next(
            int(low + one.irregular[0]) for low, one in zip(self.offsets, self.each, strict=False) if len(one.irregular)
        )


def series_notes(found: Ordered, rhythms: Rhythms, *, window: int | None) -> tuple[Finding, ...]:
    """The step, gaps, lengths and missing stretches of series.

    Raises DataError for a series shorter than the window.
    """
    lengths = np.diff(rhythms.offsets)
    first, last = (moment_of(float(end), found.is_count) for end in (found.moments.min(), found.moments.max()))
    values = {"rows": len(found.raw), "first": first, "last": last, "step": rhythms.step_words() or "?"}
    notes = [finding("series_step", "note", found.time, series=len(lengths), **values)]
    if rhythms.breaks:
        notes.append(_gaps(found, rhythms))
    if len(lengths) > 1 and lengths.min() != lengths.max():
        low, high = int(lengths.argmin()), int(lengths.argmax())
        notes.append(
            finding(
                "series_lengths", "note", found.time, series=len(lengths), shortest=int(lengths[low]),
                low=found.names[low], longest=int(lengths[high]), high=found.names[high],
            )
        )  # fmt: skip
    notes += _missing(found)
    if window is not None:
        notes.append(_windows(found, rhythms, window))
    return tuple(notes)


def _gaps(found: Ordered, rhythms: Rhythms) -> Finding:
    irregular = sum(len(one.irregular) for one in rhythms.each)
    longest = rhythms.longest_gap()
    row, count = longest if longest is not None else (rhythms._first_irregular(), 0)
    return finding(
        "series_gaps", "warning", found.time, gaps=rhythms.breaks - irregular, missing=rhythms.missing,
        longest=count, moment=found.where(row), irregular=irregular,
    )  # fmt: skip


def _missing(found: Ordered) -> list[Finding]:
    """Columns with missing values: how many, in how many runs, and the longest of them."""
    raw, offsets = found.raw, found.offsets
    words = frozenset(raw.options.missing)
    notes = []
    for name in raw.names:
        distinct = raw.distinct(name)
        is_blank = np.array([v is None or v == "?" or v in words for v in distinct.values])
        gone = is_blank[distinct.codes]
        if gone.any() and not gone.all():
            starts, lengths = runs_of(gone, offsets)
            worst = int(lengths.argmax())
            notes.append(
                finding(
                    "series_missing", "warning", name, count=int(gone.sum()), rows=len(raw), runs=len(starts),
                    longest=int(lengths[worst]), moment=found.where(int(starts[worst])),
                )
            )  # fmt: skip
    return notes[:COLUMNS_SHOWN]


def _windows(found: Ordered, rhythms: Rhythms, window: int) -> Finding:
    """How many windows of history fit between breaks. Raises DataError where none does in some series."""
    total = 0
    for place, one in enumerate(rhythms.each):
        low, high = rhythms.offsets[place : place + 2]
        edges = np.concatenate([[0], one.breaks + 1, [high - low]])
        pieces = np.diff(edges)
        if pieces.max() < window:
            raise DataError(
                "series.window", source=found.raw.source, series=found.names[place] or found.time,
                moments=int(high - low), piece=int(pieces.max()), window=window,
            )  # fmt: skip
        total += int(np.maximum(pieces - window + 1, 0).sum())
    return finding("series_windows", "note", found.time, windows=total, moments=window, series=len(rhythms.each))
