"""Nearest rows: a baseline that learns nothing and remembers everything."""

from typing import ClassVar, Literal

import numpy as np

from deepwright.core.errors import DataError
from deepwright.core.families import Baseline
from deepwright.core.operations import Nearest, Operation
from deepwright.core.part import option
from deepwright.core.schema import Problem


class NearestBaseline(Baseline, kind="nearest"):
    """The mean answer of the k nearest training rows; for small tables, since its rows go into the bundle.

    >>> x, target = np.array([[0.0], [1.0], [5.0]], np.float32), np.array([0, 1, 1])
    >>> fitted = NearestBaseline(k=1).learn(x, target, "classification", num_classes=2, seed=0)
    >>> fitted.apply({"x": np.array([[0.2], [4.0]], np.float32)})["probability"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification", "regression", "multi-label")

    k: int = option(15, "rows that vote", low=1, high=10_000, search=(1, 100, "log"))
    max_rows: int = option(20_000, "training rows, at most", low=1, high=1_000_000)
    beyond: Literal["refuse", "sample"] = option(
        "refuse", "more rows than max_rows: refuse; or sample: so many are drawn, by the recipe's seed"
    )

    def learn(
        self,
        x: np.ndarray,
        target: np.ndarray,
        problem: Problem,
        num_classes: int,
        seed: int,
        weight: np.ndarray | None = None,
    ) -> Operation:
        """Raises DataError for more rows than `max_rows`, unless they are to be drawn from."""
        if self.beyond == "sample" and len(x) > self.max_rows:
            rows = np.sort(np.random.default_rng(seed).permutation(len(x))[: self.max_rows])
            x, target, weight = x[rows], target[rows], None if weight is None else weight[rows]
        require_few_rows("nearest", len(x), self.max_rows)
        counting = np.ones(len(x), bool) if weight is None else weight > 0
        x, target = x[counting].astype(np.float64), target[counting]
        votes = (
            np.eye(num_classes)[target]
            if problem == "classification"
            else target.reshape(len(target), -1).astype(float)
        )
        return Nearest(
            answer="value" if problem == "regression" else "probability",
            rows=tuple(map(tuple, x.tolist())),
            votes=tuple(map(tuple, votes.tolist())),
            weights=() if weight is None else tuple(weight[counting].tolist()),
            k=min(self.k, len(x)),
        )


def require_few_rows(kind: str, rows: int, limit: int) -> None:
    """Raises DataError for more rows than a baseline for small tables takes."""
    if rows > limit:
        raise DataError("model.too_many_rows", kind=kind, rows=rows, limit=limit)
