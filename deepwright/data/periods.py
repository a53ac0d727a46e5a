"""Periods: a splitter by time, training before validation before test."""

import datetime as dt

import numpy as np
from pydantic import model_validator

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import Splitter
from deepwright.core.part import option
from deepwright.core.schema import Type
from deepwright.core.text import text
from deepwright.data.cells import seconds_of
from deepwright.data.shares import parts_at, require_rows

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Periods(Splitter, kind="time"):
    """By the column that `--time` names: training before validation before test, as in use; rows of one time stay
    together.

    Shares put the borders where the rows are, so they move when rows are added; `validation_from` and `test_from` fix
    them.
    """

    train: float = option(0.7, "share of rows that the model learns from", above=0, below=1)
    validation: float = option(0.2, "share of rows on which choices are made", above=0, below=1)
    test: float = option(0.1, "share of rows sealed until the one look; 0 with a test file of your own", low=0, below=1)
    validation_from: str | None = option(
        None, "the first time of validation, as 2024-01-31 or a number; none: by share"
    )
    test_from: str | None = option(None, "the first time of test; none: by share")

    @model_validator(mode="after")
    def _borders_come_together(self) -> "Periods":
        num_due = 1 if self.test == 0 else 2
        if sum(border is not None for border in (self.validation_from, self.test_from)) not in (0, num_due):
            raise ValueError(text("split.one_border"))
        return self

    def assign(self, data: Dataset) -> np.ndarray:
        """Raises RecipeError without a time column, or for a border that is no time; DataError for an empty part."""
        times = data.of_role("time")
        feature = data.schema.of_role("time")
        if times is None or feature is None:
            raise RecipeError("split.no_role", kind="time", option="--time", columns=", ".join(data.schema.names))
        shares = (self.train, self.validation, self.test)
        if self.validation_from is None:
            _, place, counts = np.unique(times, return_inverse=True, return_counts=True)
            middle = (np.cumsum(counts) - counts / 2.0) / len(times)
            parts = parts_at(middle[place], shares)
        else:
            borders = [_moment("validation_from", self.validation_from, feature.type)]
            if self.test_from is not None:
                borders.append(_moment("test_from", self.test_from, feature.type))
            if sorted(borders) != borders:
                raise RecipeError("split.borders", validation=self.validation_from, test=self.test_from)
            parts = np.searchsorted(borders, times, side="right").astype(np.int8)
            require_rows(parts, (1.0, 1.0, float(len(borders) - 1)))
        return _latest_of_equal(parts, data.hashes)


def _latest_of_equal(parts: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """The parts, with rows of one hash in the latest of theirs: two cells that changed places give the same hash."""
    row_hash = np.unique(hashes, return_inverse=True)[1]
    latest = np.zeros(int(row_hash.max()) + 1, parts.dtype)
    np.maximum.at(latest, row_hash, parts)
    return latest[row_hash]


def _moment(name: str, words: str, type_: Type) -> float:
    try:
        found = seconds_of(words) if type_ == "timestamp" else float(words)
    except ValueError:
        found = None
    if found is None or not np.isfinite(found):
        example = "2024-01-31" if type_ == "timestamp" else "2024"
        raise RecipeError("split.bad_border", option=f"--split.{name}", found=words, example=example)
    return found


def moment_text(value: float, type_: Type) -> str:
    """A time as a user writes it.

    >>> moment_text(86400.0, "timestamp"), moment_text(3600.5, "timestamp"), moment_text(2013.0, "number")
    ('1970-01-02', '1970-01-01T01:00:00.500000', '2013')
    """
    if type_ != "timestamp":
        return f"{value:.15g}"
    moment = (EPOCH + dt.timedelta(seconds=value)).replace(tzinfo=None)
    return moment.isoformat().removesuffix("T00:00:00")
