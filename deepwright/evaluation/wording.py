"""The words and figures in which results are shown, on the page and in the terminal."""

import math
import statistics
from collections.abc import Iterable

from deepwright.core.report import Number, Report
from deepwright.core.text import language, text

METRICS = {
    "accuracy": "evaluate.metric_accuracy",
    "balanced_accuracy": "evaluate.metric_balanced_accuracy",
    "precision": "evaluate.metric_precision",
    "recall": "evaluate.metric_recall",
    "f1": "evaluate.metric_f1",
    "auc": "evaluate.metric_auc",
    "average_precision": "evaluate.metric_average_precision",
    "log_loss": "evaluate.metric_log_loss",
    "brier": "evaluate.metric_brier",
    "mse": "evaluate.metric_mse",
    "rmse": "evaluate.metric_rmse",
    "mae": "evaluate.metric_mae",
    "mape": "evaluate.metric_mape",
    "r2": "evaluate.metric_r2",
    "mcc": "evaluate.metric_mcc",
    "kappa": "evaluate.metric_kappa",
    "top_k_accuracy": "evaluate.metric_top_k_accuracy",
    "calibration_error": "evaluate.metric_calibration_error",
    "cost": "evaluate.metric_cost",
    "subset_accuracy": "evaluate.metric_subset_accuracy",
    "hamming_loss": "evaluate.metric_hamming_loss",
    "label_ranking_precision": "evaluate.metric_label_ranking_precision",
    "smape": "evaluate.metric_smape",
    "mase": "evaluate.metric_mase",
    "pinball": "evaluate.metric_pinball",
    "max_error": "evaluate.metric_max_error",
    "median_absolute_error": "evaluate.metric_median_absolute_error",
    "coverage": "evaluate.metric_coverage",
    "interval_width": "evaluate.metric_interval_width",
    "set_coverage": "evaluate.metric_set_coverage",
    "set_size": "evaluate.metric_set_size",
    "loss": "evaluate.metric_loss",
}
PARTS = {
    "train": "evaluate.part_train",
    "validation": "evaluate.part_validation",
    "calibration": "evaluate.part_calibration",
    "test": "evaluate.part_test",
}
METHODS = {
    "wilson": "evaluate.method_wilson",
    "bootstrap": "evaluate.method_bootstrap",
    "bootstrap_t": "evaluate.method_bootstrap_t",
    "bootstrap_groups": "evaluate.method_bootstrap_groups",
    "bootstrap_blocks": "evaluate.method_bootstrap_blocks",
    "normal": "evaluate.method_normal",
    "none": "evaluate.method_none",
}
SEVERITIES = {
    "blocking": "evaluate.severity_blocking",
    "warning": "evaluate.severity_warning",
    "note": "evaluate.severity_note",
}
UNDEFINED = "–"


def shown(value: float | None, width: float | None = None) -> str:
    """A figure with as many digits as an interval of this width supports; four significant ones without a width.

    >>> shown(0.871234, 0.0081), shown(51234.4, 2200.0), shown(0.5), shown(None)
    ('0.8712', '51234', '0.5000', '–')
    """
    if value is None or not math.isfinite(value):
        return UNDEFINED
    size = width if width else abs(value) / 100
    digits = 1 - math.floor(math.log10(size)) if size > 0 else 1
    if digits > 9:
        return f"{value:.3g}"
    written = f"{value:.{max(0, digits)}f}"
    return written.removeprefix("-") if float(written) == 0 else written


def width_of(numbers: Iterable[Number]) -> float | None:
    """The width that decides the digits of numbers that stand together: of the middle interval."""
    return middle_width((n.low, n.high) for n in numbers)


def middle_width(bounds: Iterable[tuple[float | None, float | None]]) -> float | None:
    """The median width of the intervals that have one."""
    widths = [high - low for low, high in bounds if low is not None and high is not None and high > low]
    return statistics.median_low(widths) if widths else None


def figure(number: Number, width: float | None) -> str:
    """`0.8712 (0.8671 to 0.8752)`."""
    return with_interval(number.value, number.low, number.high, width)


def with_interval(value: float | None, low: float | None, high: float | None, width: float | None = None) -> str:
    """A value with the ends of its interval, if it has one, with as many digits as a width supports; none: its own.

    >>> with_interval(0.87123, 0.8671, 0.8752), with_interval(0.5, None, None)
    ('0.8712 (0.8671 to 0.8752)', '0.5000')
    """
    if low is None or high is None:
        return shown(value, width)
    width = width if width is not None else high - low
    return text("evaluate.with_interval", value=shown(value, width), low=shown(low, width), high=shown(high, width))


def sentences(*words: str) -> str:
    """Sentences one after the other; Chinese ones have no space between them."""
    return ("" if language() == "zh" else " ").join(each for each in words if each)


def count(n: int) -> str:
    return f"{n:,}"


def metric_label(name: str) -> str:
    """A metric's name in the user's language; the name itself for a metric of the user's own."""
    kind, bracket, options = name.partition("(")
    return (text(METRICS[kind]) if kind in METRICS else kind) + (f" {bracket}{options}" if bracket else "")


def part_label(part: str) -> str:
    return text(PARTS[part])


def shown_part(report: Report) -> str:
    """The part that the report's headline is of: test once it was looked at, else validation."""
    return "test" if any(number.part == "test" for number in report.numbers) else "validation"


def seal_stamp(report: Report) -> str:
    """One phrase on the test part: still sealed, or how often it was looked at."""
    if shown_part(report) == "test":
        return text("evaluate.stamp_opened", looks=len(report.looks))
    if report.looks:
        return text("evaluate.stamp_sealed_looked", looks=len(report.looks))
    return text("evaluate.stamp_sealed")


def leaderboard(report: Report, part: str) -> list[Number]:
    """The main metric of every member on one part, best first; undefined values last."""
    numbers = [n for n in report.numbers if n.part == part and n.metric == report.metric]
    return sorted(numbers, key=lambda n: math.inf if n.value is None else -n.value if n.greater_is_better else n.value)
