import pytest

from deepwright.train.columns import head, row, short
from deepwright.train.events import Epoch


def epoch(number=3, value=0.61234, names=("loss", "accuracy"), is_best=False, num_epochs=40):
    train, validation = dict.fromkeys(names, 0.4), dict.fromkeys(names, value)
    return Epoch(number, num_epochs, 10, 1.0, 75.0, 1e-3, 0.5, train, validation, is_best)


def test_a_table_has_a_head_and_one_line_per_epoch():
    legend, *lines = [*head(epoch()).splitlines(), row(epoch(is_best=True), "1 min 15 s"), row(epoch(12), "7.4 s")]
    assert legend == "values: training / validation, or validation alone; * is the best so far"
    assert lines == [
        "epoch                  loss           accuracy  left",
        " 3/40  *    0.4000 / 0.6123    0.4000 / 0.6123  1 min 15 s",
        "12/40       0.4000 / 0.6123    0.4000 / 0.6123  7.4 s",
    ]


@pytest.mark.parametrize("value", [0.5, -1761.5, 1e-9, 12345.6, -3e20, float("nan"), 0.0])
@pytest.mark.parametrize(
    "names",
    [
        ("loss",), ("loss", "accuracy", "log_loss"), ("loss", "accuracy", "balanced_accuracy"), ("loss", "rmse", "r2"),
        ("loss", "accuracy", "log_loss", "recall"), ("loss", "a", "b", "c", "d"),
    ],
)  # fmt: skip
def test_usual_metrics_fit_into_80_columns_under_their_names(names, value):
    lines = [*head(epoch(names=names)).splitlines(), row(epoch(names=names, value=value), "10 min 15 s")]
    assert max(map(len, lines)) <= 80
    ends = [lines[1].index(f" {name} ") + len(name) for name in names]
    assert all(lines[2][end].strip() and lines[2][end + 1 : end + 3] == "  " for end in ends)


def test_metrics_that_do_not_fit_show_validation_alone():
    names = ("loss", "accuracy", "log_loss", "recall")
    assert row(epoch(names=names), "7 s").count(" / ") == 1


def test_without_validation_the_head_says_so():
    alone = Epoch(1, 2, 10, 1.0, 75.0, 1e-3, 0.5, {}, {}, False)
    assert head(alone).splitlines()[0] == "values: training"
    assert row(alone, "7 s").split() == ["1/2", "0.5000", "7", "s"]


def test_chinese_heads_stand_over_their_columns(monkeypatch):
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    legend, names = head(epoch()).splitlines()
    assert legend == "数值：训练 / 验证，或仅验证；* 为目前最佳"
    assert names == " 轮次                  loss           accuracy  剩余"  # two letters of two cells each


def test_a_number_below_the_smallest_shown_keeps_its_digits():
    assert (short(0.00123456), short(0.00099), short(1e6), short(-12.3456), short(float("-inf"))) == (
        "0.0012",
        "9.9e-04",
        "1.0e+06",
        "-12.35",
        "-inf",
    )
