"""Columns side by side as one array, so that an operation runs once and not once a column."""

from collections.abc import Sequence

import numpy as np

from deepwright.core.schema import Columns

# F: columns, N: rows. Columns lie in rows of memory, so that taking them apart copies nothing.


def side_by_side(columns: Columns, names: Sequence[str]) -> np.ndarray:
    """float64 [F, N] of number columns [N]."""
    parts = [columns[name] for name in names]
    return np.concatenate(parts, dtype=np.float64).reshape(len(parts), len(parts[0]))


def apart(names: Sequence[str], values_FN: np.ndarray) -> Columns:
    """The rows of [F, N] as columns [N] under their names."""
    return dict(zip(names, values_FN, strict=True))


def upright(values: Sequence[float]) -> np.ndarray:
    """float64 [F, 1]: one number per column."""
    return np.asarray(values, dtype=np.float64)[:, None]
