"""Operations on a category's levels beside their number: rank, bucket of a hash, one column each."""

from hashlib import blake2b
from typing import ClassVar

import numpy as np

from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.part import option
from deepwright.core.schema import Columns


class Rank(Operation, kind="rank"):
    """A level to its place in an order, from 0, as a number; a missing or never seen level gets the middle place.

    >>> import numpy as np
    >>> sizes = Rank(column="size", levels=["S", "M", "L"], middle=1)
    >>> sizes.apply({"size": np.array(["L", "S", None], object)})["size"].tolist()
    [2.0, 0.0, 1.0]
    """

    column: str = option(help="a category column")
    levels: tuple[str, ...] = option(help="the levels in their order")
    middle: int = option(help="the place of a level that is not among them", low=0)

    def apply(self, columns: Columns) -> Columns:
        place = {level: float(i) for i, level in enumerate(self.levels)}
        column = columns[self.column]
        ranks = np.fromiter((place.get(value, float(self.middle)) for value in column), np.float64, len(column))
        return {**columns, self.column: ranks}

    def graph(self, graph: Graph) -> None:
        graph.values[self.column] = graph.add("Cast", _code(graph, self.column, self.levels, self.middle), to=11)


class Indicators(Operation, kind="indicators"):
    """One new column per level, 1 where the row has it, in place of the category.

    >>> import numpy as np
    >>> one = Indicators(column="sex", levels=["f", "m"], outputs=["sex = f", "sex = m"])
    >>> {name: column.tolist() for name, column in one.apply({"sex": np.array(["m", None], object)}).items()}
    {'sex = f': [0.0, 0.0], 'sex = m': [1.0, 0.0]}
    """

    column: str = option(help="a category column")
    levels: tuple[str, ...] = option(help="the levels")
    outputs: tuple[str, ...] = option(help="the new columns' names, one per level")

    def apply(self, columns: Columns) -> Columns:
        column = columns[self.column]
        new = {
            output: np.equal(column, level).astype(np.float64)
            for level, output in zip(self.levels, self.outputs, strict=True)
        }
        return {**{name: values for name, values in columns.items() if name != self.column}, **new}

    def graph(self, graph: Graph) -> None:
        code = _code(graph, self.column, self.levels, len(self.levels))
        del graph.values[self.column]
        for place, output in enumerate(self.outputs):
            graph.values[output] = graph.add(
                "Cast", graph.add("Equal", code, graph.constant([[place]], np.int64)), to=11
            )


class HashBucket(Operation, kind="hash_bucket"):
    """A level to one of a fixed number of buckets by its hash, new levels too; missing gets the number after the last.

    Weinberger et al. 2009. The hash is BLAKE2b over the level's UTF-8 bytes; no ONNX operator carries it.

    >>> import numpy as np
    >>> HashBucket(column="zip", num_buckets=8).apply({"zip": np.array(["501", "501", None], object)})["zip"].tolist()
    [4.0, 4.0, 8.0]
    """

    has_graph: ClassVar[bool] = False

    column: str = option(help="a category column")
    num_buckets: int = option(help="numbers that levels are spread over", low=2)

    def apply(self, columns: Columns) -> Columns:
        column = columns[self.column]
        number = {level: self._bucket(level) for level in set(column)}
        return {**columns, self.column: np.fromiter((number[level] for level in column), np.float64, len(column))}

    def _bucket(self, level: str | None) -> float:
        if level is None:
            return float(self.num_buckets)
        digest = blake2b(level.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return float(int.from_bytes(digest, "little") % self.num_buckets)


def _code(graph: Graph, column: str, levels: tuple[str, ...], other: int) -> str:
    """int64 [N, 1]: the place of each row's level."""
    return graph.add(
        "LabelEncoder",
        graph.values[column],
        domain="ai.onnx.ml",
        keys_strings=list(levels) or [""],  # an empty list has no type in ONNX
        values_int64s=list(range(len(levels))) or [other],
        default_int64=other,
    )
