"""Operation on times: where a moment stands in the year, the month, the week and the day, as points on circles."""

import math
from typing import Any, Literal

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.part import option
from deepwright.core.schema import Columns

Cycle = Literal["year", "month", "week", "day"]

DAY_S = 86_400.0
LATEST_S = 1e14
"""Times are held within three million years of 1970."""


class Calendar(Operation, kind="calendar"):
    """Two new columns per cycle, sine and cosine of the position in it, so that December stands beside January.

    year: the time of the year, 0 at the start of January. month: the day of the month. week: from Monday. day: the time
    of the day. All in UTC, in the proleptic Gregorian calendar (Hinnant 2013, civil_from_days).

    >>> import numpy as np
    >>> new_year = Calendar(column="t", cycles=["day"], outputs=["sin", "cos"])
    >>> {k: v.round(3).tolist() for k, v in new_year.apply({"t": np.array([0.0, 21600.0])}).items() if k != "t"}
    {'sin': [0.0, 1.0], 'cos': [1.0, 0.0]}
    """

    column: str = option(help="a time column, in seconds since 1970")
    cycles: tuple[Cycle, ...] = option(help="the cycles")
    outputs: tuple[str, ...] = option(help="the new columns' names: sine and cosine of each cycle in turn")

    def apply(self, columns: Columns) -> Columns:
        seconds = np.clip(columns[self.column], -LATEST_S, LATEST_S)
        shares = positions(seconds, np.floor)
        result = dict(columns)
        for place, cycle in enumerate(self.cycles):
            angle = shares[cycle] * (2.0 * math.pi)
            result[self.outputs[2 * place]] = np.sin(angle)
            result[self.outputs[2 * place + 1]] = np.cos(angle)
        return result

    def graph(self, graph: Graph) -> None:
        bounds = (graph.constant(bound, np.float64) for bound in (-LATEST_S, LATEST_S))
        seconds = _Value(graph, graph.add("Clip", graph.values[self.column], *bounds))
        shares = positions(seconds, lambda value: _Value(graph, graph.add("Floor", value.name)))
        for place, cycle in enumerate(self.cycles):
            angle = shares[cycle] * (2.0 * math.pi)
            graph.values[self.outputs[2 * place]] = graph.add("Sin", angle.name)
            graph.values[self.outputs[2 * place + 1]] = graph.add("Cos", angle.name)


def positions(seconds: Any, floor: Any) -> dict[Cycle, Any]:
    """Where times stand in each cycle, from 0 to 1. The same arithmetic for numpy arrays and for values of a graph."""
    days = floor(seconds / DAY_S)
    time_of_day = seconds / DAY_S - days
    shifted = days + 719_468.0  # days since 1 March of the year 0
    era = floor(shifted / 146_097.0)
    day_of_era = shifted - era * 146_097.0
    leaps = floor(day_of_era / 36_524.0) - floor(day_of_era / 1_460.0) - floor(day_of_era / 146_096.0)
    year_of_era = floor((day_of_era + leaps) / 365.0)
    day_of_year = day_of_era - (year_of_era * 365.0 + floor(year_of_era / 4.0) - floor(year_of_era / 100.0))
    month_from_march = floor((day_of_year * 5.0 + 2.0) / 153.0)
    day_of_month = day_of_year - floor((month_from_march * 153.0 + 2.0) / 5.0)
    weekday = days + 3.0 - floor((days + 3.0) / 7.0) * 7.0  # 1 January 1970 was a Thursday
    from_january = day_of_year + 59.0 - floor((day_of_year + 59.0) / 365.0) * 365.0  # 29 February counts as 1 March
    return {
        "year": (from_january + time_of_day) / 365.0,
        "month": (day_of_month + time_of_day) / 31.0,
        "week": (weekday + time_of_day) / 7.0,
        "day": time_of_day,
    }


class _Value:
    """A value of a graph with the four operations of arithmetic."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def __add__(self, other: "_Value | float") -> "_Value":
        return self._with("Add", other)

    def __sub__(self, other: "_Value | float") -> "_Value":
        return self._with("Sub", other)

    def __mul__(self, other: "_Value | float") -> "_Value":
        return self._with("Mul", other)

    def __truediv__(self, other: "_Value | float") -> "_Value":
        return self._with("Div", other)

    def _with(self, op: str, other: "_Value | float") -> "_Value":
        right = other.name if isinstance(other, _Value) else self.graph.constant([[other]], np.float64)
        return _Value(self.graph, self.graph.add(op, self.name, right))
