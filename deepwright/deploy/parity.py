"""Parity: how far a server's answers are from the bundle's own."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepwright.deploy.client import Answer, Client

BATCHES = (1, 7)


def differences(bundle_answer: np.ndarray, server_url: str, rows: Sequence[Mapping[str, Any]]) -> float:
    """The largest absolute difference over all rows, asked in batches of 1, of 7, and all together.

    bundle_answer: probability [N, K] or value [N], as `bundle.predict(rows).answer` gives it.
    A difference that is no number counts as infinite.
    """
    worst = 0.0
    with Client(server_url) as client:
        for size in (*BATCHES, max(len(rows), 1)):
            answers: list[Answer] = []
            for start in range(0, len(rows), size):
                answers += client.predict(rows[start : start + size])
            worst = max(worst, _largest(bundle_answer, answers))
    return worst


def _largest(expected: np.ndarray, answers: list[Answer]) -> float:
    found = np.array([list(a["probability"].values()) if "probability" in a else a["value"] for a in answers])
    if found.shape != expected.shape:
        return math.inf
    difference = float(np.abs(found - expected.astype(np.float64)).max(initial=0.0))
    return difference if math.isfinite(difference) else math.inf
