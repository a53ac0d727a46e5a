"""Charts of a report as inline SVG: curves over epochs, ROC, precision-recall, reliability, residuals, intervals."""

import math
from collections.abc import Sequence
from typing import Any

from deepwright.core.report import Number
from deepwright.core.text import text
from deepwright.evaluation.axes import Axes, padded
from deepwright.evaluation.markup import Markup, join, tag
from deepwright.evaluation.wording import metric_label, shown


def learning_curve(history: Sequence[dict[str, Any]], metric: str, best_epoch: int | None) -> Markup | None:
    """A metric (or the loss) per epoch on train and validation, the best epoch marked; None without two epochs."""
    lines = {part: _over_epochs(history, part, metric) for part in ("train", "validation")}
    values = [value for points in lines.values() for _, value in points]
    if max(len(points) for points in lines.values()) < 2:
        return None
    epochs = [record["epoch"] for record in history]
    axes = Axes((min(epochs), max(epochs)), padded(min(values), max(values)), counts_x=True)
    marks = [axes.path(points, f"line {part}") for part, points in lines.items() if len(points) > 1]
    best = None if best_epoch is None else dict(lines["validation"]).get(best_epoch)
    if best_epoch is not None and best is not None:
        marks += [axes.upright(best_epoch, *axes.y, "mark"), axes.dot(best_epoch, best, "point validation", radius=4)]
    return axes.draw(metric_label(metric), text("evaluate.axis_epoch"), metric_label(metric), *marks)


def best_epoch_of(history: Sequence[dict[str, Any]], metric: str, greater_is_better: bool) -> int | None:
    """The epoch with the best validation value of the metric (of the loss, where the metric was not recorded)."""
    for name, sign in ((metric, -1 if greater_is_better else 1), ("loss", 1)):
        points = _over_epochs(history, "validation", name)
        if points:
            return int(min(points, key=lambda point: sign * point[1])[0])
    return None


def roc(found: dict[str, Any]) -> Markup | None:
    """The ROC curve above the diagonal of a guess."""
    if not found.get("roc"):
        return None
    axes = Axes((0, 1), (0, 1))
    marks = axes.path([(0, 0), (1, 1)], "line guess"), axes.path(found["roc"], "line member")
    return axes.draw(text("evaluate.roc"), text("evaluate.axis_false_positive"), text("evaluate.axis_recall"), *marks)


def precision_recall(found: dict[str, Any]) -> Markup | None:
    if not found.get("pr"):
        return None
    axes = Axes((0, 1), (0, 1))
    curve = axes.path(found["pr"], "line member")
    return axes.draw(text("evaluate.pr"), text("evaluate.axis_recall"), text("evaluate.axis_precision"), curve)


def reliability(found: dict[str, Any]) -> Markup | None:
    """Predicted probability against what happened, with intervals; the diagonal is a reliable model."""
    bins = found.get("calibration")
    if not bins:
        return None
    axes = Axes((0, 1), (0, 1))
    marks = [axes.path([(0, 0), (1, 1)], "line guess")]
    marks += [axes.upright(b["predicted"], b["low"], b["high"], "whisker") for b in bins]
    marks += [axes.dot(b["predicted"], b["observed"], "point member") for b in bins]
    labels = text("evaluate.axis_predicted_probability"), text("evaluate.axis_observed_share")
    return axes.draw(text("evaluate.reliability"), *labels, *marks)


def residual_histogram(found: dict[str, Any]) -> Markup:
    histogram = found["residuals"]["histogram"]
    edges, counts = histogram["edges"], histogram["counts"]
    axes = Axes((edges[0], edges[-1]), (0, max(counts) * 1.05 or 1))
    bars = [axes.box((edges[i], edges[i + 1]), (0, n), "bar") for i, n in enumerate(counts) if n]
    zero = axes.upright(0, *axes.y, "mark") if edges[0] < 0 < edges[-1] else None
    labels = text("evaluate.axis_residual"), text("evaluate.axis_rows")
    return axes.draw(text("evaluate.residuals"), *labels, bars, zero)


def residuals_by_prediction(found: dict[str, Any]) -> Markup:
    """The mean residual over bins of predictions with its interval; a faithful model stays around 0."""
    bins = found["by_prediction"]
    centres = [b["predicted"] for b in bins]
    ends = [end for b in bins for end in (b["low"], b["high"], b["mean"]) if end is not None]
    axes = Axes(padded(min(centres), max(centres)), padded(min(0.0, *ends), max(0.0, *ends)))
    marks = [axes.path([(axes.x[0], 0), (axes.x[1], 0)], "line guess")]
    marks += [axes.upright(b["predicted"], b["low"], b["high"], "whisker") for b in bins if b["low"] is not None]
    marks += [axes.dot(b["predicted"], b["mean"], "point member") for b in bins]
    labels = text("evaluate.axis_predicted"), text("evaluate.axis_mean_residual")
    return axes.draw(text("evaluate.residuals_by_prediction"), *labels, *marks)


def predicted_against_true(found: dict[str, Any]) -> Markup:
    """How many rows lie where, over predicted and true values; the diagonal is a perfect model."""
    edges, counts = found["density"]["edges"], found["density"]["counts"]
    most = max(max(row) for row in counts)
    axes = Axes((edges[0], edges[-1]), (edges[0], edges[-1]))
    cells = [
        axes.box((edges[i], edges[i + 1]), (edges[j], edges[j + 1]), f"cell s{shade(n / most)}")
        for i, row in enumerate(counts)
        for j, n in enumerate(row)
        if n
    ]
    diagonal = axes.path([(edges[0], edges[0]), (edges[-1], edges[-1])], "line guess")
    labels = text("evaluate.axis_predicted"), text("evaluate.axis_true")
    return axes.draw(text("evaluate.predicted_against_true"), *labels, cells, diagonal)


def figure(chart: Markup | None, title: str, note: str | None = None) -> Markup | None:
    """A chart under its title; None where there is nothing to draw."""
    if chart is None:
        return None
    caption = tag("figcaption", note) if note else None
    return tag("figure", tag("strong", title), chart, caption)


def whisker(number: Number, span: tuple[float, float]) -> Markup:
    """One member's value and interval as a dot on a line, on the scale `span` that all rows share."""
    if number.value is None:
        return tag("svg", class_="whisker")
    title = tag("title", f"{number.member}: {shown(number.value)}")
    if not span[0] <= number.value <= span[1]:
        arrow, side = ("◂", "0%") if number.value < span[0] else ("▸", "97%")
        return tag("svg", title, tag("text", arrow, x=side, y="75%", class_="beyond"), class_="whisker", role="img")

    def place(value: float) -> str:
        return f"{round(2 + 96 * (value - span[0]) / (span[1] - span[0]), 2)}%"

    marks = []
    if number.low is not None and number.high is not None:
        ends = {"x1": place(number.low), "x2": place(number.high)}
        marks.append(tag("line", y1="50%", y2="50%", class_="interval", **ends))
        marks += [tag("line", x1=x, x2=x, y1="25%", y2="75%", class_="interval") for x in ends.values()]
    marks.append(tag("circle", cx=place(number.value), cy="50%", r=5, class_="dot"))
    return tag("svg", title, join(*marks), class_="whisker", role="img")


def span_of(leaderboard: Sequence[Number]) -> tuple[float, float]:
    """The range to draw members in, best first; those far behind, that would squeeze the others, are left beyond it."""
    kept = [n for n in leaderboard if n.value is not None]
    if not kept:
        return 0.0, 1.0
    while len(kept) > 2 and _width(kept[:-1]) < _width(kept) / 3:
        kept = kept[:-1]
    return padded(*_ends(kept))


def _width(numbers: Sequence[Number]) -> float:
    low, high = _ends(numbers)
    return high - low


def _ends(numbers: Sequence[Number]) -> tuple[float, float]:
    ends = [end for n in numbers for end in (n.value, n.low, n.high) if end is not None]
    return min(ends), max(ends)


def shade(share: float) -> int:
    """A step from 0 (nothing) to 9 (everything); small shares stay visible."""
    return 0 if share <= 0 else max(1, min(9, math.ceil(math.sqrt(share) * 9)))


def _over_epochs(history: Sequence[dict[str, Any]], part: str, metric: str) -> list[tuple[float, float]]:
    records = ((record["epoch"], (record.get(part) or {}).get(metric)) for record in history)
    return [(epoch, float(value)) for epoch, value in records if value is not None and math.isfinite(value)]
