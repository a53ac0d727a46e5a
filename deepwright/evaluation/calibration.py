"""Calibration error: how far stated probabilities lie from the shares that come true."""

from typing import ClassVar, Literal

import numpy as np

from deepwright.core.part import option
from deepwright.core.schema import Problem
from deepwright.evaluation.metric import RowMetric, Weigher, ratio


class CalibrationError(RowMetric, kind="calibration_error"):
    """The mean gap between stated probability and share that came true, over bins of rows (ECE).

    Of the positive class for two classes, of the most probable class for more, of every label for several. The plain
    estimate never falls to 0 by chance: 1,000 rows that are calibrated perfectly show about 0.04 with 15 bins. The
    debiased one takes off what chance adds to the squared gaps, and is in quadratic mean.

    References: Guo et al. 2017, arXiv 1706.04599; Kumar, Liang and Ma 2019, arXiv 1909.10155 (debiased).

    >>> target, positive = np.array([0, 1, 1, 1]), np.array([0.15, 0.25, 0.85, 0.95])
    >>> round(CalibrationError(bins=2).value(target, np.stack([1 - positive, positive], axis=1)), 4)
    0.2
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification", "multi-label")
    greater_is_better: ClassVar[bool] = False
    has_interval: ClassVar[bool] = False
    """Resampled rows look worse calibrated than the rows themselves, so that their spread lies above the value."""

    bins: int = option(15, "bins of probability", low=1, high=1000)
    edges: Literal["width", "mass"] = option("width", "width: bins of equal width; mass: bins of equally many rows")
    estimate: Literal["plain", "debiased"] = option(
        "plain", "plain: mean gap; debiased: root of the mean squared gap less what chance adds to it"
    )

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        stated, came_true = _stated(target, np.asarray(answer, np.float64))
        per_row = len(stated) // max(1, len(target))
        scores, group = np.unique(stated, return_inverse=True)
        order = np.argsort(group, kind="stable")
        starts = np.searchsorted(group[order], np.arange(len(scores)))

        def weigh(weights: np.ndarray) -> np.ndarray:
            each = np.repeat(weights, per_row, axis=1)[:, order]
            counts_BG = np.add.reduceat(each, starts, axis=1)
            true_BG = np.add.reduceat(each * came_true[order], starts, axis=1)
            bin_BG = self._bins(scores, counts_BG)
            sums = [_by_bin(bin_BG, part, self.bins) for part in (counts_BG, counts_BG * scores, true_BG)]
            return self._error(*sums)

        return weigh

    def _bins(self, scores: np.ndarray, counts_BG: np.ndarray) -> np.ndarray:
        """int [B, G]: the bin of each distinct score; an upper edge belongs to its bin."""
        if self.edges == "width":
            inner = np.linspace(0.0, 1.0, self.bins + 1)[1:-1]
            return np.broadcast_to(np.searchsorted(inner, scores), counts_BG.shape)
        before = np.cumsum(counts_BG, axis=1) - counts_BG
        total = counts_BG.sum(axis=1, keepdims=True)
        place = np.floor(ratio(before * self.bins, total, empty=0.0)).astype(np.int64)
        return np.asarray(np.minimum(place, self.bins - 1))

    def _error(self, count: np.ndarray, stated: np.ndarray, came_true: np.ndarray) -> np.ndarray:
        """The error of sums by bin, each [B, bins]."""
        total = count.sum(axis=1)
        if self.estimate == "plain":
            return ratio(np.abs(stated - came_true).sum(axis=1), total, empty=np.nan)
        share = ratio(came_true, count, empty=0.0)
        chance = ratio(share * (1 - share), count - 1, empty=0.0)
        # a bin of a single row cannot tell a gap from chance
        gaps = np.where(count > 1, np.square(ratio(stated, count, empty=0.0) - share) - chance, 0.0)
        return np.sqrt(np.maximum(ratio((count * gaps).sum(axis=1), total, empty=np.nan), 0.0))


def _stated(target: np.ndarray, answer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities that are judged and whether each came true, both float64 [N] (of labels [N * L])."""
    if target.ndim == 2:
        return answer.ravel(), (target > 0).ravel().astype(np.float64)
    if answer.shape[1] == 2:
        return answer[:, 1], (target == 1).astype(np.float64)
    return answer.max(axis=1), (answer.argmax(axis=1) == target).astype(np.float64)


def _by_bin(bin_BG: np.ndarray, values_BG: np.ndarray, num_bins: int) -> np.ndarray:
    """The sum of values in each bin, [B, num_bins]."""
    rows = len(bin_BG)
    place = bin_BG + np.arange(rows)[:, np.newaxis] * num_bins
    return np.bincount(place.ravel(), values_BG.ravel(), minlength=rows * num_bins).reshape(rows, num_bins)
