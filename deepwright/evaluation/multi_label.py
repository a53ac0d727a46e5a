"""Metrics of several labels a row: target bool [N, L], answer the probability of each label [N, L].

Accuracy's and F1's family, AUC and average precision of labels are in `classify`.
"""

from typing import ClassVar

import numpy as np

from deepwright.core.schema import Problem
from deepwright.evaluation.counts import answered_labels
from deepwright.evaluation.interval import proportion
from deepwright.evaluation.metric import MeanMetric, RowMetric, Scale, Weigher, ratio


class SubsetAccuracy(RowMetric, kind="subset_accuracy"):
    """The share of rows all of whose labels are right.

    >>> SubsetAccuracy().value(np.array([[1, 0], [1, 1]], bool), np.array([[0.9, 0.2], [0.8, 0.3]]))
    0.5
    """

    problems: ClassVar[tuple[Problem, ...]] = ("multi-label",)
    decides: ClassVar[bool] = True
    scale: ClassVar[Scale] = "share"

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        hits = _all_right(target, answer).astype(np.float64)
        return lambda weights: ratio(weights @ hits, weights.sum(axis=1), empty=np.nan)

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float]:
        return proportion(int(_all_right(target, answer).sum()), len(target))


class HammingLoss(MeanMetric, kind="hamming_loss"):
    """The share of labels that are wrong, over rows and labels.

    >>> HammingLoss().value(np.array([[1, 0], [1, 1]], bool), np.array([[0.9, 0.2], [0.8, 0.3]]))
    0.25
    """

    problems: ClassVar[tuple[Problem, ...]] = ("multi-label",)
    decides: ClassVar[bool] = True

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        return np.asarray((answered_labels(answer) != (target > 0)).mean(axis=1))


class LabelRankingPrecision(RowMetric, kind="label_ranking_precision"):
    """The mean over rows and their true labels of the share of true ones among all labels at least as probable.

    A row without a true label, or with all of them, cannot be ranked wrongly and counts 1.
    Reference: Schapire and Singer 2000 (label ranking average precision).

    >>> round(LabelRankingPrecision().value(np.array([[1, 0, 1]], bool), np.array([[0.9, 0.5, 0.3]])), 4)
    0.8333
    """

    problems: ClassVar[tuple[Problem, ...]] = ("multi-label",)
    scale: ClassVar[Scale] = "share"

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        each = _ranking_precision(target > 0, np.asarray(answer, np.float64))
        return lambda weights: ratio(weights @ each, weights.sum(axis=1), empty=np.nan)


def _ranking_precision(true_NL: np.ndarray, answer_NL: np.ndarray) -> np.ndarray:
    """float64 [N]; one label after the other, so that N x L x L numbers never stand in memory."""
    sums = np.zeros(len(answer_NL))
    for label in range(answer_NL.shape[1]):
        as_probable = answer_NL >= answer_NL[:, label : label + 1]
        share = (as_probable & true_NL).sum(axis=1) / as_probable.sum(axis=1)
        sums += np.where(true_NL[:, label], share, 0.0)
    return ratio(sums, true_NL.sum(axis=1).astype(np.float64), empty=1.0)


def _all_right(target: np.ndarray, answer: np.ndarray) -> np.ndarray:
    return np.asarray((answered_labels(answer) == (target > 0)).all(axis=1))
