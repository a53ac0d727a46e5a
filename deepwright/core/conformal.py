"""Conformal: from one bound, calibrated on rows of its own, to the interval or the set of classes of each answer."""

import math
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

IntervalKind = Literal["absolute", "scaled"]
SetKind = Literal["lac", "aps", "raps", "labels"]


class Conformal(BaseModel):
    """What a bundle ships to say how far its answers may be off. A row that is drawn as the calibration rows were has
    its truth inside with a probability of at least `level`.

    rows: calibration rows. bound: the score (see `scores` and `interval`) that `level` of such rows do not exceed.
    penalty, rank: of raps; what each class beyond the first `rank` adds to its score.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: IntervalKind | SetKind
    level: float = Field(gt=0, lt=1)
    rows: int = Field(ge=1)
    bound: float
    penalty: float = Field(0.0, ge=0)
    rank: int = Field(0, ge=0)

    @property
    def is_interval(self) -> bool:
        return self.kind in ("absolute", "scaled")

    def interval(self, value: np.ndarray, scale: np.ndarray | None) -> np.ndarray:
        """float64 [N, 2]: low and high around values [N]; scale: [N], what the bound counts in, None: 1.

        >>> found = Conformal(kind="scaled", level=0.9, rows=99, bound=2.0)
        >>> found.interval(np.array([5.0, 5.0]), np.array([1.0, 0.5])).tolist()
        [[3.0, 7.0], [4.0, 6.0]]
        """
        half = self.bound * np.asarray(1.0 if scale is None else scale, np.float64)
        centre = np.asarray(value, np.float64)
        ends = np.empty((len(centre), 2))
        np.subtract(centre, half, out=ends[:, 0])
        np.add(centre, half, out=ends[:, 1])
        return ends

    def sets(self, probability: np.ndarray) -> np.ndarray:
        """bool [N, K]: the classes that may be true; the most probable one always is among them. Of several labels
        all that may be true, perhaps none.

        >>> found = Conformal(kind="aps", level=0.9, rows=99, bound=0.75)
        >>> found.sets(np.array([[0.7, 0.2, 0.1], [0.8, 0.1, 0.1]])).tolist()
        [[True, True, False], [True, False, False]]
        """
        inside = self.scores(probability) <= self.bound
        if self.kind == "labels":
            return np.asarray(inside)
        inside[np.arange(len(inside)), probability.argmax(axis=1)] = True
        return np.asarray(inside)

    def scores(self, probability: np.ndarray) -> np.ndarray:
        """float64 [N, K]: how unlike the truth each class is. lac, labels: 1 - its probability; aps: the probability
        of all classes that are more probable; raps: that and a penalty for each rank."""
        return class_scores(probability, self.kind, self.penalty, self.rank)


def class_scores(probability: np.ndarray, kind: str, penalty: float = 0.0, rank: int = 0) -> np.ndarray:
    """float64 [N, K], as `Conformal.scores`.

    >>> class_scores(np.array([[0.25, 0.75]]), "lac").tolist(), class_scores(np.array([[0.25, 0.75]]), "aps").tolist()
    ([[0.75, 0.25]], [[0.75, 0.0]])
    """
    p_NK = np.asarray(probability, np.float64)
    if kind in ("lac", "labels"):
        return 1.0 - p_NK
    order = np.argsort(-p_NK, axis=1, kind="stable")
    ranked = np.take_along_axis(p_NK, order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked
    before += penalty * np.maximum(np.arange(p_NK.shape[1]) + 1 - rank, 0)
    scores = np.empty_like(before)
    np.put_along_axis(scores, order, before, axis=1)
    return scores


def rows_needed(level: float) -> int:
    """The fewest calibration rows that can bound this level.

    >>> rows_needed(0.9), rows_needed(0.95)
    (9, 19)
    """
    rows = 1
    while _place(rows, level) > rows:
        rows += 1
    return rows


def bound_of(scores: np.ndarray, level: float) -> float:
    """The ceil((n + 1) level)-th smallest of n scores: one more row's score lies at or below it with that probability,
    whatever the model (Vovk, Gammerman and Shafer 2005; Lei et al. 2018, arXiv 1604.04173)."""
    place = _place(len(scores), level)
    assert place <= len(scores), f"{len(scores)} rows cannot bound a level of {level}"
    return float(np.partition(np.asarray(scores, np.float64), place - 1)[place - 1])


def _place(rows: int, level: float) -> int:
    return math.ceil((rows + 1) * level - 1e-9)
