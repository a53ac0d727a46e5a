"""What stands behind a member's numbers: confusions, curves, reliability, residuals; counts, never single rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deepwright.core.schema import Problem
from deepwright.evaluation.classify import F1
from deepwright.evaluation.counts import answered_labels
from deepwright.evaluation.decision import as_answer
from deepwright.evaluation.interval import Z, proportion

NUM_POINTS = 200
"""Points kept of a curve."""
NUM_BINS = 10
MAX_CLASSES = 50
"""Classes up to which the whole confusion matrix is kept."""
MAX_CONFUSED = 20
"""Pairs of most confused classes that are kept."""
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def evidence(
    target: np.ndarray,
    answer: np.ndarray,
    problem: Problem,
    levels: Sequence[str],
    decided: np.ndarray | None = None,
) -> dict[str, Any]:
    """Plain data of one member on one part. Shapes as in `Metric.value`; levels: the classes' names by number.

    decided: int64 [N], the classes answered, where that is not the most probable one, or bool [N, L] of labels.

    classification: n, positive (two classes), classes [{level, n, precision, recall, f1}] with each [value, low, high],
    confusion [[count]] (rows true, columns predicted; up to 50 classes), confused [[true, predicted, count]],
    roc [[false positive share, recall]], pr [[recall, precision]] and calibration [{predicted, observed, low, high,
    n}]. For more than two classes the curves are means of each class against the rest, and calibration is of the most
    probable class.

    multi-label: n, classes [{level, n, precision, recall, f1}] and calibration of all labels together.

    regression: n, residuals (true - predicted: mean, sd, quantiles, histogram), by_prediction [{predicted, mean, low,
    high, n}] and density (counts over predicted x true).
    """
    if problem == "regression":
        return _regression(np.asarray(target, np.float64), np.asarray(answer, np.float64))
    if problem == "multi-label":
        return _of_labels(target > 0, answer, answered_labels(answer) if decided is None else decided, levels)
    decided = answer.argmax(axis=1) if decided is None else decided
    return _classification(np.asarray(target, np.int64), np.asarray(answer, np.float64), decided, levels)


def _classification(
    target: np.ndarray, answer: np.ndarray, predicted: np.ndarray, levels: Sequence[str]
) -> dict[str, Any]:
    num_classes = answer.shape[1]
    confusion = np.bincount(target * num_classes + predicted, minlength=num_classes**2)
    confusion = confusion.reshape(num_classes, num_classes)
    roc, pr = _curves(target, answer)
    found: dict[str, Any] = {
        "n": len(target),
        "classes": [_class_figures(target, predicted, number, level) for number, level in enumerate(levels)],
        "confused": _most_confused(confusion, levels),
        "roc": roc,
        "pr": pr,
    }
    if num_classes == 2:
        found["positive"] = levels[1]
        found["calibration"] = _reliability(answer[:, 1], target == 1)
    else:
        found["calibration"] = _reliability(answer.max(axis=1), predicted == target)
    if num_classes <= MAX_CLASSES:
        found["confusion"] = confusion.tolist()
    return found


def _of_labels(target: np.ndarray, answer: np.ndarray, said: np.ndarray, levels: Sequence[str]) -> dict[str, Any]:
    return {
        "n": len(target),
        "classes": [
            _class_figures(target[:, number].astype(np.int64), said[:, number].astype(np.int64), 1, level)
            for number, level in enumerate(levels)
        ],
        "calibration": _reliability(answer.ravel(), target.ravel()),
    }


def _class_figures(target: np.ndarray, answered: np.ndarray, number: int, level: str) -> dict[str, Any]:
    is_class, is_answer = target == number, answered == number
    found, true, predicted = int((is_class & is_answer).sum()), int(is_class.sum()), int(is_answer.sum())
    f1, of_class = F1(average="positive"), as_answer(is_answer.astype(np.int64), 2)
    f1_bounds = f1.exact(is_class.astype(np.int64), of_class)
    return {
        "level": level,
        "n": true,
        "precision": [found / predicted, *proportion(found, predicted)] if predicted else None,
        "recall": [found / true, *proportion(found, true)] if true else None,
        "f1": [f1.value(is_class.astype(np.int64), of_class), *f1_bounds] if f1_bounds else None,
    }


def _most_confused(confusion: np.ndarray, levels: Sequence[str]) -> list[list[Any]]:
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MAX_CONFUSED]
    pairs = [divmod(int(place), len(levels)) for place in order]
    return [[levels[true], levels[said], int(wrong[true, said])] for true, said in pairs if wrong[true, said]]


def _curves(target: np.ndarray, answer: np.ndarray) -> tuple[list[list[float]], list[list[float]]]:
    """ROC and precision-recall points; for more than two classes the mean over one-against-the-rest curves."""
    classes = [1] if answer.shape[1] == 2 else range(answer.shape[1])
    defined = [c for c in classes if 0 < (target == c).sum() < len(target)]
    if not defined:
        return [], []
    curves = [_curve(target == c, answer[:, c]) for c in defined]
    if len(classes) == 1:
        wrong, recall, precision = curves[0]
        return _thinned(wrong, recall), _thinned(np.append(0, recall[1:]), precision)
    grid = np.linspace(0, 1, 101)
    roc = np.mean([np.interp(grid, wrong, recall) for wrong, recall, _ in curves], axis=0)
    # The precision at a recall is the one of the first threshold that reaches it.
    pr = np.mean([p[np.minimum(np.searchsorted(r, grid), len(r) - 1)] for _, r, p in curves], axis=0)
    return _points(grid, roc), _points(grid, pr)


def _curve(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """False positive share, recall and precision at each distinct threshold, beginning with none predicted."""
    order = np.argsort(-score, kind="stable")
    in_order = score[order]
    ends = np.flatnonzero(np.append(in_order[1:] != in_order[:-1], True))
    true = np.cumsum(positive[order])[ends]
    predicted = ends + 1
    wrong = (predicted - true) / max(1, (~positive).sum())
    precision = true / predicted
    return np.append(0, wrong), np.append(0, true / positive.sum()), np.append(precision[0], precision)


def _thinned(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """At most NUM_POINTS of a curve, evenly along its length, both ends kept."""
    if len(x) > NUM_POINTS:
        way = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        places = np.searchsorted(way, np.linspace(0, way[-1], NUM_POINTS))
        kept = np.unique(np.append(np.minimum(places, len(x) - 1), [0, len(x) - 1]))[:NUM_POINTS]
        kept[-1] = len(x) - 1
        x, y = x[kept], y[kept]
    return _points(x, y)


def _points(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    return [[round(float(a), 6), round(float(b), 6)] for a, b in zip(x, y, strict=True)]


def _reliability(probability: np.ndarray, happened: np.ndarray) -> list[dict[str, Any]]:
    """Mean predicted probability against the share that happened, in bins of equal size."""
    bins = []
    for rows in _equal_bins(probability):
        count, n = int(happened[rows].sum()), len(rows)
        low, high = proportion(count, n)
        predicted = float(probability[rows].mean())
        bins.append({"predicted": predicted, "observed": count / n, "low": low, "high": high, "n": n})
    return bins


def _equal_bins(values: np.ndarray) -> list[np.ndarray]:
    """Row numbers in at most NUM_BINS bins of nearly equal size; equal values share a bin."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, NUM_BINS + 1)[1:-1]))
    number = np.searchsorted(edges, values, side="right")
    return [rows for b in range(len(edges) + 1) if len(rows := np.flatnonzero(number == b))]


def _regression(target: np.ndarray, answer: np.ndarray) -> dict[str, Any]:
    residuals = target - answer
    low, high = np.quantile(residuals, (0.005, 0.995))
    counts, edges = np.histogram(residuals, bins=_num_bins(len(target)), range=_wide(low, high))
    return {
        "n": len(target),
        "residuals": {
            "mean": float(residuals.mean()),
            "sd": float(residuals.std(ddof=1)) if len(residuals) > 1 else None,
            "quantiles": {str(q): float(v) for q, v in zip(QUANTILES, np.quantile(residuals, QUANTILES), strict=True)},
            "histogram": {
                "edges": edges.tolist(),
                "counts": counts.tolist(),
                "outside": len(target) - int(counts.sum()),
            },
        },
        "by_prediction": _residuals_by_prediction(answer, residuals),
        "density": _density(target, answer),
    }


def _residuals_by_prediction(answer: np.ndarray, residuals: np.ndarray) -> list[dict[str, Any]]:
    bins = []
    for rows in _equal_bins(answer):
        mean, n = float(residuals[rows].mean()), len(rows)
        half = float(Z * residuals[rows].std(ddof=1) / np.sqrt(n)) if n > 1 else None
        low, high = (mean - half, mean + half) if half is not None else (None, None)
        bins.append({"predicted": float(answer[rows].mean()), "mean": mean, "low": low, "high": high, "n": n})
    return bins


def _density(target: np.ndarray, answer: np.ndarray) -> dict[str, Any]:
    """Counts of rows over a square grid of predicted (first axis) and true values, on one common scale."""
    low, high = np.quantile(np.concatenate([target, answer]), (0.005, 0.995))
    edges = np.linspace(*_wide(low, high), _num_bins(len(target)) + 1)
    counts, _, _ = np.histogram2d(answer, target, bins=(edges, edges))
    counts = counts.astype(int)
    return {"edges": edges.tolist(), "counts": counts.tolist(), "outside": len(target) - int(counts.sum())}


def _num_bins(n: int) -> int:
    """Bins along one axis: more rows carry a finer picture."""
    return int(min(30, max(6, 1.4 * n**0.5)))


def _wide(low: float, high: float) -> tuple[float, float]:
    """A range that has a width."""
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(high) + 0.5)
