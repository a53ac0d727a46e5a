"""Operation on series: from the text of a cell or a request to windows, which no ONNX operator reads."""

from typing import ClassVar

import numpy as np

from deepwright.core.errors import DataError
from deepwright.core.operations.operation import Operation
from deepwright.core.part import option
from deepwright.core.schema import Columns
from deepwright.core.series import parse_series


class DecodeSeries(Operation, kind="decode_series"):
    """Texts of series, `1.5,2,?:3,4,5`, to one column of windows float64 [N, T] per dimension: the newest moments.

    A shorter series has missing values before its first moment. A reference to a file is refused: who sends a request
    may not choose a file.

    >>> import numpy as np
    >>> decode = DecodeSeries(column="s", moments=3, outputs=["load", "price"])
    >>> {k: v.tolist() for k, v in decode.apply({"s": np.array(["1,2:5,6"], object)}).items() if k != "s"}
    {'load': [[nan, 1.0, 2.0]], 'price': [[nan, 5.0, 6.0]]}
    """

    has_graph: ClassVar[bool] = False

    column: str = option(help="a column of series; it goes, and windows take its place")
    moments: int = option(help="moments of a window", low=1, high=10_000_000)
    outputs: tuple[str, ...] = option(help="the windows' names, one per dimension")

    def apply(self, columns: Columns) -> Columns:
        """Raises DataError naming row (from 0) and column for what is no series, or one of other dimensions."""
        cells = columns[self.column]
        made = np.full((len(self.outputs), len(cells), self.moments), np.nan)
        for row, cell in enumerate(cells):
            values_TD = self._read(row, cell)[-self.moments :]
            made[:, row, self.moments - len(values_TD) :] = values_TD.T
        rest = {name: column for name, column in columns.items() if name != self.column}
        return {**rest, **dict(zip(self.outputs, made, strict=True))}

    def _read(self, row: int, cell: object) -> np.ndarray:
        try:
            values = parse_series(cell if isinstance(cell, str) else "")
        except ValueError as error:
            raise DataError("series.bad_row", row=row, field=self.column, found=str(error)) from None
        if values.shape[1] != len(self.outputs):
            due = len(self.outputs)
            raise DataError("series.row_dimensions", row=row, field=self.column, found=values.shape[1], due=due)
        return values
