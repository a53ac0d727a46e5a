import errno
import io
import json
import os
import re

import pytest

from deepwright.core.errors import ResourceError
from deepwright.train import watch
from deepwright.train.events import Epoch, NonFinite, Resumed, Started, Step, Stopped
from deepwright.train.loop import fit
from deepwright.train.watch import duration, line, live, record

STARTED = Started(num_epochs=40, num_steps=400, num_parameters=12_345, threads=1, device="cpu")
STOPPED = Stopped("patience", epochs=12, steps=120, best_epoch=4, seconds=75.0, digest="0" * 64)


def epoch(number, is_best=False):
    return Epoch(
        epoch=number, num_epochs=40, step=number * 10, seconds=1.0, eta_s=75.0, lr=1e-3, running_loss=0.5,
        train={"loss": 0.4, "accuracy": 0.99}, validation={"loss": 0.61234, "accuracy": 0.98765}, is_best=is_best,
    )  # fmt: skip


def test_lines_are_in_chinese_where_that_is_the_language(monkeypatch):
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    assert line(STOPPED) == "12 轮后停止，用时 1 分 15 秒：在耐心范围内验证值没有改善；最佳轮 4"


def test_the_end_says_why_and_which_epoch_was_best():
    assert line(STOPPED) == (
        "stopped after 12 epochs, 1 min 15 s: no better validation value for as long as patience allows; best epoch 4"
    )


def test_a_nan_is_told_with_layer_and_rows():
    told = line(NonFinite(7, 1, "train", "gradient", "stack.0.weight", (3, 9), 1, 0.5))
    assert told == (
        "step 7: a NaN or an infinity in the gradient of 'stack.0.weight' (training rows 3, 9); "
        "back to the start of the epoch, rate times 0.5"
    )


def test_a_resume_tells_damaged_files_and_changes():
    told = line(Resumed(2, 30, ("000009.json",), ("threads: 2 > 1",)))
    assert told == (
        "resumed after epoch 2, step 30. Damaged and passed over: 000009.json. "
        "Not as before, so the bits may differ: threads: 2 > 1."
    )


def test_steps_need_no_line():
    assert line(Step(1, 1, 1, 1, 0.5)) is None


def test_durations_read_well():
    assert [duration(s) for s in (0.04, 59.94, 61, 3599, 7322)] == [
        "0.0 s", "59.9 s", "1 min 01 s", "59 min 59 s", "2 h 02 min"
    ]  # fmt: skip


def test_without_a_terminal_lines_come_at_most_four_a_second_and_the_last_is_told(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    for event in live([STARTED, *(epoch(n, is_best=n == 4) for n in range(1, 13)), STOPPED], out):
        now[0] += 0.05 if isinstance(event, Epoch) else 1.0
    told = out.getvalue().splitlines()
    assert told[0].startswith("training 12,345 weights") and told[2].split() == ["epoch", "loss", "accuracy", "left"]
    assert [row.split()[0] for row in told[3:-1]] == ["1/40", "4/40", "9/40", "12/40"]
    assert told[-1].startswith("stopped after 12 epochs")


@pytest.mark.parametrize(
    ("step_s", "told"),
    [(1.0, ["about 6 min 37 s of steps at 1.0 a second, if every epoch is done"]), (0.1, [])],
    ids=["a long epoch", "an epoch soon over"],
)
def test_what_a_training_will_take_is_said_early_in_a_long_first_epoch_alone(monkeypatch, step_s, told):
    now = [0.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    steps = [Step(number, 1 + number // 100, 1 + number % 100, 100, 0.5) for number in range(200)]
    for event in live([STARTED, *steps[:100], epoch(1), *steps[100:], STOPPED], out):
        now[0] += step_s if isinstance(event, Step) else 0.0
    assert [said for said in out.getvalue().splitlines() if said.startswith("about")] == told


def test_a_training_that_goes_back_is_foreseen_from_its_new_steps(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
    out, back = io.StringIO(), NonFinite(3, 1, "train", "loss", "", (), 1, 0.5)
    steps = [Step(number, 1, number, 100, 0.5) for number in range(1, 7)]
    for _ in live([STARTED, *steps[:3], back, *steps, STOPPED], out):
        now[0] += 2.0
    assert "about 13 min 14 s of steps at 0.5 a second" in out.getvalue()


def test_lines_for_a_pipe_hold_nothing_but_text(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = io.StringIO()
    list(live([STARTED, epoch(1), STOPPED], out))
    assert "\x1b" not in out.getvalue() and "\r" not in out.getvalue()


def test_no_line_has_a_colour_where_none_is_wanted(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    list(live([STARTED, Step(1, 1, 1, 1, 0.5), epoch(1, is_best=True), STOPPED], out))
    assert "1/40" in out.getvalue() and not re.search(r"\x1b\[[0-9;]*m", out.getvalue())


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_status_line_and_one_line_per_epoch(digits, make_mlp, monkeypatch):
    monkeypatch.setattr(watch, "REFRESH_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    events = list(live(fit(make_mlp(), *digits, optimizer="adamw", epochs=3), out))
    shown = out.getvalue()
    assert "epoch 1: batch 5 of 5, loss" in shown and "left" in shown
    assert re.search(r"epoch 3: batch 4 of 5, loss [0-9.]+, [0-9,.]+ steps/s, at most [0-9.]+ s left", shown)
    assert shown.count("/3  ") == 3 and shown.count("values: training / validation") == 1
    assert isinstance(events[-1], Stopped)


def test_display_and_record_pass_every_event_on(digits, make_mlp, tmp_path):
    plain = [type(e) for e in fit(make_mlp(), *digits, optimizer="adamw", epochs=2)]
    through = live(record(fit(make_mlp(), *digits, optimizer="adamw", epochs=2), tmp_path / "e.jsonl"), io.StringIO())
    assert [type(e) for e in through] == plain


def test_the_record_has_a_line_per_event_but_the_steps(digits, make_mlp, tmp_path):
    list(record(fit(make_mlp(), *digits, optimizer="adamw", epochs=2), tmp_path / "events.jsonl"))
    records = [json.loads(text) for text in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [r["event"] for r in records] == ["started", "epoch", "epoch", "stopped"]
    assert records[1]["validation"]["loss"] > 0


def test_a_torn_last_line_is_cut_off_before_going_on(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "started"}\n{"event": "ep')
    list(record([STOPPED], path))
    assert [json.loads(text)["event"] for text in path.read_text().splitlines()] == ["started", "stopped"]


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="the disk is full"):
        list(record([STOPPED], tmp_path / "events.jsonl"))
