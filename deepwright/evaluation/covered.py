"""The numbers of intervals and sets: how often the truth is inside, and how wide or large they are."""

from typing import Literal

import numpy as np

from deepwright.core.bundle import Answers
from deepwright.core.report import Number
from deepwright.evaluation.coverage import Coverage, IntervalWidth
from deepwright.evaluation.draws import Dependence
from deepwright.evaluation.interval import intervals
from deepwright.evaluation.judge import numbers


def covered(
    target: np.ndarray,
    answers: Answers,
    *,
    part: Literal["train", "validation", "test"],
    member: str,
    optimistic: bool,
    weight: np.ndarray | None = None,
    dependence: Dependence | None = None,
    seed: int = 0,
) -> tuple[Number, ...]:
    """Coverage with mean width (values) or mean size (classes, labels); nothing where the answers have neither. A set
    covers a row of several labels that holds them all.

    target: float64 [N] values, int64 [N] class numbers, or bool [N, L] labels. Else as `judge`.
    """
    if answers.interval is not None:
        names, truth, ends = ("coverage", "interval_width"), target, answers.interval
    elif answers.sets is not None:
        # a set as an interval: from 0, where the truth stands, or beyond it, and as wide as the set is large
        if answers.has_labels:
            missed = (target & ~answers.sets).any(axis=1)
        else:
            missed = ~np.take_along_axis(answers.sets, target[:, np.newaxis], axis=1)[:, 0]
        low = missed.astype(np.float64)
        ends = np.stack([low, low + answers.sets.sum(axis=1)], axis=1)
        names, truth = ("set_coverage", "set_size"), np.zeros(len(target))
    else:
        return ()
    metrics = (Coverage(), IntervalWidth())
    bounds = intervals(metrics, truth, ends, weight=weight, dependence=dependence, seed=seed)
    values = [metric.value(truth, ends, weight) for metric in metrics]
    return numbers(names, metrics, values, bounds, n=len(target), part=part, member=member, optimistic=optimistic)
