"""Metrics of classification, equal to scikit-learn's where that one is defined.

The positive class of two is class 1, the second of the target's levels (as in scikit-learn): a fixed class, because one
chosen by rarity would change between parts and resamples of nearly balanced rows.

Most also judge answers of several labels: target bool [N, L], probability [N, L]; each label is one of two classes.
"""

from typing import ClassVar, Literal

import numpy as np

from deepwright.core.errors import RecipeError
from deepwright.core.families import Metric
from deepwright.core.part import option
from deepwright.core.schema import Problem
from deepwright.evaluation.counts import answered_labels, counter, mean_of_present, of_class
from deepwright.evaluation.curves import area_under_precision, area_under_roc, mean_defined
from deepwright.evaluation.interval import mean_of_proportions, proportion
from deepwright.evaluation.metric import MeanMetric, RowMetric, Scale, Weigher, ratio

Average = Literal["positive", "macro", "micro", "weighted", "samples"]

_AVERAGE = (
    "positive: one class; macro: mean over classes; micro: all classes' counts together; weighted: by rows; samples: "
    "mean over rows, of several labels only; none: positive of two classes, else macro"
)
_POSITIVE = "number of the positive class, counted from 0 in the order of the target's levels"
_BOTH: tuple[Problem, ...] = ("classification", "multi-label")


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
        count = counter(target, answer)

        def weigh(weights: np.ndarray) -> np.ndarray:
            found, true, _ = count(weights)
            return ratio(ratio(found, true, empty=0.0).sum(axis=1), (true > 0).sum(axis=1), empty=np.nan)

        return weigh

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float]:
        found, true, _ = (counts[0] for counts in counter(target, answer)(np.ones((1, len(target)))))
        return mean_of_proportions(found[true > 0], true[true > 0])


class _OfClasses(RowMetric):
    """A ratio of counts, of one class or averaged over classes (or over labels).

    A class that occurs (or is answered) and has an empty denominator counts 0 in an average, so that a class never
    answered earns no precision; one that neither occurs nor is answered is left out. Judged alone an empty denominator
    is undefined, where scikit-learn gives 0.
    """

    problems: ClassVar[tuple[Problem, ...]] = _BOTH
    decides: ClassVar[bool] = True
    scale: ClassVar[Scale] = "share"

    average: Average | None = option(None, _AVERAGE)
    positive: int = option(1, _POSITIVE, low=0)

    def _fraction(self, found: np.ndarray, true: np.ndarray, answered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        if self.average == "samples":
            return self._of_rows(target, answer)
        count, single = counter(target, answer), judged_alone(self, self.average, self.positive, target, answer)

        def weigh(weights: np.ndarray) -> np.ndarray:
            found, true, answered = count(weights)
            above, below = self._fraction(found, true, answered)
            if single is not None:
                return ratio(above[:, single], below[:, single], empty=np.nan)
            if self.average == "micro":
                return ratio(above.sum(axis=1), below.sum(axis=1), empty=np.nan)
            return mean_of_present(above, below, true if self.average == "weighted" else _present(true, answered))

        return weigh

    def _of_rows(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        """The mean over rows of each row's own ratio; a row without a label, true or answered, is left out."""
        if target.ndim != 2:
            raise RecipeError("evaluate.samples_of_classes", metric=self.name)
        true, answered = target > 0, answered_labels(answer)
        counts = [labels.sum(axis=1).astype(np.float64) for labels in (true & answered, true, answered)]
        above, below = self._fraction(*counts)
        present = _present(counts[1], counts[2])
        losses = ratio(above, below, empty=0.0)
        return lambda weights: ratio(weights @ (losses * present), weights @ present, empty=np.nan)

    def _counts(self, target: np.ndarray, answer: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Numerators, denominators and presence, one per class."""
        found, true, answered = (counts[0] for counts in counter(target, answer)(np.ones((1, len(target)))))
        return *self._fraction(found, true, answered), _present(true, answered) > 0


def _present(true: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """1 for what occurs or is answered, else 0."""
    return ((true + answered) > 0).astype(np.float64)


class Precision(_OfClasses, kind="precision"):
    """Of the rows predicted to be of a class, the share that is.

    >>> Precision().value(np.array([0, 1, 1]), np.array([[0.4, 0.6], [0.2, 0.8], [0.6, 0.4]]))
    0.5
    """

    def _fraction(self, found: np.ndarray, true: np.ndarray, answered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return found, answered

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float] | None:
        return _exact_proportions(self, target, answer)


class Recall(_OfClasses, kind="recall"):
    """Of the rows of a class, the share that is found.

    >>> Recall().value(np.array([0, 1, 1]), np.array([[0.4, 0.6], [0.2, 0.8], [0.6, 0.4]]))
    0.5
    """

    def _fraction(self, found: np.ndarray, true: np.ndarray, answered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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

    def _fraction(self, found: np.ndarray, true: np.ndarray, answered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 2 * found, true + answered

    def exact(self, target: np.ndarray, answer: np.ndarray) -> tuple[float, float] | None:
        if self.average == "samples":
            return None
        single = judged_alone(self, self.average, self.positive, target, answer)
        doubled, below, _ = self._counts(target, answer)
        if single is not None:
            found, union = int(doubled[single]) // 2, int(below[single] - doubled[single] / 2)
            if not union:
                return None
            low, high = proportion(found, union)
            return 2 * low / (1 + low), 2 * high / (1 + high)
        if self.average == "micro" and target.ndim == 1:
            return proportion(int(doubled.sum()) // 2, len(target))
        return None


_AREA_AVERAGE = (
    "positive: one class; macro: mean over the classes that occur; none: positive of two classes, else macro"
)


class Auc(RowMetric, kind="auc"):
    """The area under the ROC curve: how often a row of the class gets more probability for it than another row.

    Ties count one half. More than two classes: the mean of each class against the rest, over the classes that occur.

    >>> Auc().value(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]]))
    0.75
    """

    problems: ClassVar[tuple[Problem, ...]] = _BOTH
    scale: ClassVar[Scale] = "share"

    average: Literal["positive", "macro"] | None = option(None, _AREA_AVERAGE)
    positive: int = option(1, _POSITIVE, low=0)

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        classes = _judged(self, self.average, self.positive, target, answer)
        if len(classes) == 2 and target.ndim == 1:
            classes = (1,)  # the other class's area is the same
        areas = [area_under_roc(of_class(target, c), answer[:, c]) for c in classes]
        return lambda weights: mean_defined([area(weights) for area in areas])


class AveragePrecision(RowMetric, kind="average_precision"):
    """The area under the precision-recall curve as a sum of steps, without interpolation.

    Undefined for a class without rows, where scikit-learn gives 0.

    >>> AveragePrecision().value(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]]))
    0.8333333333333333
    """

    problems: ClassVar[tuple[Problem, ...]] = _BOTH
    scale: ClassVar[Scale] = "share"

    average: Literal["positive", "macro"] | None = option(None, _AREA_AVERAGE)
    positive: int = option(1, _POSITIVE, low=0)

    def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
        classes = _judged(self, self.average, self.positive, target, answer)
        areas = [area_under_precision(of_class(target, c), answer[:, c]) for c in classes]
        return lambda weights: mean_defined([area(weights) for area in areas])


class LogLoss(MeanMetric, kind="log_loss"):
    """The mean of -log of the true class's probability, in nats; probabilities are kept above 2.2e-16.

    Of several labels the mean over rows and labels.

    >>> round(LogLoss().value(np.array([0, 1]), np.array([[0.9, 0.1], [0.5, 0.5]])), 4)
    0.3993
    """

    problems: ClassVar[tuple[Problem, ...]] = _BOTH

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        least = np.finfo(np.float64).eps
        answer = np.asarray(answer, np.float64)
        if target.ndim == 2:
            own = np.where(target > 0, answer, 1 - answer)
            return np.asarray(-np.log(np.clip(own, least, 1.0)).mean(axis=1))
        own = np.take_along_axis(answer, target[:, np.newaxis], axis=1)[:, 0]
        return np.asarray(-np.log(np.clip(own, least, 1.0)))


class Brier(MeanMetric, kind="brier"):
    """The mean squared error of probabilities: of the positive class for two classes, summed over classes for more.

    Of several labels the mean over rows and labels. Reference: Brier 1950.

    >>> round(Brier().value(np.array([0, 1]), np.array([[0.9, 0.1], [0.5, 0.5]])), 4)
    0.13
    """

    problems: ClassVar[tuple[Problem, ...]] = _BOTH

    def losses(self, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
        answer = np.asarray(answer, np.float64)
        if target.ndim == 2:
            return np.asarray(np.square(answer - (target > 0)).mean(axis=1))
        own = np.take_along_axis(answer, target[:, np.newaxis], axis=1)[:, 0]
        summed = np.square(answer).sum(axis=1) - np.square(own) + np.square(1 - own)
        return summed / 2 if answer.shape[1] == 2 else summed


def judged_alone(
    metric: Metric, average: str | None, positive: int, target: np.ndarray, answer: np.ndarray
) -> int | None:
    """The one class (or label) that is judged, or None for an average over them.

    Raises RecipeError for a number that no class has.
    """
    is_one_of_two = target.ndim == 1 and answer.shape[1] == 2
    if average not in (None, "positive") or (average is None and not is_one_of_two):
        return None
    if positive >= answer.shape[1]:
        raise RecipeError("evaluate.no_such_class", metric=metric.name, found=positive, highest=answer.shape[1] - 1)
    return positive


def _judged(
    metric: Metric, average: str | None, positive: int, target: np.ndarray, answer: np.ndarray
) -> tuple[int, ...]:
    single = judged_alone(metric, average, positive, target, answer)
    return tuple(range(answer.shape[1])) if single is None else (single,)


def _exact_proportions(metric: _OfClasses, target: np.ndarray, answer: np.ndarray) -> tuple[float, float] | None:
    """The interval of a proportion (one class, or all together), or of a mean of independent ones (macro)."""
    if metric.average == "samples":
        return None
    above, below, present = metric._counts(target, answer)
    single = judged_alone(metric, metric.average, metric.positive, target, answer)
    if single is not None:
        return proportion(int(above[single]), int(below[single])) if below[single] else None
    if target.ndim == 2 or metric.average == "weighted":  # a row's labels are not independent
        return None
    if metric.average == "micro":
        return proportion(int(above.sum()), int(below.sum()))
    return mean_of_proportions(above[present], below[present])
