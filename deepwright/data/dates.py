"""Dates: what is made of times, learned on the training part."""

from typing import Literal, get_args

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Dates
from deepwright.core.operations import Calendar, Drop, Operation
from deepwright.core.operations.calendar import Cycle
from deepwright.core.part import option
from deepwright.core.report import Finding, finding
from deepwright.core.step import Fitted
from deepwright.data.narrow import free_names, listed

LENGTH_S: dict[Cycle, float] = {"year": 365.25 * 86_400, "month": 30.4 * 86_400, "week": 604_800.0, "day": 86_400.0}
CYCLES: tuple[Cycle, ...] = get_args(Cycle)


class AutoDates(Dates, kind="auto"):
    """The elapsed time, and sine and cosine of each cycle that the training part covers: year, month, week, day.

    A cycle is covered where the times span it, at least one and a half times for the year (in less, the season is the
    elapsed time); the day where times of the day differ.
    """

    def learn(self, train: Dataset) -> Fitted:
        operations = [_calendar(name, cycles, train) for name, cycles in self._covered(train).items() if cycles]
        return Fitted(tuple(operations))

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        entries = [f"{name} ({', '.join(cycles)})" for name, cycles in self._covered(train).items() if cycles]
        return (finding("cycles", "note", "prepare.dates", columns=listed(entries)),) if entries else ()

    def _covered(self, train: Dataset) -> dict[str, tuple[Cycle, ...]]:
        return {name: _cycles_of(train.columns[name]) for name in _times(train)}


class Cyclic(Dates, kind="cyclic"):
    """Sine and cosine of the cycles that you name."""

    cycles: tuple[Literal["year", "month", "week", "day"], ...] = option(CYCLES, "year, month, week, day")
    elapsed: bool = option(True, "the elapsed time as a number too")

    def learn(self, train: Dataset) -> Fitted:
        columns = _times(train)
        operations: list[Operation] = [_calendar(name, self.cycles, train) for name in columns if self.cycles]
        if columns and not self.elapsed:
            operations.append(Drop(columns=tuple(columns)))
        return Fitted(tuple(operations))


class Elapsed(Dates, kind="elapsed"):
    """The elapsed time alone, in seconds since 1970, which the scaler brings to a common scale."""

    def learn(self, train: Dataset) -> Fitted:
        return Fitted()


def _times(train: Dataset) -> list[str]:
    return [feature.name for feature in train.schema.inputs if feature.type == "timestamp"]


def _calendar(name: str, cycles: tuple[Cycle, ...], train: Dataset) -> Calendar:
    wanted = [f"{name} {cycle} {part}" for cycle in cycles for part in ("sin", "cos")]
    return Calendar(column=name, cycles=cycles, outputs=free_names(wanted, train))


def _cycles_of(column: np.ndarray) -> tuple[Cycle, ...]:
    span = float(column.max() - column.min())
    factor: dict[Cycle, float] = {"year": 1.5, "month": 2.0, "week": 2.0, "day": 1.0}
    covered = [cycle for cycle in CYCLES if span >= factor[cycle] * LENGTH_S[cycle]]
    if np.ptp(np.mod(column, 86_400.0)) == 0 and "day" in covered:
        covered.remove("day")
    return tuple(covered)
