"""Conformal prediction: intervals and sets that hold a new row's truth with a wanted probability, whatever the model.

Split conformal: scores of rows that neither learning nor any choice saw are sorted, and the ceil((n + 1) level)-th
bounds what a further row's score is. Coverage then is between level and level + 1 / (n + 1) on average over calibration
rows, as long as new rows are drawn as these were.
"""

from typing import ClassVar

import numpy as np

from deepwright.core.conformal import Conformal, bound_of, class_scores
from deepwright.core.families import Intervals, Sets
from deepwright.core.part import option
from deepwright.core.schema import Problem


class Absolute(Intervals, kind="absolute"):
    """Value plus and minus one width for all rows: the error that `level` of the calibration rows do not exceed.

    References: Lei et al. 2018, arXiv 1604.04173.

    >>> target = np.arange(1.0, 20.0)
    >>> Absolute().calibrate(target, np.zeros(19)).bound
    18.0
    """

    def calibrate(self, target: np.ndarray, value: np.ndarray, scale: np.ndarray | None = None) -> Conformal:
        errors = np.abs(np.asarray(target, np.float64) - value)
        return Conformal(kind="absolute", level=self.level, rows=len(errors), bound=bound_of(errors, self.level))


class Scaled(Intervals, kind="scaled"):
    """Value plus and minus a width in proportion to how large errors are expected to be for the row, so that easy rows
    get narrow intervals and hard ones wide ones; how large is learned on the training part.

    References: Papadopoulos et al. 2002 (normalised inductive conformal prediction); Lei et al. 2018, arXiv 1604.04173.

    >>> target, scale = np.arange(1.0, 20.0), np.arange(1.0, 20.0)
    >>> Scaled().calibrate(target, np.zeros(19), scale).bound
    1.0
    """

    takes_scale: ClassVar[bool] = True

    def calibrate(self, target: np.ndarray, value: np.ndarray, scale: np.ndarray | None = None) -> Conformal:
        assert scale is not None, "errors are counted in a scale"
        errors = np.abs(np.asarray(target, np.float64) - value) / np.asarray(scale, np.float64)
        return Conformal(kind="scaled", level=self.level, rows=len(errors), bound=bound_of(errors, self.level))


class Lac(Sets, kind="lac"):
    """The classes whose probability reaches a bound: the smallest sets on average, and few classes where it is hard.

    References: Sadinle, Lei and Wasserman 2019, arXiv 1609.00451.

    >>> probability = np.stack([np.linspace(0.05, 0.95, 19), np.linspace(0.95, 0.05, 19)], axis=1)
    >>> round(Lac(level=0.5).calibrate(np.zeros(19, int), probability).bound, 2)
    0.5
    """

    def calibrate(self, target: np.ndarray, probability: np.ndarray) -> Conformal:
        scores = class_scores(probability, "lac")
        return Conformal(kind="lac", level=self.level, rows=len(target), bound=_bound(scores, target, self.level))


class Aps(Sets, kind="aps"):
    """The most probable classes until a bound of probability is reached: larger sets, whose size follows how hard a row
    is, so that hard rows are covered about as often as easy ones.

    References: Romano, Sesia and Candes 2020, arXiv 2006.02544.

    >>> probability = np.stack([np.linspace(0.05, 0.95, 19), np.linspace(0.95, 0.05, 19)], axis=1)
    >>> round(Aps().calibrate(np.zeros(19, int), probability).bound, 2)
    0.9
    """

    def calibrate(self, target: np.ndarray, probability: np.ndarray) -> Conformal:
        scores = class_scores(probability, "aps")
        return Conformal(kind="aps", level=self.level, rows=len(target), bound=_bound(scores, target, self.level))


class Raps(Sets, kind="raps"):
    """As aps, with a penalty on classes of low rank, which keeps sets small where there are many classes.

    References: Angelopoulos, Bates, Malik and Jordan 2021, arXiv 2009.14193.

    >>> probability = np.stack([np.linspace(0.05, 0.95, 19), np.linspace(0.95, 0.05, 19)], axis=1)
    >>> round(Raps(rank=1, penalty=0.5).calibrate(np.zeros(19, int), probability).bound, 2)
    1.4
    """

    penalty: float = option(0.1, "added to the score for each rank beyond the free ones", low=0, high=1)
    rank: int = option(2, "classes that are free of the penalty", low=0, high=100_000)

    def calibrate(self, target: np.ndarray, probability: np.ndarray) -> Conformal:
        scores = class_scores(probability, "raps", self.penalty, self.rank)
        bound = _bound(scores, target, self.level)
        return Conformal(
            kind="raps", level=self.level, rows=len(target), bound=bound, penalty=self.penalty, rank=self.rank
        )


class Labels(Sets, kind="labels"):
    """Of several labels a row: all whose probability reaches a bound, so that a set holds every label of its row at
    once. A row without labels is held by any set.

    References: Cauchois, Gupta and Duchi 2021, arXiv 2004.10181 (sets of several labels).

    >>> probability = np.stack([np.linspace(0.05, 0.95, 19), np.linspace(0.95, 0.05, 19)], axis=1)
    >>> round(Labels(level=0.5).calibrate(np.tile([True, False], (19, 1)), probability).bound, 2)
    0.5
    """

    problems: ClassVar[tuple[Problem, ...]] = ("multi-label",)

    def calibrate(self, target: np.ndarray, probability: np.ndarray) -> Conformal:
        scores = np.where(target, class_scores(probability, "labels"), 0.0).max(axis=1)
        return Conformal(kind="labels", level=self.level, rows=len(target), bound=bound_of(scores, self.level))


def _bound(scores: np.ndarray, target: np.ndarray, level: float) -> float:
    """The bound of the true classes' scores."""
    return bound_of(np.take_along_axis(scores, target[:, np.newaxis], axis=1)[:, 0], level)
