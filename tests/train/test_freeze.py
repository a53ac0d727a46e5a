"""Freezing: what is frozen stays to the bit, what thaws learns from that epoch on, and a kill changes nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Epoch, Step
from deepwright.train.loop import Training, fit
from deepwright.train.regularize import Regularize

FROZEN: Mapping[str, int | None] = {"0.*": None, "1.*": None, "4.*": 2}


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 8),
        nn.BatchNorm1d(8),
        nn.Dropout(0.5),
        nn.ReLU(),
        nn.Linear(8, 8),
        nn.BatchNorm1d(8),
        nn.Linear(8, 2),
    )


def rows(count: int = 64) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).standard_normal((count, 6)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(np.int64)


def training(module: nn.Module, optimizer: Any = "sgd", **options: Any) -> Training:
    given = {"epochs": 4, "batch_size": 16, "frozen": FROZEN, "threads": 1} | options
    return fit(module, rows(), rows(32), loss="cross_entropy", optimizer=optimizer, patience=None, **given)


def copy(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def changed(before: Mapping[str, torch.Tensor], module: nn.Module) -> set[str]:
    return {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon", "adafactor"])
def test_frozen_weights_and_their_statistics_stay_to_the_bit(optimizer: str):
    module = network()
    before = copy(module)
    training(module, optimizer, regularize=Regularize(ema=0.9, l1=1e-3, clip_norm=1.0)).finish()
    moved = changed(before, module)
    assert not any(name.startswith(("0.", "1.")) for name in moved)
    assert {"4.weight", "5.running_mean", "6.weight"} <= moved


def test_without_freezing_the_same_weights_and_statistics_move():
    module = network()
    before = copy(module)
    training(module, frozen=None).finish()
    assert {"0.weight", "1.running_mean", "1.weight"} <= changed(before, module)


def test_a_layer_learns_from_the_epoch_on_in_which_it_thaws():
    module = network()
    start = module[4].weight.detach().clone()
    moved = []
    for event in training(module):
        if isinstance(event, Epoch):
            moved.append(not torch.equal(module[4].weight, start))
    assert moved == [False, False, True, True]


def test_a_frozen_layer_works_as_in_evaluation():
    module = nn.Sequential(nn.Sequential(nn.Linear(6, 4), nn.Dropout(0.5)), nn.Linear(4, 2))
    modes = []
    for event in fit(module, rows(), loss="cross_entropy", optimizer="sgd", epochs=2, frozen={"0.*": 1}, threads=1):
        if isinstance(event, Step):
            modes.append(module[0][1].training)
    assert modes == [False, True]


def test_afterwards_every_parameter_learns_again():
    module = network()
    training(module, epochs=1).finish()
    assert all(parameter.requires_grad for parameter in module.parameters())


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("stop_at", [3, 7, 8, 9])
def test_a_training_killed_around_a_thaw_ends_in_the_same_bits(tmp_path: Path, optimizer: str, stop_at: int):
    """Of four steps an epoch; a layer thaws before step 9."""
    whole = network()
    training(whole, optimizer).finish()

    def interrupted(module: nn.Module) -> Training:
        return training(module, optimizer, checkpoints=Checkpoints(tmp_path, every_s=0))

    for event in interrupted(network()):
        if isinstance(event, Step) and event.step == stop_at + 1:
            break
    again = network()
    interrupted(again).finish()
    assert changed(copy(whole), again) == set()


def test_another_freezing_is_another_training(tmp_path: Path):
    training(network(), epochs=1, checkpoints=Checkpoints(tmp_path, every_s=0)).finish()
    with pytest.raises(RecipeError, match="frozen"):
        training(network(), epochs=1, frozen={"0.*": None}, checkpoints=Checkpoints(tmp_path, every_s=0)).finish()


def test_the_first_pattern_that_matches_holds():
    module = network()
    before = copy(module)
    training(module, epochs=2, frozen={"4.weight": 1, "4.*": None}).finish()
    assert "4.weight" in changed(before, module) and "4.bias" not in changed(before, module)


def test_a_pattern_for_nothing_is_refused():
    with pytest.raises(RecipeError) as caught:
        training(nn.Linear(6, 2), frozen={"heat.*": None})
    assert str(caught.value) == "frozen: 'heat.*' matches no parameter. Known: weight, bias."


def test_an_epoch_in_which_nothing_learns_is_refused():
    with pytest.raises(RecipeError) as caught:
        training(nn.Linear(6, 2), frozen={"*": 1}).finish()
    assert str(caught.value) == (
        "frozen: nothing learns in epoch 1, since every parameter is frozen. Leave the last layer out of frozen=."
    )
    with pytest.raises(RecipeError, match="it has 0 parameters that may move"):
        training(nn.Linear(6, 2), frozen={"*": None})


def test_less_than_one_epoch_is_refused():
    with pytest.raises(RecipeError) as caught:
        training(network(), frozen={"0.*": 0})
    assert str(caught.value) == ("frozen: '0.*' is to stay for 0 epochs; give 1 or more, or None for all of them.")
