"""Calibration: rows of the validation part that are held back from every choice, to say how far answers are off."""

import numpy as np

from deepwright.core.conformal import rows_needed
from deepwright.core.dataset import Dataset
from deepwright.core.report import Finding, finding
from deepwright.core.schema import Role
from deepwright.core.seal import VALIDATION
from deepwright.data.groups import clusters, group_draws
from deepwright.data.label_shares import label_columns
from deepwright.data.shares import drawn

SEED = 0xCA11B
"""Of the draw of calibration rows: another than a split's, so that a row's place there says nothing about it here."""


ROLES: tuple[Role, ...] = ("time", "group")


def hold_back(whole: Dataset, parts: np.ndarray, share: float, level: float) -> tuple[np.ndarray, tuple[Finding, ...]]:
    """bool [N]: the rows of validation to hold back; and what is to be known of it.

    A row's place is a function of the row: by a hash, of its group where rows have one; where rows have a time the
    latest of validation are taken, as nearest to use. Classes and labels keep rows in validation. None are held back
    where they would be too few for the level.
    """
    rows = np.flatnonzero(parts == VALIDATION)
    held = _held(whole.take(rows), share) if len(rows) else np.zeros(0, bool)
    result = np.zeros(len(whole), bool)
    needed = rows_needed(level)
    if held.sum() < needed or held.all():
        where = whole.schema.target.name
        few = finding(
            "calibration_few", "warning", where, rows=int(held.sum()), needed=needed, level=f"{level:.0%}",
            validation=len(rows),
        )  # fmt: skip
        return result, (few,)
    result[rows[held]] = True
    return result, _doubts(whole)


def _held(data: Dataset, share: float) -> np.ndarray:
    """bool [N]: which of the validation rows are held back."""
    time, group = data.of_role("time"), data.of_role("group")
    if time is not None:
        held = time > np.quantile(time, 1 - share, method="inverted_cdf")
    elif group is not None:
        names, number = np.unique(group.astype(str), return_inverse=True)
        cluster = clusters(number.astype(np.int64), data.hashes)
        held = group_draws(names, cluster, SEED)[cluster[number]] / 2.0**64 < share
    else:
        held = drawn(data.hashes, SEED) / 2.0**64 < share
    if data.schema.problem == "classification":
        kept = set(data.target[~held])
        held &= np.fromiter((label in kept for label in data.target), bool, len(data))
    elif data.schema.problem == "multi-label":
        columns = label_columns(data.target, data.schema.target)
        held &= ~columns[:, ~columns[~held].any(axis=0)].any(axis=1)
    # equal rows stay together, or one would be chosen on and calibrated on at once
    return np.asarray(held & ~np.isin(data.hashes, data.hashes[~held]))


def _doubts(whole: Dataset) -> tuple[Finding, ...]:
    """Why new rows may not be drawn as the calibration rows were."""
    for role in ROLES:
        feature = whole.schema.of_role(role)
        if feature is not None:
            rule = "calibration_time" if role == "time" else "calibration_groups"
            return (finding(rule, "warning", feature.name),)
    return ()
