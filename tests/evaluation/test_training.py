"""The section on training: how it ended, what it ran on, where the time went."""

import re
from html import unescape

import pytest

from deepwright.core.report import Report
from deepwright.evaluation.lines import summary_lines
from deepwright.evaluation.page import render
from deepwright.evaluation.training import spent_shares, training_section
from tests.evaluation import samples

PLANNED = {
    "event": "planned", "precision": "medium", "channels_last": False, "bf16": True, "gain": 1.4321, "error": 4e-7,
    "bf16_gap": 0.0012, "seconds": 0.42,
    "refused": [{"way": "channels_last", "why": "train.left.not_faster", "found": "0.97"}],
}  # fmt: skip
NOTES = {
    "stopped": "patience",
    "best_epoch": 4,
    "epochs": 40,
    "threads": 1,
    "speed": {"precision": "medium", "channels_last": False, "bf16": True},
    "speed_asked": "auto",
    "spent_s": {"update": 1.0, "data": 0.5, "forward": 3.0, "backward": 4.0},
    "seconds": 10.0,
    "steps": 1488,
    "weights": 78_099,
    "memory_peak_bytes": 512 << 20,
    "events": [PLANNED],
}
NAN = {
    "event": "nonfinite", "step": 7, "epoch": 1, "phase": "", "what": "gradient", "layer": "stack.0.weight",
    "rows": [3, 9], "attempt": 1, "lr_scale": 0.5,
}  # fmt: skip


def trained(**changes) -> Report:
    report = samples.binary()
    network = {**NOTES, **changes}
    return Report.model_validate(
        {**report.model_dump(), "environment": {**report.environment, "network": network}, "findings": []}
    )


def words(report: Report) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", training_section(report) or "")).split())


@pytest.mark.parametrize(
    ("stopped", "said"),
    [
        ("patience", "It stopped after 12 of at most 40 epochs, since validation had not become better"),
        ("budget", "It stopped after 12 of at most 40 epochs, since the time budget was spent."),
        ("epochs", "All 12 epochs are done."),
    ],
)
def test_the_ending_says_why_and_which_epoch_is_kept(stopped, said):
    assert said in words(trained(stopped=stopped))
    assert "Epoch 4 is kept, the best on validation (accuracy)." in words(trained(stopped=stopped))


def test_the_kept_epoch_is_told_with_the_value_that_was_watched():
    assert "Epoch 4 is kept, the best on validation (log loss)." in words(trained(watch="log_loss"))


def test_a_plan_that_was_measured_before_says_on_which_day():
    shown = words(trained(events=[], speed_measured="2026-11-21"))
    assert "as measured here on 2026-11-21 for the same recipe and rows" in shown
    assert "taken over from the run before" in words(trained(events=[], speed_measured=None))


def test_a_measured_plan_stands_with_gain_checks_and_what_was_left():
    shown = words(trained())
    assert "float32 products by torch's setting “medium” · bfloat16 in the passes" in shown
    assert "measured in 0.4 s at the start, a pass is 1.43 times as fast as torch's own way" in shown
    assert "channels_last: 0.97 times as fast" in shown
    assert "78,099 weights, 1,488 steps" in shown and "512 MiB at most" in shown


def test_the_checks_of_a_plan_name_the_error_and_the_gap_of_bfloat16():
    shown = words(trained())
    assert "float32 products err by 4e-07 of the largest value." in shown
    assert "With bfloat16 the loss after 8 steps is off by 1.2e-03 of itself." in shown
    assert "bfloat16 the loss" not in words(trained(events=[{**PLANNED, "bf16_gap": None}]))


def test_a_plan_that_was_not_measured_says_where_it_is_from():
    assert "taken over from the run before" in words(trained(events=[]))
    assert "train.speed is exact" in words(trained(events=[], speed_asked="exact"))


def test_shares_of_time_add_up_and_what_no_phase_counts_is_the_rest():
    shares = spent_shares(NOTES)
    assert list(shares) == ["data", "forward", "backward", "update", "rest"]
    assert shares["rest"] == (1.5, 0.15)
    assert sum(share for _, share in shares.values()) == pytest.approx(1.0)
    assert "Where the 10.0 s went" in words(trained()) and "40%" in words(trained())


@pytest.mark.parametrize("notes", [{}, {"spent_s": {"data": 0.0}, "seconds": 0.0}])
def test_a_training_without_times_has_no_shares(notes):
    assert spent_shares(notes) == {}


def test_what_happened_on_the_way_is_told():
    shrunk = {"event": "shrunk", "step": 3, "micro_batch": 64}
    resumed = {"event": "resumed", "epoch": 2, "step": 30, "refused": [], "changes": ["threads: 2 > 1"]}
    shown = words(trained(events=[PLANNED, NAN, shrunk, resumed]))
    for part in (
        "'stack.0.weight' (training rows 3, 9)",
        "64 rows at a time",
        "resumed after epoch 2",
        "threads: 2 > 1",
    ):
        assert part in shown
    assert "incidents" not in (training_section(trained()) or "")


def test_the_kept_epoch_of_the_curves_is_the_one_that_training_kept():
    assert "epoch 4, whose weights are kept" in words(trained())
    section = training_section(trained()) or ""
    assert section.count('class="point validation"') == 2


def test_the_terminal_has_the_same_in_three_lines():
    lines = summary_lines(trained())
    start = next(i for i, line in enumerate(lines) if line.startswith("training of the network: It stopped after 12"))
    assert lines[start + 1].strip() == (
        "time: batches 5%, forward pass 30%, backward pass 40%, update of weights 10%, everything else 15%"
    )
    assert lines[start + 2].startswith("  speed plan: float32 products by torch's setting “medium”")


def test_a_report_of_an_older_version_shows_what_it_has():
    old = {"stopped": "epochs", "best_epoch": None, "threads": 2}
    report = samples.binary()
    report = Report.model_validate({**report.model_dump(), "environment": {**report.environment, "network": old}})
    assert "All 12 epochs are done." in words(report)
    assert "CPU threads 2" in words(report) and "Where the" not in words(report)


def test_the_record_does_not_say_it_twice():
    assert "network.spent_s" not in render(trained(), next_commands=[])


def test_in_chinese_no_english_word_of_ours_is_left(monkeypatch):
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    shown = words(trained(events=[{**PLANNED, "refused": []}]))
    assert "保留第 4 轮" in shown and "用在哪里" in shown
    assert not re.search(r"\b(epoch|pass|weights|time|speed plan|memory)\b", shown.replace("train.speed", ""))
