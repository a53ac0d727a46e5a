"""Scalers: numbers to a common scale, learned on the training part."""

from deepwright.core.dataset import Dataset
from deepwright.core.families import Scaler
from deepwright.core.operations import Standardise
from deepwright.core.step import Fitted
from deepwright.data.missing import number_columns
from deepwright.data.moments import centre_and_spread


class Standard(Scaler, kind="standard"):
    """(x - mean) / sd of the training part; a constant column is only centred."""

    def learn(self, train: Dataset) -> Fitted:
        columns = number_columns(train)
        if not columns:
            return Fitted()
        means, sds = zip(*(centre_and_spread(train.columns[name]) for name in columns), strict=True)
        return Fitted((Standardise(columns=tuple(columns), means=means, sds=sds),))


class Unscaled(Scaler, kind="none"):
    """Numbers as they are."""

    def learn(self, train: Dataset) -> Fitted:
        return Fitted()
