"""The numbers of one member on one part: each metric with its 95 % interval."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from deepwright.core.errors import DataError, PracticeError
from deepwright.core.families import Metric
from deepwright.core.report import Number
from deepwright.core.schema import Problem
from deepwright.evaluation.calibration import CalibrationError
from deepwright.evaluation.classify import (
    F1,
    Accuracy,
    Auc,
    AveragePrecision,
    BalancedAccuracy,
    Brier,
    LogLoss,
    Precision,
    Recall,
)
from deepwright.evaluation.decision import as_answer
from deepwright.evaluation.draws import Dependence
from deepwright.evaluation.evidence import evidence
from deepwright.evaluation.interval import Interval, intervals
from deepwright.evaluation.multi_label import HammingLoss, SubsetAccuracy
from deepwright.evaluation.regress import R2, Mae, MedianAbsoluteError, Rmse

__all__ = ["evidence", "judge", "main_metric", "usual_metrics"]


def usual_metrics(problem: Problem, num_classes: int) -> tuple[Metric, ...]:
    """What is reported when nothing else is asked for: how often and how far answers are wrong, how well they rank, and
    whether their probabilities can be taken at their word. Values: the median error beside the mean ones shows whether
    a few rows make them. Labels: micro weighs each label by its rows, macro all labels alike.
    """
    if problem == "regression":
        return Rmse(), Mae(), MedianAbsoluteError(), R2()
    if problem == "multi-label":
        return (
            *(SubsetAccuracy(), HammingLoss(), F1(average="micro"), F1(average="macro")),
            *(Auc(), AveragePrecision(), LogLoss(), CalibrationError()),
        )
    if num_classes == 2:
        return (
            *(Accuracy(), BalancedAccuracy(), Precision(), Recall(), F1()),
            *(Auc(), AveragePrecision(), LogLoss(), Brier(), CalibrationError()),
        )
    return Accuracy(), BalancedAccuracy(), F1(), Auc(), LogLoss(), Brier(), CalibrationError()


def main_metric(problem: Problem) -> Metric:
    """What chooses when nothing else is asked for."""
    if problem == "regression":
        return Rmse()
    return F1(average="micro") if problem == "multi-label" else Accuracy()


def judge(
    target: np.ndarray,
    answer: np.ndarray,
    metrics: Sequence[Metric],
    *,
    part: Literal["train", "validation", "test"],
    member: str,
    optimistic: bool,
    decided: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    dependence: Dependence | None = None,
    seed: int = 0,
) -> tuple[Number, ...]:
    """Every metric of one member's answers with its interval. Shapes as in `Metric.value`.

    decided: int64 [N], the classes answered, where a threshold decides.
    weight: float64 [N], how much each row counts. dependence: which rows hang together by group or time.

    Raises DataError for a part without rows, PracticeError for answers that are not finite or no probabilities.
    """
    target, answer = checked(target, answer, member=member, part=part)
    as_decided = answer if decided is None else as_answer(decided, answer.shape[1])
    seen = [as_decided if metric.decides else answer for metric in metrics]
    bounds = _bounds(metrics, target, seen, weight, dependence, seed)
    values = [metric.value(target, judged, weight) for metric, judged in zip(metrics, seen, strict=True)]
    names = [metric.name for metric in metrics]
    return numbers(names, metrics, values, bounds, n=len(target), part=part, member=member, optimistic=optimistic)


def numbers(
    names: Sequence[str],
    metrics: Sequence[Metric],
    values: Sequence[float],
    bounds: Sequence[Interval],
    *,
    n: int,
    part: Literal["train", "validation", "test"],
    member: str,
    optimistic: bool,
) -> tuple[Number, ...]:
    """A report's numbers of one member on n rows of a part; what is not finite is undefined."""
    return tuple(
        Number(
            metric=name,
            value=_plain(value),
            low=low,
            high=high,
            n=n,
            part=part,
            member=member,
            greater_is_better=metric.greater_is_better,
            method=method,
            optimistic=optimistic,
        )
        for name, metric, value, (low, high, method) in zip(names, metrics, values, bounds, strict=True)
    )


def _bounds(
    metrics: Sequence[Metric],
    target: np.ndarray,
    seen: Sequence[np.ndarray],
    weight: np.ndarray | None,
    dependence: Dependence | None,
    seed: int,
) -> list[Interval]:
    """Each metric's interval; metrics that see the same answers share their resamples."""
    found: dict[int, Interval] = {}
    for place, judged in enumerate(seen):
        if place not in found:
            alike = [other for other, its in enumerate(seen) if its is judged]
            some = intervals(
                [metrics[other] for other in alike], target, judged, weight=weight, dependence=dependence, seed=seed
            )
            found |= dict(zip(alike, some, strict=True))
    return [found[place] for place in range(len(metrics))]


def checked(target: np.ndarray, answer: np.ndarray, *, member: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Target and answer in float64, probabilities of classes scaled to sum to exactly 1; a target of labels is bool.

    Raises DataError for a part without rows, PracticeError for answers that are not finite or no probabilities.
    """
    assert len(target) == len(answer), f"{len(answer)} answers of {member!r} for {len(target)} rows"
    if len(target) == 0:
        raise DataError("evaluate.no_rows", part=part)
    answer = np.asarray(answer, np.float64)
    bad = ~np.isfinite(answer) if answer.ndim == 1 else ~np.isfinite(answer).all(axis=1)
    if bad.any():
        raise PracticeError("evaluate.not_finite", member=member, part=part, count=int(bad.sum()), n=len(bad))
    if answer.ndim == 1:
        return np.asarray(target, np.float64), answer
    if target.ndim == 2:
        wrong = ((answer < 0) | (answer > 1)).any(axis=1)
        if wrong.any():
            found = float(answer[wrong][0].min() if (answer[wrong][0] < 0).any() else answer[wrong][0].max())
            raise PracticeError("evaluate.not_shares", member=member, part=part, count=int(wrong.sum()), found=found)
        return np.asarray(target, bool), answer
    sums = answer.sum(axis=1)
    wrong = (np.abs(sums - 1) > 1e-3) | (answer < 0).any(axis=1)
    if wrong.any():
        found = float(sums[wrong][0])
        raise PracticeError("evaluate.not_probabilities", member=member, part=part, count=int(wrong.sum()), found=found)
    return np.asarray(target, np.int64), answer / sums[:, np.newaxis]


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
