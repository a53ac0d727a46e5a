"""Mean and spread of numbers of any size."""

import math

import numpy as np

ROUNDING = 1e-14
"""A spread this small beside the values is what rounding leaves of a constant column."""


def centre_and_spread(values: np.ndarray) -> tuple[float, float]:
    """Mean and sd, also where sums or squares leave float64's range; sd 1 for a constant column.

    >>> centre_and_spread(np.array([1e308, -1e308])), centre_and_spread(np.array([7.0, 7.0]))
    ((0.0, 1e+308), (7.0, 1.0))
    """
    if values.min() == values.max():
        return float(values[0]), 1.0
    largest = float(np.abs(values).max())
    size = math.ldexp(1.0, min(math.frexp(largest)[1], 1023))  # a power of two, so that dividing by it is exact
    scaled = values / size
    mean, sd = float(scaled.mean()), float(scaled.std())
    return mean * size, (sd * size if sd > ROUNDING and sd * size > 0 else 1.0)
