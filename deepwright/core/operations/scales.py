"""Operations that bend a column's scale: log, smooth bound, power, piecewise linear. Each keeps the order of values."""

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.operations.side_by_side import apart, side_by_side, upright
from deepwright.core.part import option
from deepwright.core.schema import Columns

LARGEST = 1e100
"""Numbers are held here where a formula squares them."""


class Log(Operation, kind="log"):
    """sign(x) log(1 + |x| / unit), per column: near 0 it is x / unit, far out it counts factors.

    >>> import numpy as np
    >>> Log(columns=["fare"], units=[10.0]).apply({"fare": np.array([0.0, 90.0, -90.0])})["fare"].round(4).tolist()
    [0.0, 2.3026, -2.3026]
    """

    columns: tuple[str, ...] = option(help="number columns")
    units: tuple[float, ...] = option(help="one per column, above 0, in the column's unit")

    def apply(self, columns: Columns) -> Columns:
        x_FN = side_by_side(columns, self.columns)
        with np.errstate(over="ignore"):
            ratio = np.minimum(np.abs(x_FN) / upright(self.units), np.finfo(np.float64).max)
        return {**columns, **apart(self.columns, np.sign(x_FN) * np.log1p(ratio))}

    def graph(self, graph: Graph) -> None:
        one = graph.constant([[1.0]], np.float64)
        largest = graph.constant([[np.finfo(np.float64).max]], np.float64)
        for name, unit in zip(self.columns, self.units, strict=True):
            x = graph.values[name]
            ratio = graph.add("Div", graph.add("Abs", x), graph.constant([[unit]], np.float64))
            ratio = graph.add("Where", graph.add("Greater", ratio, largest), largest, ratio)
            graph.values[name] = graph.add("Mul", graph.add("Sign", x), graph.add("Log", graph.add("Add", ratio, one)))


class SmoothBound(Operation, kind="smooth_bound"):
    """x / sqrt(1 + (x / bound)^2), per column: x near 0, and never beyond the bound (Holzmueller et al. 2024).

    >>> import numpy as np
    >>> SmoothBound(columns=["a"], bound=3.0).apply({"a": np.array([0.1, 4.0, -1e9])})["a"].round(4).tolist()
    [0.0999, 2.4, -3.0]
    """

    columns: tuple[str, ...] = option(help="number columns on a common scale")
    bound: float = option(3.0, "the largest size that a value can get", above=0)

    def apply(self, columns: Columns) -> Columns:
        x_FN = np.clip(side_by_side(columns, self.columns), -LARGEST, LARGEST)
        return {**columns, **apart(self.columns, x_FN / np.sqrt(1.0 + (x_FN / self.bound) ** 2))}

    def graph(self, graph: Graph) -> None:
        low, high = graph.constant(-LARGEST, np.float64), graph.constant(LARGEST, np.float64)
        one, bound = graph.constant([[1.0]], np.float64), graph.constant([[self.bound]], np.float64)
        for name in self.columns:
            x = graph.add("Clip", graph.values[name], low, high)
            share = graph.add("Div", x, bound)
            root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", share, share), one))
            graph.values[name] = graph.add("Div", x, root)


class YeoJohnson(Operation, kind="yeo_johnson"):
    """The power transformation of Yeo & Johnson (2000), per column; numbers are held between low and high before it.

    For x >= 0: ((1 + x)^power - 1) / power, or log(1 + x) at power 0. For x < 0: that of -x with 2 - power, negated.
    """

    columns: tuple[str, ...] = option(help="number columns")
    powers: tuple[float, ...] = option(help="one per column")
    lows: tuple[float, ...] = option(help="one per column, in the column's unit")
    highs: tuple[float, ...] = option(help="one per column, in the column's unit")

    def apply(self, columns: Columns) -> Columns:
        bent = {
            name: yeo_johnson(np.clip(columns[name], low, high), power)
            for name, power, low, high in zip(self.columns, self.powers, self.lows, self.highs, strict=True)
        }
        return {**columns, **bent}

    def graph(self, graph: Graph) -> None:
        zero = graph.constant([[0.0]], np.float64)
        for name, power, low, high in zip(self.columns, self.powers, self.lows, self.highs, strict=True):
            limits = graph.constant(low, np.float64), graph.constant(high, np.float64)
            x = graph.add("Clip", graph.values[name], *limits)
            size = graph.add("Abs", x)
            above = _power_in(graph, size, power)
            below = graph.add("Neg", _power_in(graph, size, 2.0 - power))
            graph.values[name] = graph.add("Where", graph.add("Less", x, zero), below, above)


def yeo_johnson(x: np.ndarray, power: float) -> np.ndarray:
    """float64 [N] > float64 [N].

    >>> yeo_johnson(np.array([3.0, -3.0]), 0.5).round(4).tolist()
    [2.0, -4.6667]
    """
    size = np.abs(x)
    return np.where(x < 0, -_power(size, 2.0 - power), _power(size, power))


def _power(size: np.ndarray, power: float) -> np.ndarray:
    return np.asarray(np.log1p(size) if power == 0 else np.expm1(power * np.log1p(size)) / power)


def _power_in(graph: Graph, size: str, power: float) -> str:
    one = graph.constant([[1.0]], np.float64)
    logarithm = graph.add("Log", graph.add("Add", size, one))
    if power == 0:
        return logarithm
    factor = graph.constant([[power]], np.float64)
    grown = graph.add("Exp", graph.add("Mul", logarithm, factor))
    return graph.add("Div", graph.add("Sub", grown, one), factor)


class PiecewiseLinear(Operation, kind="piecewise_linear"):
    """Straight lines between knots, per column; before the first and after the last knot the value stays.

    >>> import numpy as np
    >>> bend = PiecewiseLinear(columns=["a"], knots=[[0.0, 1.0, 10.0]], values=[[0.0, 0.5, 1.0]])
    >>> bend.apply({"a": np.array([-3.0, 0.5, 5.5])})["a"].tolist()
    [0.0, 0.25, 0.75]
    """

    columns: tuple[str, ...] = option(help="number columns without missing values")
    knots: tuple[tuple[float, ...], ...] = option(help="rising, at least one per column, in the column's unit")
    values: tuple[tuple[float, ...], ...] = option(help="what each knot becomes")

    def apply(self, columns: Columns) -> Columns:
        bent = {
            name: np.interp(columns[name], knots, values)
            for name, knots, values in zip(self.columns, self.knots, self.values, strict=True)
        }
        return {**columns, **bent}

    def graph(self, graph: Graph) -> None:
        for name, knots, values in zip(self.columns, self.knots, self.values, strict=True):
            start = graph.constant([[values[0]]], np.float64)
            zero, one = graph.constant(0.0, np.float64), graph.constant(1.0, np.float64)
            x = graph.values[name]
            if len(knots) == 1:
                graph.values[name] = graph.add("Add", graph.add("Mul", x, graph.constant([[0.0]], np.float64)), start)
                continue
            rising = graph.add("Sub", x, graph.constant([knots[:-1]], np.float64))  # [N, pieces]
            shares = graph.add("Div", rising, graph.constant([np.diff(knots)], np.float64))
            shares = graph.add("Clip", shares, zero, one)
            sums = graph.add("MatMul", shares, graph.constant(np.diff(values)[:, None], np.float64))
            graph.values[name] = graph.add("Add", sums, start)
