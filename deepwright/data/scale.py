"""Scalers: numbers to a common scale, learned on the training part."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Scaler
from deepwright.core.operations import Standardise
from deepwright.core.step import Fitted
from deepwright.data.missing import number_columns


class Standard(Scaler, kind="standard"):
    """(x - mean) / sd of the training part; a constant column is only centred."""

    def learn(self, train: Dataset) -> Fitted:
        columns = number_columns(train)
        if not columns:
            return Fitted()
        means, sds = zip(*(_centre_and_spread(train.columns[name]) for name in columns), strict=True)
        return Fitted((Standardise(columns=columns, means=means, sds=sds),))


class Unscaled(Scaler, kind="none"):
    """Numbers as they are."""

    def learn(self, train: Dataset) -> Fitted:
        return Fitted()


def _centre_and_spread(column: np.ndarray) -> tuple[float, float]:
    """Mean and sd, computed on values held within float64's safe range; sd 1 where it is 0 or only rounding."""
    size = float(np.abs(column).max())
    if size == 0.0:
        return 0.0, 1.0
    scaled = column / size
    mean, sd = float(scaled.mean()), float(scaled.std())
    if sd * size == 0.0 or sd <= 1e-14:
        return mean * size, 1.0
    return mean * size, sd * size
