import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import RuleError
from deepwright.core.families import Schedule
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Epoch, NonFinite, Saved, Step
from deepwright.train.loop import fit
from deepwright.train.nonfinite import FiniteCheck
from deepwright.train.optim import SGD


class Roots(nn.Module):
    """The gradient of a root is infinite at 0 though its value is not."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 3)
        self.scale = nn.Parameter(torch.zeros(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.first(x) + self.scale.abs().sqrt()


def rows(count=64):
    x = np.random.default_rng(0).standard_normal((count, 4)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(np.int64)


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 3))


def all_finite(module):
    return all(torch.isfinite(value).all() for value in module.state_dict().values())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_number_in_a_row_is_named_before_the_weights_move(bad):
    x, y = rows()
    x[37, 2] = bad
    net = small()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(
        RuleError, match=r"step 1 met a NaN or an infinity in input 0 itself, in training rows 37 \(from 0\)"
    ):
        fit(net, (x, y), optimizer="adamw", batch_size=64).finish()
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_a_bad_target_is_named():
    x, y = rows()
    y = y.astype(np.float32)
    y[5] = np.nan
    with pytest.raises(RuleError, match="in target itself, in training rows 5"):
        fit(nn.Linear(4, 1), (x, y), optimizer="adamw").finish()


def test_a_gradient_that_is_not_finite_is_caught_though_the_loss_is():
    net = Roots()
    with pytest.raises(
        RuleError, match=r"step 1 met a NaN or an infinity in the gradient of 'scale' .*after 3 attempts"
    ):
        fit(net, rows(), optimizer="adamw").finish()
    assert all_finite(net)


def test_the_layer_and_the_rows_of_a_bad_output_are_named():
    class Logs(nn.Module):
        def forward(self, x):
            return torch.log(x.clamp(min=0) + (x > -25).float() * 1e-3)

    x, y = rows()
    x[11] = -30.0
    net = nn.Sequential(nn.Identity(), Logs(), nn.Linear(4, 3))
    event = next(e for e in fit(net, (x, y), optimizer="adamw") if isinstance(e, NonFinite))
    assert (event.what, event.layer, event.rows, event.step, event.attempt) == ("output", "1", (11,), 1, 1)


@pytest.fixture
def huge_rate():
    class HugeRate(Schedule, kind="huge_for_a_test"):
        """1e30 times the rate: weights overflow after a step or two."""

        def factor(self, step: int, num_steps: int) -> float:
            return 1e30

    yield HugeRate()
    del Schedule.kinds["huge_for_a_test"]


def test_a_rate_far_too_high_is_stopped_after_three_halvings_and_the_weights_are_the_last_good(huge_rate):
    net = small()
    events = []
    with pytest.raises(RuleError, match="3 attempts at half the rate each"):
        for event in fit(
            net, rows(), loss="cross_entropy", optimizer=SGD(lr=100.0), schedule=huge_rate, epochs=50, batch_size=16
        ):
            events.append(event)
    assert [e.lr_scale for e in events if isinstance(e, NonFinite)] == [0.5, 0.25, 0.125]
    assert all_finite(net)


def test_a_rate_a_little_too_high_is_mended_by_halving():
    # w <- w - lr * 2 w diverges for lr > 1 and overflows float32 within 200 steps; at lr / 2 it converges.
    net = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        net.weight.fill_(1.0)
    x = np.ones((256, 1), np.float32)
    training = fit(
        net,
        (x, np.zeros((256, 1), np.float32)),
        loss="mse",
        optimizer=SGD(lr=1.6, momentum=0.0),
        epochs=4,
        batch_size=1,
    )
    events = list(training)
    assert [e.attempt for e in events if isinstance(e, NonFinite)] == [1]
    assert [e.epoch for e in events if isinstance(e, Epoch)] == [1, 2, 3, 4]
    assert abs(net.weight.item()) < 1e-6
    assert training.finish().notes[0]["event"] == "nonfinite"


def test_going_back_after_a_kill_ends_in_the_same_bits(tmp_path):
    def run(checkpoints=None):
        net = nn.Linear(1, 1, bias=False)
        with torch.no_grad():
            net.weight.fill_(1.0)
        x = np.ones((256, 1), np.float32)
        optimizer = SGD(lr=1.6, momentum=0.0)
        return fit(net, (x, x * 0), optimizer=optimizer, epochs=2, batch_size=1, checkpoints=checkpoints, sample=1)

    whole = run().finish()
    assert whole.notes, "the rate was too high, as planned"
    for event in run(Checkpoints(tmp_path, every_s=0)):
        if isinstance(event, Saved) and event.step == 20:
            break
    resumed = run(Checkpoints(tmp_path, every_s=1000)).finish()
    assert resumed.digest == whole.digest
    assert [n["event"] for n in resumed.notes] == ["resumed", "nonfinite"]


def test_no_checkpoint_is_written_of_weights_that_are_not_finite(tmp_path):
    net = small()
    checkpoints = Checkpoints(tmp_path, every_s=0)
    saved = []
    for event in fit(net, rows(), optimizer="adamw", epochs=1, batch_size=16, checkpoints=checkpoints):
        if isinstance(event, Step) and event.step == 2:
            with torch.no_grad():
                net[0].weight[0, 0] = float("nan")
        if isinstance(event, Saved):
            saved.append(event.step)
        if isinstance(event, NonFinite):
            assert (event.what, event.layer) == ("weight", "0.weight")
            break
    assert saved == [1]


def test_sound_trainings_are_not_disturbed(digits, make_mlp):
    for seed in range(3):
        events = fit(make_mlp(seed), digits[0], optimizer=SGD(lr=0.3), epochs=3, seed=seed)
        assert not [e for e in events if isinstance(e, NonFinite)]


def test_the_check_sees_one_bad_gradient_among_many_and_leaves_them_as_they_are():
    gradients = [torch.randn(50, 50), torch.tensor([1e38, 1e-45, -0.0])]
    before = [g.clone() for g in gradients]
    check = FiniteCheck(torch.device("cpu"))
    assert check(gradients)
    assert all(torch.equal(a, b) for a, b in zip(gradients, before, strict=True))
    gradients[0][49, 49] = float("inf")
    assert not check(gradients)
    gradients[0][49, 49] = 0
    assert check(gradients)
    embedding = nn.Embedding(5, 2, sparse=True)
    (embedding(torch.tensor([1])).sum() * float("nan")).backward()
    assert not check([embedding.weight.grad])
