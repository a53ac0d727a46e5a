"""Packed: a large matrix as one text, so that a bundle's plain data stay small and quick to read."""

from base64 import b64decode, b64encode

import numpy as np


def packed(matrix: np.ndarray) -> str:
    """Rounded to float16, row by row, little-endian, in base64.

    >>> packed(np.array([[1.0, -0.5]]))
    'ADwAuA=='
    """
    return b64encode(np.ascontiguousarray(matrix, dtype="<f2").tobytes()).decode("ascii")


def unpacked(text: str, rows: int) -> np.ndarray:
    """float32 [rows, columns]. Raises ValueError for a text of another size.

    >>> unpacked("ADwAuA==", rows=1).tolist()
    [[1.0, -0.5]]
    """
    values = np.frombuffer(b64decode(text, validate=True), dtype="<f2")
    if not rows or len(values) % rows:
        raise ValueError(f"{len(values)} numbers for {rows} rows")
    return values.reshape(rows, -1).astype(np.float32)
