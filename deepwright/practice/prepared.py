"""Prepared rows as networks and baselines take them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepwright.core.families import Tensor
from deepwright.core.operations import Tfidf
from deepwright.core.step import Fitted

BLOCK = 1024
"""Rows of many columns that stand in memory as numbers at once."""


def tensors(fitted: Fitted, inputs: tuple[Tensor, ...], columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The prepared tensors [N, F] of some rows, by name."""
    prepared = fitted.apply(columns)
    return {tensor.name: prepared[tensor.name] for tensor in inputs}


def rows_of(
    fitted: Fitted, inputs: tuple[Tensor, ...], columns: Mapping[str, np.ndarray], *, is_sparse: bool = False
) -> Any:
    """The prepared `x` [N, F] as a baseline takes it; where each term of a text has a column, as a SciPy CSR matrix,
    since nearly all of it is 0. is_sparse: so is it of levels."""
    if not is_sparse and not any(
        isinstance(operation, Tfidf) and operation.directions is None for operation in fitted.operations
    ):
        return tensors(fitted, inputs, columns)["x"]
    from scipy.sparse import csr_matrix, vstack

    size = len(next(iter(columns.values())))
    pieces = [
        csr_matrix(tensors(fitted, inputs, {name: column[at : at + BLOCK] for name, column in columns.items()})["x"])
        for at in range(0, size, BLOCK)
    ]
    return vstack(pieces, format="csr")
