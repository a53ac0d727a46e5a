"""Thirty-two divergences planted in four networks: each is caught within one step, named, and kept out of the weights;
thirty sound trainings are left alone."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import RuleError
from deepwright.train.batches import open_part
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import NonFinite, Step
from deepwright.train.loop import fit
from deepwright.train.optim import SGD, Adam, AdamW, RMSProp

ROWS, BATCH, BAD_ROW = 48, 8, 29
NETWORKS = ("mlp", "cnn", "lstm", "attention")


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 6, batch_first=True)
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(x.reshape(-1, 4, 4))[0][:, -1])


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(x.reshape(-1, 4, 4)).mean(1))


class Half(nn.Module):
    """Computes in half precision, whose largest number is 65,504."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.half() * 2).float()


class Root(nn.Module):
    """The gradient of a root is infinite at 0 though its value is not."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.scale.abs().sqrt()


def network(kind: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    if kind == "mlp":
        return nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Dropout(0.1), nn.Linear(12, 3))
    if kind == "cnn":
        return nn.Sequential(
            nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
            nn.Linear(16, 3),
        )  # fmt: skip
    return Recurrent() if kind == "lstm" else Attention()


def rows(seed: int = 0):
    """Inputs [48, 16] and classes [48]."""
    x = np.random.default_rng(seed).standard_normal((ROWS, 16)).astype(np.float32)
    return x, x[:, :3].argmax(1).astype(np.int64)


def shares() -> np.ndarray:
    """Targets [48, 3] that are distributions without a nought."""
    return (np.eye(3)[rows()[1]] * 0.7 + 0.1).astype(np.float32)


def divergence(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Kullback and Leibler's, with the usual fault: 0 log 0 is NaN."""
    return (target * (target.log() - output.log_softmax(1))).sum(1).mean()


@dataclass
class Plant:
    """A training with a fault in it. step: the one that meets it, None where that depends on the rate."""

    module: nn.Module
    data: tuple[np.ndarray, np.ndarray]
    loss: object
    optimizer: object
    what: str | None
    layer: str | None
    step: int | None


def step_of_the_bad_row() -> int:
    batches = open_part("train", rows(), device=torch.device("cpu"), dtype=torch.float32).epoch(BATCH, seed=0, epoch=0)
    return next(number for number, batch in enumerate(batches, start=1) if BAD_ROW in batch.rows)


def planted(fault: str, kind: str) -> Plant:
    module, (x, y), bad = network(kind), rows(), step_of_the_bad_row()
    optimizer = SGD(lr=0.01)
    if fault in ("nan row", "inf row"):
        x[BAD_ROW, 7] = np.nan if fault == "nan row" else -np.inf
        return Plant(module, (x, y), "cross_entropy", optimizer, "input", "input 0", bad)
    if fault == "nan target":
        target = shares()
        target[BAD_ROW, 1] = np.nan
        return Plant(module, (x, target), nn.MSELoss(), optimizer, "target", "target", bad)
    if fault == "log of nought":
        target = shares()
        target[BAD_ROW] = (1, 0, 0)
        return Plant(module, (x, target), divergence, optimizer, "loss", "loss", bad)
    if fault == "half precision":
        x[BAD_ROW, 3] = 40_000.0
        return Plant(nn.Sequential(Half(), module), (x, y), "cross_entropy", optimizer, "output", "0", bad)
    if fault == "corrupt row":
        x[BAD_ROW] = np.where(x[BAD_ROW] > 0, 3e38, -3e38)
        return Plant(nn.Sequential(nn.Linear(16, 16), module), (x, y), "cross_entropy", optimizer, "output", "0", bad)
    if fault == "root":
        return Plant(nn.Sequential(module, Root()), (x, y), "cross_entropy", optimizer, "gradient", "1.scale", 1)
    if fault == "rate":  # ten thousand times what is stable
        return Plant(module, (x, shares() * 10), nn.MSELoss(), SGD(lr=100.0, momentum=0.9), None, None, None)
    assert fault == "overflowing update", fault
    huge = torch.optim.SGD(module.parameters(), lr=3e38)
    return Plant(module, (x, shares() * 100), nn.MSELoss(), huge, None, None, None)


FAULTS = (
    "rate", "overflowing update", "nan row", "inf row", "log of nought", "half precision", "root", "nan target",
)  # fmt: skip
CASES = [(fault, kind) for fault in FAULTS for kind in NETWORKS]


def all_finite(tensors) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in tensors.values() if value.is_floating_point())


def first_fault(training) -> tuple[int, str, list[Step], bool]:
    """The step that is named, the sentence or event, the steps before it, and whether the module was sound at each but
    the last of them."""
    steps: list[Step] = []
    sound: list[bool] = []
    try:
        for event in training:
            if isinstance(event, NonFinite):
                told = event.step, f"in the {event.what} of '{event.layer}'"
                break
            if isinstance(event, Step):
                steps.append(event)
                sound.append(all_finite(training.module.state_dict()))
        else:
            raise AssertionError("the training ended and nothing was caught")
    except RuleError as error:
        told = error.values["step"], str(error)
    return *told, steps, all(sound[:-1])


@pytest.mark.parametrize(("fault", "kind"), CASES)
def test_a_divergence_is_caught_within_one_step_and_named(fault, kind, tmp_path):
    plant = planted(fault, kind)
    checkpoints = Checkpoints(tmp_path, every_s=0, keep=10_000)
    training = fit(
        plant.module, plant.data, loss=plant.loss, optimizer=plant.optimizer, epochs=40, batch_size=BATCH, sample=BATCH,
        checkpoints=checkpoints,
    )  # fmt: skip
    number, told, steps, was_sound = first_fault(training)

    assert number == len(steps) + 1, "the step after the last good one is the one named"
    assert was_sound and all(np.isfinite(step.loss) for step in steps)
    if plant.step is not None:
        assert number == plant.step
    if plant.what in ("input", "target"):
        assert f"in {plant.layer} itself, in training rows {BAD_ROW} (from 0)" in told
    elif plant.what is not None:
        assert f"in the {plant.what} of '{plant.layer}'" in told
    else:
        layer = re.search(r"in the (?:output|gradient|weight|loss) of '([^']*)'", told).group(1)
        module = plant.module
        assert layer in {"(whole)", "loss", *dict(module.named_modules()), *dict(module.named_parameters())}

    with pytest.raises((RuleError, StopIteration)):  # attempts run out, or half the rate mends it
        while True:
            next(training)
    assert all_finite(plant.module.state_dict()), "nothing is left in the module"
    written = sorted(tmp_path.glob("*.json"))
    for path in written:
        path.rename(path.with_suffix(".later"))
    for path in written:  # each on its own, as the newest
        path.with_suffix(".later").rename(path)
        loaded, refused = checkpoints.load_latest()
        assert refused == () and all_finite(loaded.tensors), path.name
        path.rename(path.with_suffix(".later"))
    assert len(written) >= min(number - 2, len(steps) - 1), "checkpoints were written up to there"


def corrupt_rows():
    """One row so large that its square is infinite in float32, though it is not."""
    x, y = rows()
    x[BAD_ROW] = 1e30
    return x, y


def test_a_running_variance_that_overflows_is_caught_though_the_loss_is_finite():
    module = nn.Sequential(nn.BatchNorm1d(16), nn.Linear(16, 3))
    training = fit(module, corrupt_rows(), optimizer=SGD(lr=0.01), epochs=1, batch_size=BATCH)
    assert any(isinstance(event, NonFinite) for event in training)


@pytest.mark.parametrize("optimizer", ["adagrad", "adadelta"])
def test_a_sum_of_squared_gradients_that_overflows_is_caught(optimizer):
    torch.manual_seed(0)  # weights that answer the corrupt row wrongly, or its gradient would be nothing
    training = fit(nn.Linear(16, 3), corrupt_rows(), optimizer=optimizer, epochs=1, batch_size=BATCH)
    assert any(isinstance(event, NonFinite) for event in training)


def test_there_are_thirty_or_more():
    assert len(CASES) == len(set(CASES)) >= 30


@pytest.mark.parametrize("optimizer", [SGD(lr=0.05), Adam(lr=0.01), AdamW(lr=0.01), RMSProp(lr=0.003)])
@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_sound_training_is_not_disturbed(seed, kind, optimizer):
    x, y = rows(seed)
    x[:3] *= 1e4  # far out, and yet sound: no guess may replace the check
    events = list(
        fit(network(kind, seed), (x, y), loss="cross_entropy", optimizer=optimizer, epochs=3, batch_size=BATCH)
    )
    assert [event for event in events if isinstance(event, NonFinite)] == []
    assert sum(isinstance(event, Step) for event in events) == 3 * ROWS // BATCH


def test_the_net_catches_a_fault_that_is_not_reported(monkeypatch):
    # With the engine's check off, the helper above must say so.
    monkeypatch.setattr("deepwright.train.nonfinite.FiniteCheck.__call__", lambda check, gradients: True)
    monkeypatch.setattr("deepwright.train.nonfinite.Watch.fault", lambda watch: None)
    plant = planted("root", "mlp")
    training = fit(plant.module, plant.data, loss=plant.loss, optimizer=plant.optimizer, epochs=1, batch_size=BATCH)
    number, *_ = first_fault(training)
    assert number > 1, "the first step went through with an infinite gradient"
