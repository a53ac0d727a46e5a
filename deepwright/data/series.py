"""Series: a source of moments, a row each, which belong to one series or to several."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from deepwright.core.errors import AskError, DataError, UsageError
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.data.table import Table

if TYPE_CHECKING:
    from deepwright.data.raw import Raw
    from deepwright.data.series_order import Ordered


class Series(Table, kind="series"):
    """A table with a row per moment, in order of time; a folder or an archive of tables is one series per file.

    Rows are sorted by series and time, each moment stands once, and what breaks the step is told or asked about. The
    split is by time.

    >>> Series(path="pollution.csv", time=("year", "month", "day", "hour"), missing=("NA",)).time
    ('year', 'month', 'day', 'hour')
    """

    in_time_order: ClassVar[bool] = True

    time: tuple[str, ...] = option(
        (), "the column of the time, or its parts: year,month,day,hour; none: the rows' own order, in a column `row`"
    )
    entity: str | None = option(None, "the column that says whose moment a row is; none: one series, or one per file")
    unit: Literal["s", "ms", "us", "ns", "digits", "count"] | None = option(
        None,
        "what a number is as a time: s ... since 1970, digits (20240131), or a count; none: asked where it may be",
    )
    zone: str | None = option(
        None, "zone of times that name none, as Europe/Berlin; none: UTC, and asked where others name theirs"
    )
    duplicates: Literal["ask", "first", "last", "mean", "sum", "min", "max"] = option(
        "ask", "a moment that stands more than once: ask, keep one row, or take their numbers together"
    )
    gaps: Literal["ask", "keep"] = option(
        "ask", "moments that break the step: ask, or keep them as they are; no window crosses one"
    )
    resample: str | None = option(None, "a step to bring all moments to: 15min, 1h, 1d, 1w; none: as they are")
    by: Literal["mean", "sum", "min", "max", "first", "last"] = option(
        "mean", "what a resampled moment holds of the rows since the one before; other columns: the last"
    )
    interpolate: bool = option(False, "missing numbers of resampled series from the next known one too: it looks ahead")
    window: int | None = option(None, "moments a window of history shall have; a shorter series is refused", low=2)
    member: str | None = option(None, "files to take from a folder or an archive, as data/*.csv; none: every table")
    labels: str | None = option(None, "a JSON file in it: {file: [[from, to], ...]}, for a column `anomaly` of 0 and 1")
    beside: tuple[str, ...] = option((), "further columns in files of their own, row by row: label=labels.csv")

    def read(self, target: str | None) -> "Raw":
        """Rows in order of series and time, which has the role time; the series' name has the role group.

        Raises DataError for columns that hold no time and for series shorter than the window, AskError for moments that
        stand twice, gaps, and times that can be read in two ways.
        """
        from deepwright.data.given import with_validation
        from deepwright.data.series_files import read_files

        if self.path is None:
            raise UsageError("collect.no_source")
        whole = self._arranged(read_files(self), target)
        if self.validation is None:
            return whole
        own = self.replace(path=self.validation, validation=None, test=None)
        return with_validation(whole, own.read(target))

    def arrange(self, raw: "Raw") -> "Raw":
        """Rows as they came, put in order; see `read`."""
        return self._arranged(raw, None)

    def _arranged(self, raw: "Raw", target: str | None) -> "Raw":
        from deepwright.data.series_files import SERIES
        from deepwright.data.series_order import entity_codes, ordered, settled
        from deepwright.data.series_resample import resampled
        from deepwright.data.series_time import Moments, moments_of, proposed_time

        entity = self.entity or (SERIES if raw.files and SERIES in raw.names else None)
        if entity is not None and entity not in raw.names:
            raise DataError(
                "types.column_absent", source=raw.source, column=entity, known=", ".join(raw.names), hint=""
            )
        entities, names = entity_codes(raw, entity)
        if self.time:
            moments = moments_of(raw, self.time, entities=entities, unit=self.unit, zone=self.zone)
        else:
            proposed = proposed_time(raw)
            if proposed:
                raise AskError("series.ask_time", source=raw.source, columns=",".join(proposed))
            moments = Moments(_places(entities), _free("row", raw), True, {})
        raw = replace(raw, roles={moments.name: "time", **({entity: "group"} if entity is not None else {})})
        found = settled(ordered(raw, moments, entities, names, entity), self.duplicates)
        if self.resample is not None:
            found = resampled(found, self.resample, self.by, interpolate=self.interpolate, target=target)
        notes = [finding("series_zone", "note", found.time, count=moments.assumed)] if moments.assumed else []
        return replace(found.raw, notes=(*found.raw.notes, *notes, *self._looked_at(found)))

    def _looked_at(self, found: "Ordered") -> tuple[Finding, ...]:
        from deepwright.data.series_overview import Rhythms, series_notes

        rhythms = Rhythms.of(found)
        if self.gaps == "ask" and self.resample is None and rhythms.breaks:
            raise rhythms.question(found)
        return series_notes(found, rhythms, window=self.window)


def _places(entities: np.ndarray) -> np.ndarray:
    """float64 [N]: the number of each row within its entity, from 1."""
    order = np.argsort(entities, kind="stable")
    sorted_ = entities[order]
    begins = np.flatnonzero(np.concatenate([[True], np.diff(sorted_) != 0]))
    places = np.empty(len(entities))
    places[order] = np.arange(len(entities)) - np.repeat(begins, np.diff([*begins, len(entities)])) + 1
    return places


def _free(name: str, raw: "Raw") -> str:
    while name in raw.names:
        name += "'"
    return name
