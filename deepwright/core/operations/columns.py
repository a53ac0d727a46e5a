"""Operations on single columns: fill, missing flag, standardise, level, drop."""

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.operations.side_by_side import apart, side_by_side, upright
from deepwright.core.part import option
from deepwright.core.schema import Columns


class Fill(Operation, kind="fill"):
    """Put a learned value where a number is missing.

    >>> import numpy as np
    >>> Fill(columns=["age"], values=[38.0]).apply({"age": np.array([25.0, np.nan])})["age"].tolist()
    [25.0, 38.0]
    """

    columns: tuple[str, ...] = option(help="number columns")
    values: tuple[float, ...] = option(help="what replaces a missing value, one per column, in the column's unit")

    def apply(self, columns: Columns) -> Columns:
        x_FN = side_by_side(columns, self.columns)
        return {**columns, **apart(self.columns, np.where(np.isnan(x_FN), upright(self.values), x_FN))}

    def graph(self, graph: Graph) -> None:
        for name, value in zip(self.columns, self.values, strict=True):
            missing = graph.add("IsNaN", graph.values[name])
            graph.values[name] = graph.add("Where", missing, graph.constant([[value]], np.float64), graph.values[name])


class MissingFlag(Operation, kind="missing_flag"):
    """A new column that is 1 where a number is missing, else 0; it must stand before `fill`."""

    columns: tuple[str, ...] = option(help="number columns")
    outputs: tuple[str, ...] = option(help="the new columns' names")

    def apply(self, columns: Columns) -> Columns:
        return {**columns, **apart(self.outputs, np.isnan(side_by_side(columns, self.columns)).astype(np.float64))}

    def graph(self, graph: Graph) -> None:
        for name, out in zip(self.columns, self.outputs, strict=True):
            graph.values[out] = graph.add("Cast", graph.add("IsNaN", graph.values[name]), to=11)  # 11: double


class Standardise(Operation, kind="standardise"):
    """(x - mean) / sd, per column.

    >>> import numpy as np
    >>> Standardise(columns=["age"], means=[40.0], sds=[10.0]).apply({"age": np.array([25.0, 50.0])})["age"].tolist()
    [-1.5, 1.0]
    """

    columns: tuple[str, ...] = option(help="number columns without missing values")
    means: tuple[float, ...] = option(help="one per column, in the column's unit")
    sds: tuple[float, ...] = option(help="one per column, above 0, in the column's unit")

    def apply(self, columns: Columns) -> Columns:
        with np.errstate(over="ignore"):  # `stack` holds what leaves float64's range
            scaled = (side_by_side(columns, self.columns) - upright(self.means)) / upright(self.sds)
        return {**columns, **apart(self.columns, scaled)}

    def graph(self, graph: Graph) -> None:
        for name, mean, sd in zip(self.columns, self.means, self.sds, strict=True):
            centred = graph.add("Sub", graph.values[name], graph.constant([[mean]], np.float64))
            graph.values[name] = graph.add("Div", centred, graph.constant([[sd]], np.float64))


class FillText(Operation, kind="fill_text"):
    """Put a level where a category is missing.

    >>> import numpy as np
    >>> FillText(columns=["job"], values=["(missing)"]).apply({"job": np.array(["cook", None], object)})["job"].tolist()
    ['cook', '(missing)']
    """

    columns: tuple[str, ...] = option(help="category columns")
    values: tuple[str, ...] = option(help="what replaces a missing value, one per column")

    def apply(self, columns: Columns) -> Columns:
        result = dict(columns)
        for name, value in zip(self.columns, self.values, strict=True):
            column = columns[name]
            is_missing = np.fromiter((level is None for level in column), bool, len(column))
            result[name] = np.where(is_missing, np.array(value, dtype=object), column)
        return result

    def graph(self, graph: Graph) -> None:
        for name, value in zip(self.columns, self.values, strict=True):
            found = graph.add(
                "LabelEncoder",
                graph.values[name],
                domain="ai.onnx.ml",
                keys_strings=[graph.missing_text],
                values_int64s=[1],
                default_int64=0,
            )
            is_missing = graph.add("Cast", found, to=9)  # 9: bool
            filled = graph.constant(np.array([[value]], dtype=object), object)
            graph.values[name] = graph.add("Where", is_missing, filled, graph.values[name])


class Drop(Operation, kind="drop"):
    """Take columns away: what comes after does not see them."""

    columns: tuple[str, ...] = option(help="columns of any type")

    def apply(self, columns: Columns) -> Columns:
        return {name: column for name, column in columns.items() if name not in self.columns}

    def graph(self, graph: Graph) -> None:
        for name in self.columns:
            del graph.values[name]


class Level(Operation, kind="level"):
    """A category's level to its number, from 0; a missing or never seen level gets the number after the last.

    >>> import numpy as np
    >>> Level(column="sex", levels=["f", "m"]).apply({"sex": np.array(["m", "f", None, "x"], object)})["sex"].tolist()
    [1.0, 0.0, 2.0, 2.0]
    """

    column: str = option(help="a category column")
    levels: tuple[str, ...] = option(help="the levels, in the order of their numbers")

    def apply(self, columns: Columns) -> Columns:
        number = {level: float(i) for i, level in enumerate(self.levels)}
        other = float(len(self.levels))
        column = columns[self.column]
        codes = np.fromiter((number.get(value, other) for value in column), np.float64, len(column))
        return {**columns, self.column: codes}

    def graph(self, graph: Graph) -> None:
        code = graph.add(
            "LabelEncoder",
            graph.values[self.column],
            domain="ai.onnx.ml",
            keys_strings=list(self.levels) or [""],  # an empty list has no type in ONNX
            values_int64s=list(range(len(self.levels))) or [0],
            default_int64=len(self.levels),
        )
        graph.values[self.column] = graph.add("Cast", code, to=11)  # 11: double
