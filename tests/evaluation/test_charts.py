"""Charts: what is drawn where."""

import re

import pytest

from deepwright.core.report import Number
from deepwright.evaluation import charts
from deepwright.evaluation.axes import Axes, padded, tick_text, ticks_of


def _number(member: str, value: float | None, half: float = 0.01) -> Number:
    bounds = (None, None) if value is None else (value - half, value + half)
    return Number(
        metric="accuracy", value=value, low=bounds[0], high=bounds[1], n=100, part="validation", member=member,
        greater_is_better=True, method="wilson",
    )  # fmt: skip


HISTORY = [
    {"epoch": e, "train": {"loss": 1 / e, "accuracy": 0.8 + e / 100}, "validation": {"loss": v, "accuracy": a}}
    for e, v, a in ((1, 1.0, 0.7), (2, 0.5, 0.9), (3, 0.6, 0.9), (4, None, 0.8))
]


def test_the_best_epoch_is_the_first_with_the_best_value_and_falls_back_to_the_loss():
    assert charts.best_epoch_of(HISTORY, "accuracy", True) == 2
    assert charts.best_epoch_of(HISTORY, "auc", True) == 2
    assert charts.best_epoch_of(HISTORY, "accuracy", False) == 1
    assert charts.best_epoch_of([], "accuracy", True) is None


def test_learning_curves_draw_both_parts_and_mark_the_best_epoch():
    chart = charts.learning_curve(HISTORY, "accuracy", 2)
    assert len(re.findall('class="line (train|validation)"', chart)) == 2
    assert chart.count('class="mark"') == 1


def test_an_epoch_without_a_finite_value_is_left_out():
    chart = charts.learning_curve(HISTORY, "loss", 2)
    points = re.search('<polyline points="([^"]*)" class="line validation"', chart)
    assert len(points.group(1).split()) == 3


def test_one_epoch_is_no_curve():
    assert charts.learning_curve(HISTORY[:1], "loss", 1) is None


def test_whiskers_share_one_scale():
    span = charts.span_of([_number("a", 0.9), _number("b", 0.8)])
    places = [float(re.search(r'cx="([\d.]+)%"', charts.whisker(_number("x", v), span)).group(1)) for v in (0.8, 0.9)]
    assert 0 < places[0] < places[1] < 100


def test_a_member_far_behind_is_drawn_as_an_arrow_so_that_the_others_can_be_told_apart():
    board = [_number("a", 0.92), _number("b", 0.91), _number("constant", 0.1)]
    span = charts.span_of(board)
    assert span[0] > 0.85
    assert "◂" in charts.whisker(board[2], span)
    assert "circle" in charts.whisker(board[1], span)


def test_an_undefined_member_has_an_empty_row():
    assert "circle" not in charts.whisker(_number("a", None), charts.span_of([_number("a", None)]))


def test_small_shares_stay_visible_and_whole_ones_are_darkest():
    assert [charts.shade(share) for share in (0, 0.0001, 0.5, 1)] == [0, 1, 7, 9]


def test_axes_put_low_values_left_and_at_the_bottom():
    axes = Axes((0, 10), (-1, 1))
    assert axes.across(0) < axes.across(10)
    assert axes.up(-1) > axes.up(1)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-3, 4), (0.8431, 0.8442), (1e-9, 3e-9), (0, 4_000_000), (99_990, 100_010), (-5, -4.9)]
)
def test_ticks_lie_inside_are_few_and_are_told_apart(low: float, high: float):
    ticks = ticks_of(low, high)
    assert 3 <= len(ticks) <= 11
    assert all(low - 1e-12 <= tick <= high + 1e-12 for tick in ticks)
    assert len({tick_text(tick, ticks) for tick in ticks}) == len(ticks)


def test_a_padded_range_is_never_empty():
    assert all(low < high for low, high in (padded(1, 1), padded(0, 0), padded(-2, 5)))
