"""Operations on values that cannot or should not be: bounds, placeholders, rules between columns."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.operations.side_by_side import apart, side_by_side, upright
from deepwright.core.part import option
from deepwright.core.schema import Columns

Comparison = Literal["<", "<=", "==", "!=", ">", ">="]

COMPARISONS: dict[Comparison, Callable[[np.ndarray, np.ndarray | float], np.ndarray]] = {
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


class Bound(Operation, kind="bound"):
    """Hold numbers at a lower and an upper bound, or call missing what lies outside; a missing one stays missing.

    >>> import numpy as np
    >>> Bound(columns=["age"], lows=[0.0], highs=[120.0]).apply({"age": np.array([-5.0, 40.0, 999.0])})["age"].tolist()
    [0.0, 40.0, 120.0]
    """

    columns: tuple[str, ...] = option(help="number columns")
    lows: tuple[float, ...] = option(help="one per column, in the column's unit")
    highs: tuple[float, ...] = option(help="one per column, in the column's unit")
    treat: Literal["clip", "missing"] = option("clip", "what becomes of a number outside")

    def apply(self, columns: Columns) -> Columns:
        x_FN = side_by_side(columns, self.columns)
        lows, highs = upright(self.lows), upright(self.highs)
        if self.treat == "clip":
            return {**columns, **apart(self.columns, np.clip(x_FN, lows, highs))}
        return {**columns, **apart(self.columns, np.where((x_FN < lows) | (x_FN > highs), np.nan, x_FN))}

    def graph(self, graph: Graph) -> None:
        for name, low, high in zip(self.columns, self.lows, self.highs, strict=True):
            for sign, bound in (("Less", low), ("Greater", high)):
                limit = graph.constant([[bound]], np.float64)
                outside = graph.add(sign, graph.values[name], limit)
                instead = limit if self.treat == "clip" else graph.constant([[np.nan]], np.float64)
                graph.values[name] = graph.add("Where", outside, instead, graph.values[name])


class OutsideFlag(Operation, kind="outside_flag"):
    """A new column that is 1 where a number lies outside its bounds, else 0; a missing one does not."""

    columns: tuple[str, ...] = option(help="number columns")
    lows: tuple[float, ...] = option(help="one per column, in the column's unit")
    highs: tuple[float, ...] = option(help="one per column, in the column's unit")
    outputs: tuple[str, ...] = option(help="the new columns' names")

    def apply(self, columns: Columns) -> Columns:
        x_FN = side_by_side(columns, self.columns)
        outside = (x_FN < upright(self.lows)) | (x_FN > upright(self.highs))
        return {**columns, **apart(self.outputs, outside.astype(np.float64))}

    def graph(self, graph: Graph) -> None:
        for name, low, high, output in zip(self.columns, self.lows, self.highs, self.outputs, strict=True):
            below = graph.add("Less", graph.values[name], graph.constant([[low]], np.float64))
            above = graph.add("Greater", graph.values[name], graph.constant([[high]], np.float64))
            graph.values[output] = graph.add("Cast", graph.add("Or", below, above), to=11)  # 11: double


class SetMissing(Operation, kind="set_missing"):
    """Call one exact number of a column missing: a placeholder such as 0 or -999.

    >>> import numpy as np
    >>> SetMissing(columns=["glucose"], values=[0.0]).apply({"glucose": np.array([148.0, 0.0])})["glucose"].tolist()
    [148.0, nan]
    """

    columns: tuple[str, ...] = option(help="number columns; one may stand more than once")
    values: tuple[float, ...] = option(help="the placeholder, one per column")

    def apply(self, columns: Columns) -> Columns:
        result = dict(columns)
        for name, value in zip(self.columns, self.values, strict=True):
            result[name] = np.where(result[name] == value, np.nan, result[name])
        return result

    def graph(self, graph: Graph) -> None:
        missing = graph.constant([[np.nan]], np.float64)
        for name, value in zip(self.columns, self.values, strict=True):
            found = graph.add("Equal", graph.values[name], graph.constant([[value]], np.float64))
            graph.values[name] = graph.add("Where", found, missing, graph.values[name])


class Require(Operation, kind="require"):
    """Act on rows that break `column comparison number` or `column comparison other`; a missing side breaks nothing.

    >>> import numpy as np
    >>> rows = {"start": np.array([1.0, 9.0]), "end": np.array([2.0, 3.0])}
    >>> Require(column="start", comparison="<=", other="end", output="late start").apply(rows)["late start"].tolist()
    [0.0, 1.0]
    """

    column: str = option(help="a number column")
    comparison: Comparison = option(help="what must hold")
    number: float = option(0.0, "the other side, where it is a number")
    other: str | None = option(None, "the other side, where it is a column")
    output: str | None = option(None, "a new column of 1 where it is broken, else 0; none: what breaks it is missing")

    def broken(self, columns: Columns) -> np.ndarray:
        """bool [N]: rows in which both sides are known and the comparison does not hold."""
        left = columns[self.column]
        right = columns[self.other] if self.other is not None else self.number
        return ~COMPARISONS[self.comparison](left, right) & ~np.isnan(left) & ~np.isnan(right)

    def apply(self, columns: Columns) -> Columns:
        broken = self.broken(columns)
        if self.output is not None:
            return {**columns, self.output: broken.astype(np.float64)}
        names = (self.column,) if self.other is None else (self.column, self.other)
        return {**columns, **{name: np.where(broken, np.nan, columns[name]) for name in names}}

    def graph(self, graph: Graph) -> None:
        left = graph.values[self.column]
        right = graph.values[self.other] if self.other is not None else graph.constant([[self.number]], np.float64)
        broken = self._broken_in(graph, left, right)
        if self.output is not None:
            graph.values[self.output] = graph.add("Cast", broken, to=11)  # 11: double
            return
        missing = graph.constant([[np.nan]], np.float64)
        for name in (self.column,) if self.other is None else (self.column, self.other):
            graph.values[name] = graph.add("Where", broken, missing, graph.values[name])

    def _broken_in(self, graph: Graph, left: str, right: str) -> str:
        opposite = {"<": "GreaterOrEqual", "<=": "Greater", ">": "LessOrEqual", ">=": "Less", "!=": "Equal"}
        if self.comparison in opposite:
            return graph.add(opposite[self.comparison], left, right)  # false where a side is missing
        less, greater = graph.add("Less", left, right), graph.add("Greater", left, right)
        return graph.add("Or", less, greater)
