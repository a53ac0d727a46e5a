"""Temperature: one number by which probabilities are made as sure as they are right, chosen on validation."""

from dataclasses import dataclass

import numpy as np

from deepwright.core.operations import Temperature
from deepwright.evaluation.calibration import CalibrationError
from deepwright.evaluation.classify import LogLoss

NUM_FOLDS = 5
LEAST, MOST = 0.1, 10.0
"""Temperatures that are taken."""


@dataclass(frozen=True)
class Tempered:
    """temperature: 1 where none helps. cross_fitted: float64 [N, K], each row's answer under a temperature chosen
    without its fold; as given where none helps.

    log_loss and calibration_error: before, and after by the cross-fitted answers.
    """

    temperature: float
    cross_fitted: np.ndarray
    log_loss: tuple[float, float]
    calibration_error: tuple[float, float]

    @property
    def helps(self) -> bool:
        return self.temperature != 1.0


def temper(target: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None, seed: int = 0) -> Tempered:
    """The temperature of the least log loss on validation, where the gain on rows that did not choose it is larger than
    its standard error; else 1.

    target: int64 [N] class numbers; probability: [N, K]; weight: float64 [N], how much each row counts.

    >>> sure = np.tile([[0.99, 0.01]], (40, 1))
    >>> round(temper(np.arange(40) % 4 // 3, sure).temperature, 2)
    4.44
    """
    counts = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
    given = np.asarray(probability, np.float64)
    fold = np.random.default_rng(seed).permutation(len(target)) % NUM_FOLDS
    fitted = np.empty_like(given)
    for number in range(NUM_FOLDS):
        here = fold == number
        if here.any():
            fitted[here] = tempered(given[here], best_temperature(target[~here], given[~here], counts[~here]))
    metric = LogLoss()
    gains = metric.losses(target, given) - metric.losses(target, fitted)
    total = counts.sum()
    mean = float(gains @ counts / total) if total > 0 else 0.0
    error = float(np.sqrt(np.square(counts * (gains - mean)).sum()) / total) if total > 0 else 0.0
    loss, loss_after = (metric.value(target, answer, counts) for answer in (given, fitted))
    error_of = CalibrationError(edges="mass")
    calibration, calibration_after = (error_of.value(target, answer, counts) for answer in (given, fitted))
    helps = mean > error
    return Tempered(
        temperature=best_temperature(target, given, counts) if helps else 1.0,
        cross_fitted=fitted if helps else given,
        log_loss=(loss, loss_after),
        calibration_error=(calibration, calibration_after),
    )


def best_temperature(target: np.ndarray, probability: np.ndarray, counts: np.ndarray) -> float:
    """The temperature of the least mean log loss: convex in 1/T, so its slope is halved in to 0.

    As if one row more had come out otherwise than it should (Platt 1999), so that no faults among few rows do not make
    a model boundlessly sure.
    """
    if not counts.sum() > 0:
        return 1.0
    logs = np.log(np.clip(probability, np.finfo(np.float64).eps, 1.0))
    rows, classes = len(target), probability.shape[1]
    is_own = np.arange(classes) == target[:, np.newaxis]
    truth = np.where(is_own, (rows + 1) / (rows + 2), 1 / ((rows + 2) * max(classes - 1, 1)))
    own = (truth * logs).sum(axis=1) @ counts

    def slope(sharpness: float) -> float:
        scaled = sharpness * logs
        weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return float((weights * logs).sum(axis=1) / weights.sum(axis=1) @ counts - own)

    low, high = 1.0 / MOST, 1.0 / LEAST
    if slope(low) >= 0:
        return MOST
    if slope(high) <= 0:
        return LEAST
    for _ in range(40):
        middle = np.sqrt(low * high)
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return float(1.0 / np.sqrt(low * high))


def tempered(probability: np.ndarray, temperature: float) -> np.ndarray:
    """The probabilities [N, K] under a temperature, as the bundle's graph computes them.

    >>> tempered(np.array([[0.8, 0.2]]), 2.0).round(4).tolist()
    [[0.6667, 0.3333]]
    """
    return Temperature(temperature=temperature).apply({"probability": probability})["probability"]
