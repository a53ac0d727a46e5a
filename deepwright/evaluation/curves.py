"""Areas under curves of one class against the rest, as functions of the rows' weights."""

import numpy as np

from deepwright.evaluation.metric import Weigher, ratio


def area_under_roc(positive: np.ndarray, score: np.ndarray) -> Weigher:
    """positive: bool [N]; score: float [N]. Sorted once; a tie counts one half."""
    order, starts = _tie_groups(score)
    is_positive = positive[order].astype(np.float64)

    def weigh(weights: np.ndarray) -> np.ndarray:
        sorted_weights = weights[:, order]
        in_class = np.add.reduceat(sorted_weights * is_positive, starts, axis=1)
        rest = np.add.reduceat(sorted_weights, starts, axis=1) - in_class
        below = np.cumsum(rest, axis=1) - rest / 2
        return ratio((in_class * below).sum(axis=1), in_class.sum(axis=1) * rest.sum(axis=1), empty=np.nan)

    return weigh


def area_under_precision(positive: np.ndarray, score: np.ndarray) -> Weigher:
    """positive: bool [N]; score: float [N]. Sorted once; rows of equal score enter together."""
    order, starts = _tie_groups(-np.asarray(score, np.float64))
    is_positive = positive[order].astype(np.float64)

    def weigh(weights: np.ndarray) -> np.ndarray:
        sorted_weights = weights[:, order]
        in_class = np.add.reduceat(sorted_weights * is_positive, starts, axis=1)
        predicted = np.cumsum(np.add.reduceat(sorted_weights, starts, axis=1), axis=1)
        precision = ratio(np.cumsum(in_class, axis=1), predicted, empty=0.0)
        return ratio((in_class * precision).sum(axis=1), in_class.sum(axis=1), empty=np.nan)

    return weigh


def mean_defined(values: list[np.ndarray]) -> np.ndarray:
    """The mean over classes of what is defined, NaN where nothing is; each [B]."""
    stacked = np.stack(values)
    defined = ~np.isnan(stacked)
    return ratio(np.where(defined, stacked, 0.0).sum(axis=0), defined.sum(axis=0), empty=np.nan)


def _tie_groups(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rising order of scores, and where in it each distinct score begins."""
    order = np.argsort(score, kind="stable")
    in_order = score[order]
    return order, np.flatnonzero(np.concatenate([[True], in_order[1:] != in_order[:-1]]))
