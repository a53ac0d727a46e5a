"""Shares: from a position in [0, 1] to train, validation or test."""

import math

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, RecipeError
from deepwright.data.rows import column_codes, splitmix

PARTS = ("train", "validation", "test")

Shares = tuple[float, float, float]
"""Of train, validation and test."""


def parts_at(position: np.ndarray, shares: Shares) -> np.ndarray:
    """int8 [N]: the part at each position in [0, 1]. Raises RecipeError for shares that are no whole, DataError for an
    empty part."""
    train, validation, test = required_whole(shares)
    edges = [train, train + validation] if test > 0 else [train]
    parts = np.searchsorted(edges, position, side="right").astype(np.int8)
    require_rows(parts, shares)
    return parts


def required_whole(shares: Shares) -> Shares:
    """The shares. Raises RecipeError when they do not add up to 1."""
    total = sum(shares)
    if not math.isclose(total, 1.0, abs_tol=1e-9):
        train, validation, test = shares
        raise RecipeError("split.sum", train=train, validation=validation, test=test, sum=round(total, 9))
    return shares


def require_rows(parts: np.ndarray, shares: Shares) -> None:
    """Raises DataError when a part that has a share has no row."""
    for number, share in enumerate(shares):
        if share > 0 and not (parts == number).any():
            raise DataError("split.empty_part", part=PARTS[number], rows=len(parts), share=f"{share:.1%}")


def drawn(hashes: np.ndarray, seed: int) -> np.ndarray:
    """uint64 [N]: a draw for each hash under this seed."""
    salt = splitmix(np.array([seed], np.uint64))
    return splitmix(hashes ^ salt)


def strata(data: Dataset, bins: int) -> np.ndarray:
    """int64 [N]: the class of each row, or the bin of its number."""
    target = data.target
    if target.dtype == object:
        return column_codes(target)
    edges = np.unique(np.quantile(target, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, target, side="left"), return_inverse=True)[1].astype(np.int64)
