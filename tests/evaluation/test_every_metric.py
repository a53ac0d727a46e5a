"""Every metric kind against scikit-learn or the closed form, to 1e-12, on 200 random and degenerate inputs each.

Where nothing can be said ours is undefined (NaN). Known differences, each written below as its expected value:
scikit-learn gives 0 for a precision without an answer of the class, a recall without a row of it, Matthews' correlation
with one class alone and average precision without a row of the class; and it counts labels that never occur as 0.
"""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as sk

import deepwright.parts  # noqa: F401 - defines every kind
from deepwright.core.families import Metric
from deepwright.evaluation.agreement import Kappa, Mcc
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
from deepwright.evaluation.cost import Cost
from deepwright.evaluation.coverage import Coverage, IntervalWidth
from deepwright.evaluation.mase import Mase
from deepwright.evaluation.multi_label import HammingLoss, LabelRankingPrecision, SubsetAccuracy
from deepwright.evaluation.regress import R2, Mae, Mape, MaxError, MedianAbsoluteError, Mse, Pinball, Rmse, Smape
from deepwright.evaluation.top_k import TopKAccuracy

NUM_INPUTS = 200
Rows = tuple[np.ndarray, np.ndarray, np.ndarray | None]
Expected = dict[Metric, float]


def _weight(rng: np.random.Generator, seed: int, n: int) -> np.ndarray | None:
    return rng.integers(1, 4, n).astype(float) if seed % 3 == 0 else None


def _classes(seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    num_classes, n = int(rng.integers(2, 7)), int(rng.integers(1, 40))
    target = rng.integers(0, num_classes, n)
    answer = rng.dirichlet(np.ones(num_classes), n) + 0.4 * np.eye(num_classes)[target]
    if seed % 5 == 1:
        answer = np.round(answer, 1) + 0.05  # ties
    if seed % 7 == 2:
        target = np.full(n, rng.integers(0, num_classes))  # one class
    if seed % 7 == 3:
        target = target % (num_classes - 1)  # an empty class
    if seed % 11 == 4:
        answer[:] = rng.dirichlet(np.ones(num_classes))  # a constant answer
    if seed % 11 == 5:
        answer = np.eye(num_classes)[target]  # faultless and certain
    return target, answer / answer.sum(axis=1, keepdims=True), _weight(rng, seed, n)


def _of_classes(target: np.ndarray, answer: np.ndarray, weight: np.ndarray | None) -> Expected:
    num_classes, said = answer.shape[1], answer.argmax(axis=1)
    classes, with_weight = np.arange(num_classes), {"sample_weight": weight}
    found: Expected = {
        Accuracy(): sk.accuracy_score(target, said, **with_weight),
        BalancedAccuracy(): sk.balanced_accuracy_score(target, said, **with_weight),
        LogLoss(): sk.log_loss(target, answer, labels=classes, **with_weight),
        Brier(): sk.brier_score_loss(
            target, answer[:, 1] if num_classes == 2 else answer, labels=classes, **with_weight
        ),
    }
    for average in ("macro", "micro", "weighted"):
        values = sk.precision_recall_fscore_support(target, said, average=average, zero_division=0, **with_weight)
        found |= {kind(average=average): value for kind, value in zip((Precision, Recall, F1), values, strict=False)}
    values = sk.precision_recall_fscore_support(target, said, labels=classes, zero_division=np.nan, **with_weight)
    for single in (0, 1):
        for kind, of_class in zip((Precision, Recall, F1), values, strict=False):
            found[kind(average="positive", positive=single)] = of_class[single]
    areas = {}
    for kind, area in ((Auc, sk.roc_auc_score), (AveragePrecision, sk.average_precision_score)):
        areas[kind] = [_area(area, target == c, answer[:, c], weight) for c in classes]
        found[kind(average="macro")] = _mean_defined(areas[kind])
        found[kind(average="positive")] = areas[kind][1]
    if num_classes == 2:
        found |= {kind(): found[kind(average="positive", positive=1)] for kind in (Precision, Recall, F1)}
        found |= {kind(): of[1] for kind, of in areas.items()}
    one_alone = len(set(target)) == 1 or len(set(said)) == 1
    found[Mcc()] = np.nan if one_alone else sk.matthews_corrcoef(target, said, **with_weight)
    for weights in (None, "linear", "quadratic"):
        is_same = set(target) == set(said) and one_alone
        value = sk.cohen_kappa_score(target, said, labels=classes, weights=weights, **with_weight)
        found[Kappa(weights=weights)] = np.nan if is_same else value
    for k in range(1, num_classes):
        first = np.argsort(-answer, axis=1, kind="stable")[:, :k]
        hits = (first == target[:, None]).any(axis=1)
        found[TopKAccuracy(k=k)] = np.average(hits, weights=weight)
        if len(np.unique(answer)) == answer.size:
            scores = answer[:, 1] if num_classes == 2 else answer
            value = sk.top_k_accuracy_score(target, scores, k=k, labels=classes, **with_weight)
            assert found[TopKAccuracy(k=k)] == pytest.approx(value, abs=1e-12)
    costs = np.array([[0 if t == a else 7 * t + a + 1 for a in classes] for t in classes], float)
    said_so = tuple(f"{t}>{a}={costs[t, a]}" for t in classes for a in classes)
    found[Cost(costs=said_so)] = np.average(costs[target, said], weights=weight)
    found[Cost()] = 1 - found[Accuracy()]
    stated, true = (answer[:, 1], target == 1) if num_classes == 2 else (answer.max(axis=1), said == target)
    return found | _calibration(stated, true, weight)


def _calibration(stated: np.ndarray, true: np.ndarray, weight: np.ndarray | None) -> Expected:
    """By the definition, row for row: weights repeat rows, bins are walked one after the other."""
    if weight is not None:
        stated, true = np.repeat(stated, weight.astype(int)), np.repeat(true, weight.astype(int))
    n, rising, found = len(stated), np.sort(stated), {}
    for bins in (1, 4, 15):
        width = [k / bins for k in range(1, bins)]
        mass = [rising[-(-k * n // bins) - 1] for k in range(1, bins)]
        for edges, inner in (("width", width), ("mass", mass)):
            place = np.searchsorted(inner, stated)
            gaps, squares = 0.0, 0.0
            for each in range(bins):
                p, y = stated[place == each], true[place == each]
                if len(p):
                    gaps += len(p) / n * abs(p.mean() - y.mean())
                if len(p) > 1:
                    squares += len(p) / n * ((p.mean() - y.mean()) ** 2 - y.mean() * (1 - y.mean()) / (len(p) - 1))
            found[CalibrationError(bins=bins, edges=edges)] = gaps
            found[CalibrationError(bins=bins, edges=edges, estimate="debiased")] = max(squares, 0.0) ** 0.5
    return found


def _area(area: Callable[..., float], positive: np.ndarray, score: np.ndarray, weight: np.ndarray | None) -> float:
    if not positive.any() or (area is sk.roc_auc_score and positive.all()):
        return np.nan
    return area(positive, score, sample_weight=weight)


def _mean_defined(values: list[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else np.nan


def _labels(seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    num_labels, n = int(rng.integers(2, 6)), int(rng.integers(1, 40))
    target = rng.random((n, num_labels)) < rng.random(num_labels)
    answer = np.clip(rng.random((n, num_labels)) * 0.8 + 0.3 * target, 0, 1)
    if seed % 5 == 1:
        answer = np.round(answer, 1)  # ties, and certain answers
    if seed % 7 == 2:
        target[:, 0] = False  # a label that never occurs
    if seed % 7 == 3:
        target[:, 0] = True
    if seed % 11 == 4:
        target[:] = False
        answer *= 0.4  # and none is answered
    if seed % 11 == 5:
        answer = target.astype(float)
    return target, answer, _weight(rng, seed, n)


def _of_labels(target: np.ndarray, answer: np.ndarray, weight: np.ndarray | None) -> Expected:
    said, with_weight = answer >= 0.5, {"sample_weight": weight}
    labels = np.arange(target.shape[1])
    found: Expected = {
        SubsetAccuracy(): sk.accuracy_score(target, said, **with_weight),
        HammingLoss(): sk.hamming_loss(target, said, **with_weight),
        LabelRankingPrecision(): sk.label_ranking_average_precision_score(target, answer, **with_weight),
        LogLoss(): np.mean(
            [sk.log_loss(target[:, c], answer[:, c], labels=[False, True], **with_weight) for c in labels]
        ),
        Brier(): np.average(np.square(answer - target).mean(axis=1), weights=weight),
    }
    present = (target | said).any(axis=0)
    rows = (target | said).any(axis=1)
    in_rows = {"sample_weight": None if weight is None else weight[rows]}
    for average in ("macro", "micro", "weighted", "samples"):
        options = {"average": average, "zero_division": 0}
        if average == "samples":
            values = [np.nan] * 3
            if rows.any():
                values = sk.precision_recall_fscore_support(target[rows], said[rows], **options, **in_rows)
        elif average == "micro":
            options["zero_division"] = np.nan
            values = sk.precision_recall_fscore_support(target, said, **options, **with_weight)
        elif not present.any() or (average == "weighted" and not target.any()):
            values = [np.nan] * 3
        else:
            of = np.flatnonzero(present)
            values = sk.precision_recall_fscore_support(target, said, labels=of, **options, **with_weight)
        for kind, value in zip((Precision, Recall, F1), values, strict=False):
            found[kind(average=average)] = value
    found |= {kind(): found[kind(average="macro")] for kind in (Precision, Recall, F1)}
    values = sk.precision_recall_fscore_support(target, said, zero_division=np.nan, **with_weight)
    for kind, of_label in zip((Precision, Recall, F1), values, strict=False):
        found[kind(average="positive", positive=0)] = of_label[0]
    for kind, area in ((Auc, sk.roc_auc_score), (AveragePrecision, sk.average_precision_score)):
        areas = [_area(area, target[:, c], answer[:, c], weight) for c in labels]
        found[kind()], found[kind(average="positive", positive=0)] = _mean_defined(areas), areas[0]
    each = None if weight is None else np.repeat(weight, len(labels))
    return found | _calibration(answer.ravel(), target.ravel(), each)


def _values(seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    target = rng.normal(size=n) * 10.0 ** rng.integers(-3, 4) + rng.choice([0.0, 100.0])
    answer = target + rng.normal(size=n) * 10.0 ** rng.integers(-3, 4)
    if seed % 5 == 1:
        target, answer = np.round(target), np.round(answer)  # ties and zeros
    if seed % 7 == 2:
        target = np.full(n, target[0])
    if seed % 11 == 3:
        answer = target.copy()
    if seed % 11 == 4:
        target, answer = np.zeros(n), np.zeros(n)
    return target, answer, _weight(rng, seed, n)


def _of_values(target: np.ndarray, answer: np.ndarray, weight: np.ndarray | None) -> Expected:
    given, errors = {"sample_weight": weight}, np.abs(target - answer)
    repeated = errors if weight is None else np.repeat(errors, weight.astype(int))
    size = np.abs(target) + np.abs(answer)
    is_flat = len(set(target)) == 1
    return {
        Mse(): sk.mean_squared_error(target, answer, **given),
        Rmse(): sk.root_mean_squared_error(target, answer, **given),
        Mae(): sk.mean_absolute_error(target, answer, **given),
        Mape(): sk.mean_absolute_percentage_error(target, answer, **given) if target.all() else np.nan,
        Smape(): np.average(np.divide(2 * errors, size, out=np.zeros(len(size)), where=size > 0), weights=weight),
        R2(): np.nan if is_flat else sk.r2_score(target, answer, **given),
        Pinball(): sk.mean_pinball_loss(target, answer, alpha=0.5, **given),
        Pinball(levels=(0.9,)): sk.mean_pinball_loss(target, answer, alpha=0.9, **given),
        MaxError(): sk.max_error(target, answer),
        MedianAbsoluteError(): np.median(repeated),
        Mase(naive_error=4.0): np.average(errors, weights=weight) / 4.0,
        Mase(naive_error=0.0): np.nan,
    }


def _ends(seed: int) -> Rows:
    target, answer, weight = _values(seed)
    half = np.random.default_rng((seed, 1)).gamma(1.0, 1.0, len(target)) * (seed % 13 != 0)
    return target, np.stack([answer - half, answer + half], axis=1), weight


def _of_ends(target: np.ndarray, answer: np.ndarray, weight: np.ndarray | None) -> Expected:
    low, high = answer.T
    ends = [sk.mean_pinball_loss(target, end, alpha=a, sample_weight=weight) for end, a in ((low, 0.1), (high, 0.9))]
    return {
        Coverage(): np.average((low <= target) & (target <= high), weights=weight),
        IntervalWidth(): np.average(high - low, weights=weight),
        Pinball(levels=(0.1, 0.9)): np.mean(ends),
    }


TABLE = {
    "classes": (_classes, _of_classes),
    "labels": (_labels, _of_labels),
    "values": (_values, _of_values),
    "intervals": (_ends, _of_ends),
}


@pytest.mark.parametrize("answers", TABLE)
def test_every_metric_equals_its_reference_on_200_inputs(answers: str):
    make, expect = TABLE[answers]
    for seed in range(NUM_INPUTS):
        target, answer, weight = make(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn's, of what is undefined
            expected = expect(target, answer, weight)
        for metric, value in expected.items():
            found = metric.value(target, answer, weight)
            near = pytest.approx(float(value), rel=1e-12, abs=1e-12, nan_ok=True)
            assert found == near, f"{metric.name} of {answers} {seed}: {found} instead of {value}"


def test_every_kind_has_its_reference():
    tested = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for make, expect in TABLE.values():
            tested |= {metric.kind for seed in range(8) for metric in expect(*make(seed))}
    assert tested == {kind for kind, part in Metric.kinds.items() if part.__module__.startswith("deepwright.")}


@pytest.mark.parametrize("answers", TABLE)
def test_many_weightings_at_once_are_each_alone(answers: str):
    make, expect = TABLE[answers]
    target, answer, _ = make(12)
    weights = np.random.default_rng(0).integers(0, 3, (5, len(target))).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metrics = list(expect(target, answer, None))
    for metric in metrics:
        alone = [metric.value(target, answer, weight) for weight in weights]
        np.testing.assert_allclose(metric.weigher(target, answer)(weights), alone, rtol=1e-12, atol=1e-12)
