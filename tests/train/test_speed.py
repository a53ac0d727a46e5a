import time

import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.train import loop, speed
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Planned, Saved
from deepwright.train.loop import fit
from deepwright.train.speed import SpeedPlan, plan_speed


def busy(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def product(*, medium_s, rounds):
    """A machine whose default product takes 4 ms, whose other one takes `medium_s` and may round to bfloat16."""

    def multiply(x, y):
        is_medium = torch.get_float32_matmul_precision() == "medium"
        busy(medium_s if is_medium else 4e-3)
        exact = x.double() @ y.double()
        return (x.bfloat16() @ y.bfloat16()).float() if is_medium and rounds else exact.float()

    return multiply


@pytest.mark.parametrize(
    ("medium_s", "rounds", "chosen"), [(2e-3, False, "medium"), (4e-3, False, "highest"), (1e-3, True, "highest")]
)
def test_the_other_kernel_is_taken_where_it_is_faster_and_as_exact(medium_s, rounds, chosen):
    found = plan_speed(product(medium_s=medium_s, rounds=rounds))
    assert found.precision == chosen
    assert (found.error > 1e-4) == rounds


def test_measuring_takes_little_time_and_puts_torchs_setting_back():
    before = torch.get_float32_matmul_precision()
    found = plan_speed()
    assert found.seconds < 2 and found.error < 1 and found.gain > 0
    assert torch.get_float32_matmul_precision() == before


def test_exact_leaves_torchs_setting_as_it_is(digits, make_mlp):
    seen = [
        (type(e), torch.get_float32_matmul_precision()) for e in fit(make_mlp(), digits[0], optimizer="adamw", epochs=1)
    ]
    assert {setting for _, setting in seen} == {"highest"}
    assert Planned not in [kind for kind, _ in seen]


def test_auto_tells_its_choice_works_under_it_and_puts_the_setting_back(digits, make_mlp, monkeypatch):
    monkeypatch.setattr(loop, "plan_speed", lambda: SpeedPlan("medium", 1.5, 7e-7, 0.01))
    training = fit(make_mlp(), digits[0], optimizer="adamw", epochs=1, speed="auto")
    next(training)
    assert next(training) == Planned("medium", 1.5, 7e-7)
    assert torch.get_float32_matmul_precision() == "medium"
    training.finish()
    assert torch.get_float32_matmul_precision() == "highest"


def test_a_resumed_training_keeps_the_choice_whatever_would_be_measured_now(digits, make_mlp, tmp_path, monkeypatch):
    def run(choice, checkpoints):
        monkeypatch.setattr(loop, "plan_speed", lambda: SpeedPlan(choice, 1.5, 7e-7, 0.01))
        return fit(make_mlp(), digits[0], optimizer="adamw", epochs=2, speed="auto", checkpoints=checkpoints)

    whole = run("medium", None).finish()
    for event in run("medium", Checkpoints(tmp_path, every_s=0)):
        if isinstance(event, Saved) and event.step == 3:
            break
    training = run("highest", Checkpoints(tmp_path))
    events = list(training)
    assert not [e for e in events if isinstance(e, Planned)]
    assert training.precision == "medium" and training.finish().digest == whole.digest


def test_another_word_is_refused(digits, make_mlp):
    with pytest.raises(RecipeError, match="found 'fast'; it takes exact or auto"):
        fit(make_mlp(), digits[0], optimizer="adamw", speed="fast")


def test_limits_lie_between_float32_and_bfloat16():
    x, y = torch.randn(256, 256), torch.randn(256, 256)
    exact = x.double() @ y.double()
    rounded = ((x.bfloat16() @ y.bfloat16()).double() - exact).abs().max() / exact.abs().max()
    assert rounded > 100 * speed.MAX_ERROR
