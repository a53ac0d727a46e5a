"""Metrics of classification, equal to scikit-learn's where that one is defined.

The positive class of two is class 1, the second of the target's levels (as in scikit-learn): a fixed class, because one
chosen by rarity would change between parts and resamples of nearly balanced rows.
"""

from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np

from deepwright.core.errors import RecipeError
from deepwright.core.families import Metric
from deepwright.core.part import option
from deepwright.core.schema import Problem
from deepwright.evaluation.interval import mean_of_proportions, proportion
from deepwright.evaluation.metric import MeanMetric, RowMetric, Scale, Weigher, name_of, ratio, sums_by

Average = Literal["positive", "macro", "weighted"]

_AVERAGE = "positive: one class; macro: mean over classes; weighted: by rows; none: positive of two classes, else macro"
_POSITIVE = "number of the positive class, counted from 0 in the order of the target's levels"


class Accuracy(RowMetric, kind="accuracy"):
    """The share of rows whose most probable class is the true one.

    >>> Accuracy().value(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]))
    0.6666666666666666
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)
    decides: ClassVar[bool] = True
    scale: ClassVar[Scale] = "share"

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        hits = (answer.argmax(axis=1) == target).astype(np.float64)
        return lambda weights: ratio(weights @ hits, weights.sum(axis=1), empty=np.nan)

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float]:
        return proportion(int((answer.argmax(axis=1) == target).sum()), len(target))


class BalancedAccuracy(RowMetric, kind="balanced_accuracy"):
    """The mean over the classes that occur of the share of their rows that is found.

    >>> BalancedAccuracy().value(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]))
    0.75
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)
    decides: ClassVar[bool] = True
    scale: ClassVar[Scale] = "share"

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        count = _counter(target, answer)

        def weigh(weights: np.ndarray) -> np.ndarray:
            found, true, _ = count(weights)
            return ratio(ratio(found, true, empty=0.0).sum(axis=1), (true > 0).sum(axis=1), empty=np.nan)

        return weigh

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float]:
        found, true, _ = (counts[0] for counts in _counter(target, answer)(np.ones((1, len(target)))))
        return mean_of_proportions(found[true > 0], true[true > 0])


class _OfClasses(RowMetric):
    """A ratio of counts, of one class or averaged over classes.

    A class that occurs (or is predicted) and has an empty denominator counts 0 in an average, so that a class never
    predicted earns no precision; judged alone it is undefined.
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)
    decides: ClassVar[bool] = True
    scale: ClassVar[Scale] = "share"

    average: Average | None = option(None, _AVERAGE)
    positive: int = option(1, _POSITIVE, low=0)

    def _fraction(self, found: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        count, single = _counter(target, answer), _single_class(self, self.average, self.positive, answer.shape[1])

        def weigh(weights: np.ndarray) -> np.ndarray:
            found, true, predicted = count(weights)
            above, below = self._fraction(found, true, predicted)
            if single is not None:
                return ratio(above[:, single], below[:, single], empty=np.nan)
            share = true if self.average == "weighted" else ((true + predicted) > 0).astype(np.float64)
            return ratio((ratio(above, below, empty=0.0) * share).sum(axis=1), share.sum(axis=1), empty=np.nan)

        return weigh

    def _counts(self, target: np.ndarray, answer: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Numerators, denominators and presence, one per class."""
        found, true, predicted = (counts[0] for counts in _counter(target, answer)(np.ones((1, len(target)))))
        return *self._fraction(found, true, predicted), (true + predicted) > 0


class Precision(_OfClasses, kind="precision"):
    """Of the rows predicted to be of a class, the share that is.

    >>> Precision().value(np.array([0, 1, 1]), np.array([[0.4, 0.6], [0.2, 0.8], [0.6, 0.4]]))
    0.5
    """

    def _fraction(self, found: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return found, predicted

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float] | None:
        return _exact_proportions(self, target, answer)


class Recall(_OfClasses, kind="recall"):
    """Of the rows of a class, the share that is found.

    >>> Recall().value(np.array([0, 1, 1]), np.array([[0.4, 0.6], [0.2, 0.8], [0.6, 0.4]]))
    0.5
    """

    def _fraction(self, found: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return found, true

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float] | None:
        return _exact_proportions(self, target, answer)


class F1(_OfClasses, kind="f1"):
    """The harmonic mean of precision and recall: 2 found / (true + predicted).

    The interval of one class is Wilson's for found / (found or missed or wrongly predicted), carried over.
    Reference: Lam, Gopal and Qian 2023, arXiv 2309.14621.

    >>> F1().value(np.array([0, 1, 1]), np.array([[0.4, 0.6], [0.2, 0.8], [0.3, 0.7]]))
    0.8
    """

    def _fraction(self, found: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 2 * found, true + predicted

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float] | None:
        single = _single_class(self, self.average, self.positive, answer.shape[1])
        if single is None:
            return None
        doubled, below, _ = self._counts(target, answer)
        found, union = int(doubled[single]) // 2, int(below[single] - doubled[single] / 2)
        if not union:
            return None
        low, high = proportion(found, union)
        return 2 * low / (1 + low), 2 * high / (1 + high)


class Auc(RowMetric, kind="auc"):
    """The area under the ROC curve: how often a row of the class gets more probability for it than another row.

    Ties count one half. More than two classes: the mean of each class against the rest, over the classes that occur.

    >>> Auc().value(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]]))
    0.75
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)
    scale: ClassVar[Scale] = "share"

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        classes = range(answer.shape[1]) if answer.shape[1] > 2 else (1,)
        areas = [_area_under_roc(target == c, answer[:, c]) for c in classes]
        return lambda weights: _mean_defined([area(weights) for area in areas])


class AveragePrecision(RowMetric, kind="average_precision"):
    """The area under the precision-recall curve as a sum of steps, without interpolation.

    >>> AveragePrecision().value(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]]))
    0.8333333333333333
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)
    scale: ClassVar[Scale] = "share"

    average: Literal["positive", "macro"] | None = option(
        None, "positive: one class; macro: mean over the classes that occur; none: positive of two classes, else macro"
    )
    positive: int = option(1, _POSITIVE, low=0)

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        single = _single_class(self, self.average, self.positive, answer.shape[1])
        classes = range(answer.shape[1]) if single is None else (single,)
        areas = [_area_under_precision(target == c, answer[:, c]) for c in classes]
        return lambda weights: _mean_defined([area(weights) for area in areas])


class LogLoss(MeanMetric, kind="log_loss"):
    """The mean of -log of the true class's probability, in nats; probabilities are kept above 2.2e-16.

    >>> round(LogLoss().value(np.array([0, 1]), np.array([[0.9, 0.1], [0.5, 0.5]])), 4)
    0.3993
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        least = np.finfo(np.float64).eps
        own = np.take_along_axis(np.asarray(answer, np.float64), target[:, np.newaxis], axis=1)[:, 0]
        return -np.log(np.clip(own, least, 1.0))


class Brier(MeanMetric, kind="brier"):
    """The mean squared error of probabilities: of the positive class for two classes, summed over classes for more.

    Reference: Brier 1950.

    >>> round(Brier().value(np.array([0, 1]), np.array([[0.9, 0.1], [0.5, 0.5]])), 4)
    0.13
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        squares = np.square(np.asarray(answer, np.float64))
        own = np.take_along_axis(np.asarray(answer, np.float64), target[:, np.newaxis], axis=1)[:, 0]
        summed = squares.sum(axis=1) - np.square(own) + np.square(1 - own)
        return summed / 2 if answer.shape[1] == 2 else summed


Counter = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def _counter(target: np.ndarray, answer: np.ndarray) -> Counter:
    """A function from weights [B, N] to the rows found, true and predicted of each class, each [B, K]."""
    num_classes = answer.shape[1]
    predicted = answer.argmax(axis=1)
    hits = np.flatnonzero(predicted == target)
    add_found, add_true = sums_by(target[hits], num_classes), sums_by(target, num_classes)
    add_predicted = sums_by(predicted, num_classes)
    return lambda weights: (add_found(weights[:, hits]), add_true(weights), add_predicted(weights))


def _single_class(metric: Metric, average: str | None, positive: int, num_classes: int) -> int | None:
    """The one class that is judged, or None for an average over classes."""
    if average not in (None, "positive") or (average is None and num_classes != 2):
        return None
    if positive >= num_classes:
        raise RecipeError("evaluate.no_such_class", metric=name_of(metric), found=positive, highest=num_classes - 1)
    return positive


def _exact_proportions(metric: _OfClasses, target: np.ndarray, answer: np.ndarray) -> tuple[float, float] | None:
    """The interval of a proportion (one class), or of a mean of independent proportions (macro)."""
    above, below, present = metric._counts(target, answer)
    single = _single_class(metric, metric.average, metric.positive, answer.shape[1])
    if single is not None:
        return proportion(int(above[single]), int(below[single])) if below[single] else None
    return None if metric.average == "weighted" else mean_of_proportions(above[present], below[present])


def _area_under_roc(positive: np.ndarray, score: np.ndarray) -> Weigher:
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


def _area_under_precision(positive: np.ndarray, score: np.ndarray) -> Weigher:
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


def _tie_groups(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rising order of scores, and where in it each distinct score begins."""
    order = np.argsort(score, kind="stable")
    in_order = score[order]
    return order, np.flatnonzero(np.concatenate([[True], in_order[1:] != in_order[:-1]]))


def _mean_defined(values: list[np.ndarray]) -> np.ndarray:
    """The mean over classes of what is defined, NaN where nothing is; each [B]."""
    stacked = np.stack(values)
    defined = ~np.isnan(stacked)
    return ratio(np.where(defined, stacked, 0.0).sum(axis=0), defined.sum(axis=0), empty=np.nan)
