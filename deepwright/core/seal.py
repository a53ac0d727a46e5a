"""Split: train, validation and a sealed test part that opens once for its rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError, SealError
from deepwright.core.ledger import LookLedger
from deepwright.core.schema import Columns
from deepwright.core.step import require_part

TRAIN, VALIDATION, TEST = 0, 1, 2


class Sealed:
    """The test part, closed. It tells how many rows it has; what is in them only `open` tells, and that is counted."""

    def __init__(self, data: Dataset) -> None:
        require_part(data, "test", "Sealed")
        self.__data = data

    def __len__(self) -> int:
        return len(self.__data)

    def __repr__(self) -> str:
        return f"Sealed({len(self)} rows)"

    def __reduce__(self) -> Any:
        raise SealError("seal.no_copy")

    @property
    def hashes(self) -> np.ndarray:
        """uint64 [N] row hashes: what the ledger of looks keeps."""
        return self.__data.hashes

    @property
    def fingerprint(self) -> str:
        return self.__data.fingerprint

    def audit_inputs(self) -> Columns:
        """The input columns, for audits of leakage and shift; no label."""
        return self.__data.inputs

    def open(
        self, looks: LookLedger, *, run: str, bundle: str, reason: str | None = None, result_exists: bool = False
    ) -> Dataset:
        """The rows, after the look has been written to the ledger.

        Raises SealError when rows of it have been seen before and no reason is given.
        """
        looks.record(self.hashes, run=run, bundle=bundle, reason=reason, result_exists=result_exists)
        return self.__data


@dataclass(frozen=True)
class Split:
    train: Dataset
    validation: Dataset
    test: Sealed


def make_split(whole: Dataset, parts: np.ndarray, test: Dataset | None = None) -> Split:
    """The split that `parts` (int8 [N]: 0 train, 1 validation, 2 test) describes; `test` is the user's own test part.

    Raises LeakError when rows with equal hashes stand in different parts.
    """
    order = np.argsort(whole.hashes, kind="stable")
    hashes, sorted_parts = whole.hashes[order], parts[order]
    straddling = (hashes[1:] == hashes[:-1]) & (sorted_parts[1:] != sorted_parts[:-1])
    if straddling.any():
        raise LeakError("seal.straddling_rows", count=int(straddling.sum()))
    return Split(
        train=whole.take(np.flatnonzero(parts == TRAIN), "train"),
        validation=whole.take(np.flatnonzero(parts == VALIDATION), "validation"),
        test=Sealed(test if test is not None else whole.take(np.flatnonzero(parts == TEST), "test")),
    )
