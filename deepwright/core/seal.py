"""Split: train, validation and a sealed test part that opens once for its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import LeakError, RuleError, SealError
from deepwright.core.ledger import LookLedger
from deepwright.core.report import SetAside
from deepwright.core.schema import Columns, Schema
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

    def with_schema(self, schema: Schema) -> "Sealed":
        """The same closed rows under what the training part taught."""
        return Sealed(self.__data.with_schema(schema))

    def keep(self, write: Callable[[Dataset], None]) -> None:
        """Hand the rows to a writer that stores them unread, so that a later process can look."""
        write(self.__data)

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

    def reopen(self, looks: LookLedger, look: str) -> Dataset:
        """The rows again, for recomputing what a counted look has shown already.

        Raises SealError when the ledger knows no such look at these rows.
        """
        if look not in {entry["hash"] for entry in looks.looks(self.hashes)}:
            raise SealError("seal.unknown_look", look=look[:12], path=looks.ledger.path)
        return self.__data


@dataclass(frozen=True)
class Split:
    """set_aside: training rows that cleaning took away. calibration: rows that no choice sees, which say how far
    answers are off; None: none are held back."""

    train: Dataset
    validation: Dataset
    test: Sealed
    set_aside: tuple[SetAside, ...] = ()
    calibration: Dataset | None = None

    def with_schema(self, schema: Schema) -> "Split":
        """The same rows under what the training part taught."""
        return Split(
            self.train.with_schema(schema),
            self.validation.with_schema(schema),
            self.test.with_schema(schema),
            self.set_aside,
            None if self.calibration is None else self.calibration.with_schema(schema),
        )


def make_split(whole: Dataset, parts: np.ndarray, test: Dataset | None = None, held: np.ndarray | None = None) -> Split:
    """The split that `parts` (int8 [N]: 0 train, 1 validation, 2 test) describes; `test` is the user's own test part.

    held: bool [N], validation rows that become the calibration part; None: no row.

    Raises RuleError when a row would stand in no part, LeakError when rows with equal hashes stand in different ones.
    """
    known = (TRAIN, VALIDATION, TEST) if test is None else (TRAIN, VALIDATION)
    lost = len(whole) - int(np.isin(parts, known).sum()) if len(parts) == len(whole) else len(whole)
    if lost:
        raise RuleError("seal.lost_rows", count=lost, rows=len(whole), given=len(parts), known=known)
    held = np.zeros(len(whole), bool) if held is None else held
    assert not (held & (parts != VALIDATION)).any(), "only validation rows are held back"
    apart = np.where(held, max(known) + 1, parts)
    order = np.argsort(whole.hashes, kind="stable")
    hashes, sorted_parts = whole.hashes[order], apart[order]
    straddling = (hashes[1:] == hashes[:-1]) & (sorted_parts[1:] != sorted_parts[:-1])
    if straddling.any():
        raise LeakError("seal.straddling_rows", count=int(straddling.sum()))
    return Split(
        train=whole.take(np.flatnonzero(parts == TRAIN), "train"),
        validation=whole.take(np.flatnonzero((parts == VALIDATION) & ~held), "validation"),
        test=Sealed(test if test is not None else whole.take(np.flatnonzero(parts == TEST), "test")),
        calibration=whole.take(np.flatnonzero(held), "calibration") if held.any() else None,
    )
