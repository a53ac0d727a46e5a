"""Operations on windows: numbers made of a row's own history, float64 [N, T] per column, oldest first.

The last moment of a window is the newest that is known when the row is answered, so nothing here can see further.

Letters: N rows, T moments of a window, W the newest of them that are looked at, B blocks, F frequencies.
"""

import math
from typing import Literal

import numpy as np

from deepwright.core.errors import DataError
from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.part import option
from deepwright.core.schema import Columns

Statistic = Literal["mean", "sd", "min", "max"]
Reduction = Literal["mean", "sum", "min", "max", "last"]

FARTHEST = 1e100
"""Values are held here, so that squares and sums stay finite."""
ROUNDING = 1e-12
"""A spread this small beside the mean is what rounding leaves of a constant window."""
INT64, DOUBLE = 7, 11
EVERYTHING = 2**31 - 1


class WindowLags(Operation, kind="window_lags"):
    """New columns: single moments of the window; lag 1 is the newest.

    >>> import numpy as np
    >>> lags = WindowLags(columns=["load"], lags=[1, 3], outputs=["load lag 1", "load lag 3"])
    >>> {k: v.tolist() for k, v in lags.apply({"load": np.array([[5.0, 6.0, 9.0]])}).items() if k != "load"}
    {'load lag 1': [9.0], 'load lag 3': [5.0]}
    """

    columns: tuple[str, ...] = option(help="columns of windows [N, T]")
    lags: tuple[int, ...] = option(help="moments back, 1 for the newest")
    outputs: tuple[str, ...] = option(help="the new columns' names: each lag of the first column, then of the next")

    def apply(self, columns: Columns) -> Columns:
        made = [_newest(columns, name, lag)[:, 0] for name in self.columns for lag in self.lags]
        return {**columns, **dict(zip(self.outputs, made, strict=True))}

    def graph(self, graph: Graph) -> None:
        pairs = [(name, lag) for name in self.columns for lag in self.lags]
        for output, (name, lag) in zip(self.outputs, pairs, strict=True):
            graph.values[output] = _moment(graph, graph.values[name], lag)


class WindowDifferences(Operation, kind="window_differences"):
    """New columns: the newest moment less the one so many steps before it.

    >>> import numpy as np
    >>> change = WindowDifferences(columns=["load"], lags=[1, 2], outputs=["change 1", "change 2"])
    >>> {k: v.tolist() for k, v in change.apply({"load": np.array([[5.0, 6.0, 9.0]])}).items() if k != "load"}
    {'change 1': [3.0], 'change 2': [4.0]}
    """

    columns: tuple[str, ...] = option(help="columns of windows [N, T]")
    lags: tuple[int, ...] = option(help="steps between the two moments, from 1")
    outputs: tuple[str, ...] = option(help="the new columns' names: each lag of the first column, then of the next")

    def apply(self, columns: Columns) -> Columns:
        made = []
        for name in self.columns:
            for lag in self.lags:
                x_NW = _newest(columns, name, lag + 1)
                made.append(x_NW[:, -1] - x_NW[:, 0])
        return {**columns, **dict(zip(self.outputs, made, strict=True))}

    def graph(self, graph: Graph) -> None:
        pairs = [(name, lag) for name in self.columns for lag in self.lags]
        for output, (name, lag) in zip(self.outputs, pairs, strict=True):
            newest, older = (_held(graph, _moment(graph, graph.values[name], place)) for place in (1, lag + 1))
            graph.values[output] = graph.add("Sub", newest, older)


class WindowRolling(Operation, kind="window_rolling"):
    """New columns: statistics of the newest moments; missing ones do not count, and none at all gives a missing value.

    A quantile lies between two values where its place does (linear, as numpy's default).

    >>> import numpy as np
    >>> past = WindowRolling(columns=["load"], widths=[2], statistics=["mean", "max"], quantiles=[0.5],
    ...     outputs=["mean", "max", "median"])
    >>> {k: v.tolist() for k, v in past.apply({"load": np.array([[5.0, 6.0, 9.0]])}).items() if k != "load"}
    {'mean': [7.5], 'max': [9.0], 'median': [7.5]}
    """

    columns: tuple[str, ...] = option(help="columns of windows [N, T]")
    widths: tuple[int, ...] = option(help="moments that are looked at, counted back from the newest")
    statistics: tuple[Statistic, ...] = option((), "mean, sd (over n), min, max")
    quantiles: tuple[float, ...] = option((), "shares between 0 and 1")
    outputs: tuple[str, ...] = option(
        help="the new columns' names: per column and width the statistics, then quantiles"
    )

    def apply(self, columns: Columns) -> Columns:
        made: list[np.ndarray] = []
        for name in self.columns:
            for width in self.widths:
                made += self._numbers(_newest(columns, name, width))
        return {**columns, **dict(zip(self.outputs, made, strict=True))}

    def _numbers(self, x_NW: np.ndarray) -> list[np.ndarray]:
        missing_NW = np.isnan(x_NW)
        count_N = (~missing_NW).sum(axis=1)
        nothing_N = np.where(count_N > 0, 0.0, np.nan)
        divisor_N = np.maximum(count_N, 1)
        mean_N = np.where(missing_NW, 0.0, x_NW).sum(axis=1) / divisor_N
        centred_NW = np.where(missing_NW, 0.0, x_NW - mean_N[:, None])
        sd_N = np.sqrt((centred_NW * centred_NW).sum(axis=1) / divisor_N)
        found = {
            "mean": mean_N,
            "sd": np.where(sd_N > ROUNDING * np.abs(mean_N), sd_N, 0.0),
            "min": np.where(missing_NW, FARTHEST, x_NW).min(axis=1),
            "max": np.where(missing_NW, -FARTHEST, x_NW).max(axis=1),
        }
        made = [found[name] + nothing_N for name in self.statistics]
        if self.quantiles:
            sorted_NW = np.sort(np.where(missing_NW, FARTHEST, x_NW), axis=1)
            for share in self.quantiles:
                place_N = share * np.maximum(count_N - 1, 0)
                low_N, high_N = (
                    np.take_along_axis(sorted_NW, round_(place_N).astype(np.int64)[:, None], axis=1)[:, 0]
                    for round_ in (np.floor, np.ceil)
                )
                made.append(low_N + (high_N - low_N) * (place_N - np.floor(place_N)) + nothing_N)
        return made

    def graph(self, graph: Graph) -> None:
        outputs = iter(self.outputs)
        for name in self.columns:
            for width in self.widths:
                for value in self._values(graph, _last(graph, graph.values[name], width), width):
                    graph.values[next(outputs)] = value

    def _values(self, graph: Graph, x: str, width: int) -> list[str]:
        def filled(value: float) -> str:
            return graph.add("Where", missing, graph.constant([[value]], np.float64), x)

        axis = graph.constant([1], np.int64)
        missing = graph.add("IsNaN", x)
        present = graph.add("Cast", graph.add("Not", missing), to=DOUBLE)
        count = graph.add("ReduceSum", present, axis, keepdims=1)
        is_empty = graph.add("Equal", count, graph.constant([[0.0]], np.float64))
        divisor = graph.add("Max", count, graph.constant([[1.0]], np.float64))
        mean = graph.add("Div", graph.add("ReduceSum", filled(0.0), axis, keepdims=1), divisor)
        centred = graph.add("Mul", graph.add("Sub", filled(0.0), mean), present)
        squares = graph.add("ReduceSum", graph.add("Mul", centred, centred), axis, keepdims=1)
        sd = graph.add("Sqrt", graph.add("Div", squares, divisor))
        least = graph.add("Mul", graph.add("Abs", mean), graph.constant([[ROUNDING]], np.float64))
        found = {
            "mean": mean,
            "sd": graph.add("Where", graph.add("Greater", sd, least), sd, graph.constant([[0.0]], np.float64)),
            "min": graph.add("ReduceMin", filled(FARTHEST), axis, keepdims=1),
            "max": graph.add("ReduceMax", filled(-FARTHEST), axis, keepdims=1),
        }
        made = [found[name] for name in self.statistics]
        if self.quantiles:
            sorted_ = graph.add(
                "TopK", filled(FARTHEST), graph.constant([width], np.int64), outputs=2, axis=1, largest=0
            )
            steps = graph.add("Sub", divisor, graph.constant([[1.0]], np.float64))
            for share in self.quantiles:
                place = graph.add("Mul", steps, graph.constant([[share]], np.float64))
                floor = graph.add("Floor", place)
                low, high = (
                    graph.add("GatherElements", sorted_, graph.add("Cast", end, to=INT64), axis=1)
                    for end in (floor, graph.add("Ceil", place))
                )
                between = graph.add("Mul", graph.add("Sub", high, low), graph.add("Sub", place, floor))
                made.append(graph.add("Add", low, between))
        nan = graph.constant([[np.nan]], np.float64)
        return [graph.add("Where", is_empty, nan, value) for value in made]


class WindowSpectrum(Operation, kind="window_spectrum"):
    """New columns: the share of the newest moments' variance that lies in each band of frequencies.

    The discrete Fourier transform of the window less its mean; a missing moment counts as the mean, and a constant
    window has shares of 0.

    >>> import numpy as np
    >>> waves = WindowSpectrum(columns=["load"], width=8, edges=[0.0, 0.2, 0.5], outputs=["slow", "fast"])
    >>> every_4 = np.sin(2 * np.pi * np.arange(8) / 4)[None]
    >>> {k: v.round(6).tolist() for k, v in waves.apply({"load": every_4}).items() if k != "load"}
    {'slow': [0.0], 'fast': [1.0]}
    """

    columns: tuple[str, ...] = option(help="columns of windows [N, T]")
    width: int = option(help="moments that are looked at, counted back from the newest", low=2)
    edges: tuple[float, ...] = option(help="the bands' edges, rising, in cycles per moment from 0 to 0.5")
    outputs: tuple[str, ...] = option(help="the new columns' names: each band of the first column, then of the next")

    def apply(self, columns: Columns) -> Columns:
        weights_FB = self._weights()
        made: list[np.ndarray] = []
        for name in self.columns:
            x_NW = _newest(columns, name, self.width)
            missing_NW = np.isnan(x_NW)
            count_N = np.maximum((~missing_NW).sum(axis=1, keepdims=True), 1)
            mean_N1 = np.where(missing_NW, 0.0, x_NW).sum(axis=1, keepdims=True) / count_N
            centred_NW = np.where(missing_NW, 0.0, x_NW - mean_N1)
            waves_NF = np.fft.rfft(centred_NW, axis=1)[:, 1:]
            power_NF = waves_NF.real**2 + waves_NF.imag**2
            # by Parseval the whole is W times the sum of squares
            whole_N = self.width * (centred_NW * centred_NW).sum(axis=1)
            is_wave_N = whole_N > (self.width * mean_N1[:, 0] * ROUNDING) ** 2
            for weights_F in weights_FB.T:  # row by row: the same bits in any batch
                made.append(np.where(is_wave_N, (power_NF * weights_F).sum(axis=1) / np.maximum(whole_N, 1e-300), 0.0))
        return {**columns, **dict(zip(self.outputs, made, strict=True))}

    def _weights(self) -> np.ndarray:
        """How much of each frequency above 0 counts for which band, [F, B]."""
        places = np.arange(1, self.width // 2 + 1)
        # every frequency but the fastest of an even width stands for itself and its mirror
        times_F = np.where(2 * places == self.width, 1.0, 2.0)
        cycles_F = places / self.width
        weights_FB = np.zeros((len(places), len(self.edges) - 1))
        for band, (low, high) in enumerate(zip(self.edges[:-1], self.edges[1:], strict=True)):
            is_last = band == len(self.edges) - 2
            inside_F = (cycles_F >= low) & ((cycles_F < high) | (is_last & (cycles_F <= high)))
            weights_FB[:, band] = np.where(inside_F, times_F, 0.0)
        return weights_FB

    def graph(self, graph: Graph) -> None:
        turns_WF = np.outer(np.arange(self.width), np.arange(1, self.width // 2 + 1)) % self.width / self.width
        sides = (np.cos(2.0 * math.pi * turns_WF), np.sin(2.0 * math.pi * turns_WF), self._weights())
        cos, sin, weights = (graph.constant(side, np.float64) for side in sides)
        axis, zero = graph.constant([1], np.int64), graph.constant([[0.0]], np.float64)
        outputs = iter(self.outputs)
        for name in self.columns:
            x = _last(graph, graph.values[name], self.width)
            missing = graph.add("IsNaN", x)
            present = graph.add("Cast", graph.add("Not", missing), to=DOUBLE)
            count = graph.add("ReduceSum", present, axis, keepdims=1)
            count = graph.add("Max", count, graph.constant([[1.0]], np.float64))
            filled = graph.add("Where", missing, zero, x)
            mean = graph.add("Div", graph.add("ReduceSum", filled, axis, keepdims=1), count)
            centred = graph.add("Mul", graph.add("Sub", filled, mean), present)
            waves = [graph.add("MatMul", centred, wave) for wave in (cos, sin)]
            power = graph.add("Add", *(graph.add("Mul", wave, wave) for wave in waves))
            squares = graph.add("ReduceSum", graph.add("Mul", centred, centred), axis, keepdims=1)
            whole = graph.add("Mul", squares, graph.constant([[float(self.width)]], np.float64))
            least = graph.add("Mul", mean, graph.constant([[self.width * ROUNDING]], np.float64))
            is_wave = graph.add("Greater", whole, graph.add("Mul", least, least))
            divisor = graph.add("Max", whole, graph.constant([[1e-300]], np.float64))
            shares = graph.add("Where", is_wave, graph.add("Div", graph.add("MatMul", power, weights), divisor), zero)
            for band in range(len(self.edges) - 1):
                graph.values[next(outputs)] = graph.add("Gather", shares, graph.constant([band], np.int64), axis=1)


class WindowResample(Operation, kind="window_resample"):
    """Windows of fewer moments: each new one is made of so many old ones, counted back from the newest.

    >>> import numpy as np
    >>> daily = WindowResample(columns=["load"], every=2, blocks=2, by="mean")
    >>> daily.apply({"load": np.array([[9.0, 1.0, 3.0, 5.0, 7.0]])})["load"].tolist()
    [[2.0, 6.0]]
    """

    columns: tuple[str, ...] = option(help="columns of windows [N, T]")
    every: int = option(help="old moments in a new one", low=2)
    blocks: int = option(help="new moments in a window", low=1)
    by: Reduction = option("mean", "what a new moment holds; missing old ones do not count")

    def apply(self, columns: Columns) -> Columns:
        result = dict(columns)
        for name in self.columns:
            x_NW = _newest(columns, name, self.every * self.blocks)
            result[name] = self._reduced(x_NW.reshape(len(x_NW), self.blocks, self.every))
        return result

    def _reduced(self, x_NBW: np.ndarray) -> np.ndarray:
        if self.by == "last":
            return x_NBW[:, :, -1]
        missing_NBW = np.isnan(x_NBW)
        count_NB = (~missing_NBW).sum(axis=2)
        if self.by in ("min", "max"):
            far = FARTHEST if self.by == "min" else -FARTHEST
            held_NBW = np.where(missing_NBW, far, x_NBW)
            made_NB = held_NBW.min(axis=2) if self.by == "min" else held_NBW.max(axis=2)
        else:
            made_NB = np.where(missing_NBW, 0.0, x_NBW).sum(axis=2)
            made_NB = made_NB / np.maximum(count_NB, 1) if self.by == "mean" else made_NB
        return np.asarray(np.where(count_NB > 0, made_NB, np.nan))

    def graph(self, graph: Graph) -> None:
        shape = graph.constant([0, self.blocks, self.every], np.int64)
        for name in self.columns:
            x = graph.add("Reshape", _last(graph, graph.values[name], self.every * self.blocks), shape)
            if self.by == "last":
                graph.values[name] = graph.add("Gather", x, graph.constant(self.every - 1, np.int64), axis=2)
                continue
            axis = graph.constant([2], np.int64)
            missing = graph.add("IsNaN", x)
            count = graph.add("Cast", graph.add("Not", missing), to=DOUBLE)
            count = graph.add("ReduceSum", count, axis, keepdims=0)
            far = {"min": FARTHEST, "max": -FARTHEST}.get(self.by, 0.0)
            filled = graph.add("Where", missing, graph.constant(far, np.float64), x)
            reduction = {"min": "ReduceMin", "max": "ReduceMax"}.get(self.by, "ReduceSum")
            made = graph.add(reduction, filled, axis, keepdims=0)
            if self.by == "mean":
                made = graph.add("Div", made, graph.add("Max", count, graph.constant(1.0, np.float64)))
            is_empty = graph.add("Equal", count, graph.constant(0.0, np.float64))
            graph.values[name] = graph.add("Where", is_empty, graph.constant(np.nan, np.float64), made)


def _newest(columns: Columns, name: str, width: int) -> np.ndarray:
    """float64 [N, W]: the newest moments of a column's windows, held in range.

    Raises DataError where the windows have fewer.
    """
    x_NT = columns[name]
    moments = x_NT.shape[1] if x_NT.ndim == 2 else 1
    if x_NT.ndim != 2 or moments < width:
        raise DataError("windows.too_short", column=name, moments=moments, wanted=width)
    return np.clip(x_NT[:, moments - width :], -FARTHEST, FARTHEST)


def _last(graph: Graph, value: str, width: int) -> str:
    start, end, axis = (graph.constant([number], np.int64) for number in (-width, EVERYTHING, 1))
    return _held(graph, graph.add("Slice", value, start, end, axis))


def _moment(graph: Graph, value: str, lag: int) -> str:
    return _held(graph, graph.add("Gather", value, graph.constant([-lag], np.int64), axis=1))


def _held(graph: Graph, value: str) -> str:
    low, high = graph.constant(-FARTHEST, np.float64), graph.constant(FARTHEST, np.float64)
    return graph.add("Clip", value, low, high)
