import time

import pytest
from torch import nn

from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Saved
from deepwright.train.loop import fit
from deepwright.train.state import PHASES


def busy(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


class Slow(nn.Linear):
    """3 ms in each training pass."""

    def forward(self, x):
        if self.training:
            busy(3e-3)
        return super().forward(x)


class SlowBatches(list):
    """3 ms before each batch."""

    def __iter__(self):
        for batch in super().__iter__():
            busy(3e-3)
            yield batch


def slow_metric(target, answer):
    busy(15e-3)
    return 0.0


@pytest.mark.parametrize("phase", ["data", "forward", "judging"])
def test_the_phase_that_takes_longest_is_named(digits, phase):
    x, y = digits[0]
    batches = [(x[low : low + 100], y[low : low + 100]) for low in range(0, 1200, 100)]
    history = fit(
        Slow(64, 10) if phase == "forward" else nn.Linear(64, 10),
        SlowBatches(batches) if phase == "data" else batches,
        digits[1], loss="cross_entropy", optimizer="sgd", epochs=2,
        metrics={"slow": slow_metric} if phase == "judging" else None,
    ).finish()  # fmt: skip
    assert tuple(history.spent) == PHASES
    assert max(history.spent, key=history.spent.__getitem__) == phase
    assert history.spent[phase] >= {"judging": 2 * 15e-3}.get(phase, 24 * 3e-3)


def test_phases_add_up_to_less_than_the_whole_and_none_is_forgotten(digits, make_mlp, tmp_path):
    started = time.perf_counter()
    history = fit(
        make_mlp(), *digits, optimizer="adamw", epochs=3, checkpoints=Checkpoints(tmp_path, every_s=0)
    ).finish()
    assert min(history.spent.values()) > 0
    assert sum(history.spent.values()) < time.perf_counter() - started


def test_time_spent_before_a_resume_counts_and_the_probes_does_not(digits, tmp_path):
    def run(every_s):
        return fit(
            Slow(64, 10), digits[0], optimizer="sgd", epochs=2, batch_size=100, speed="auto",
            checkpoints=Checkpoints(tmp_path, every_s=every_s),
        )  # fmt: skip

    training = run(0)
    next(training)
    assert set(training.state.position.spent.values()) == {0.0}
    for event in training:
        if isinstance(event, Saved) and event.step == 12:
            break
    assert training.state.position.spent["forward"] >= 12 * 3e-3
    assert run(60).finish().spent["forward"] >= 24 * 3e-3
