"""Words and figures: digits follow the interval."""

import pytest

from deepwright.evaluation.wording import UNDEFINED, figure, leaderboard, metric_label, shown, width_of
from tests.evaluation import samples


@pytest.mark.parametrize(
    ("value", "width", "expected"),
    [
        (0.123456, 0.02, "0.123"),
        (0.123456, 0.0004, "0.12346"),
        (1234.5678, 150.0, "1235"),
        (1234.5678, 2.0, "1234.6"),
        (0.5, 0.0, "0.5000"),
        (-0.00001, 0.011, "0.000"),
        (1.5e-12, 1e-13, "1.5e-12"),
        (0.0, None, "0.0"),
        (None, 0.1, UNDEFINED),
        (float("nan"), 0.1, UNDEFINED),
    ],
)
def test_a_figure_has_the_digits_that_its_interval_supports(value: float | None, width: float | None, expected: str):
    assert shown(value, width) == expected


def test_numbers_that_stand_together_have_equally_many_digits():
    board = leaderboard(samples.binary(), "test")
    digits = {len(figure(number, width_of(board)).split()[0].partition(".")[2]) for number in board}
    assert len(digits) == 1


def test_the_leaderboard_is_best_first_whichever_way_is_better():
    highest = [number.value for number in leaderboard(samples.many(), "validation")]
    lowest = [number.value for number in leaderboard(samples.regression(), "validation")]
    assert highest == sorted(highest, reverse=True)
    assert lowest == sorted(lowest)


def test_a_metric_with_options_keeps_them_in_its_label():
    assert metric_label("balanced_accuracy") == "balanced accuracy"
    assert metric_label("f1(average=macro)") == "F1 (average=macro)"
    assert metric_label("my_cost") == "my_cost"
