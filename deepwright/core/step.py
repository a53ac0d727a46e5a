"""Step > Fitted: a step learns from the training part alone; only what it learned can be applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError
from deepwright.core.operations import Operation
from deepwright.core.part import Part
from deepwright.core.report import Finding
from deepwright.core.schema import Columns


@dataclass(frozen=True)
class Fitted:
    """What a step learned: operations as plain data, which training, server and exports all run."""

    operations: tuple[Operation, ...] = ()

    def apply(self, columns: Mapping[str, np.ndarray]) -> Columns:
        """The columns (each [N], tensors [N, F]) with every operation applied in order."""
        result: Columns = dict(columns)
        for operation in self.operations:
            result = operation.apply(result)
        return result

    def then(self, other: "Fitted") -> "Fitted":
        return Fitted(self.operations + other.operations)


class Step(Part):
    """A part that learns something from data. Kinds write `learn`; everyone calls `fit`."""

    @final
    def fit(self, train: Dataset) -> Fitted:
        """What this step learns from the training part.

        Raises LeakError on any other part; there is no way to switch that off.
        """
        require_part(train, "train", f"{self.family}.{self.kind}")
        return self.learn(train)

    def learn(self, train: Dataset) -> Fitted:
        raise NotImplementedError(f"{type(self).__name__} must define learn(train)")

    def unusable(self, train: Dataset) -> np.ndarray:
        """bool [N]: training rows to be set aside before anything is learned; none, unless a kind says otherwise."""
        return np.zeros(len(train), dtype=bool)

    def findings(self, train: Dataset) -> tuple[Finding, ...]:
        """What a reader must know of what this step chooses or learns here."""
        return ()


def require_part(data: Dataset, part: str, who: str) -> None:
    """Raises LeakError unless `data` are rows of `part`: `fit` takes train, `choose` takes validation."""
    if not isinstance(data, Dataset) or data.part != part:
        found = data.part if isinstance(data, Dataset) else type(data).__name__
        raise LeakError("step.wrong_part", who=who, found=found, allowed=part)
