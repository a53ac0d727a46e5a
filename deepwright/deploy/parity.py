"""Parity: how far a server's answers, their intervals and sets are from the bundle's own."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepwright.core.bundle import Answers
from deepwright.deploy.client import Client

BATCHES = (1, 7)


def differences(expected: Answers, server_url: str, rows: Sequence[Mapping[str, Any]]) -> float:
    """The largest difference over all rows (see `difference`), asked in batches of 1, of 7, and all together."""
    worst = 0.0
    with Client(server_url) as client:
        for size in (*BATCHES, max(len(rows), 1)):
            records: list[Mapping[str, Any]] = []
            for start in range(0, len(rows), size):
                records += client.predict(rows[start : start + size])
            worst = max(worst, difference(expected, records))
    return worst


def difference(expected: Answers, records: Sequence[Mapping[str, Any]]) -> float:
    """The largest difference between a bundle's answers and records of one row each, as `Answers.records` gives them:
    of probabilities, or of values and their interval's ends relative to the largest of them where that is above 1.

    A set that lacks a class, or has one too many, counts as 1; a number that is none, and a record with other fields,
    as infinite.
    """
    due = [expected.answer.astype(np.float64), *([] if expected.interval is None else [expected.interval])]
    found = [_numbers(records), *([] if expected.interval is None else [_ends(records)])]
    if expected.interval is None and any("low" in record for record in records):
        return math.inf
    if any("set" in record for record in records) != (expected.sets is not None):
        return math.inf
    if any(ours.shape != theirs.shape for ours, theirs in zip(due, found, strict=True)):
        return math.inf
    if expected.sets is not None and [list(record["set"]) for record in records] != expected.set_levels:
        return 1.0
    size = max(1.0, *(float(np.abs(ours).max(initial=0.0)) for ours in due))
    worst = max(float(np.abs(ours - theirs).max(initial=0.0)) for ours, theirs in zip(due, found, strict=True))
    return worst / size if math.isfinite(worst) else math.inf


def _numbers(records: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """float64 [N, K] probabilities or [N] values."""
    found = [list(r["probability"].values()) if "probability" in r else r["value"] for r in records]
    return np.array(found, np.float64)


def _ends(records: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """float64 [N, 2] of the records that have both."""
    return np.array([(r["low"], r["high"]) for r in records if "low" in r and "high" in r], np.float64).reshape(-1, 2)
