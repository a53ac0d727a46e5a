import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.core.families import Optimizer
from deepwright.train.optim import SGD, Adam, AdamW, can_fuse, groups_of


def gradients(steps=100):
    return np.random.default_rng(0).standard_normal((steps, 5))


def walked(part):
    """Where 100 steps with known gradients lead, in float64."""
    weight = nn.Parameter(torch.ones(5, dtype=torch.float64))
    optimizer = part.build([weight])
    for gradient in gradients():
        weight.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
    return weight.detach().numpy()


def adam_by_hand(lr, decay, coupled, b1=0.9, b2=0.999, eps=1e-8):
    w, m, v = np.ones(5), np.zeros(5), np.zeros(5)
    for t, g in enumerate(gradients(), start=1):
        if coupled:
            g = g + decay * w
        else:
            w = w - lr * decay * w
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        w = w - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    return w


def sgd_by_hand(lr, momentum, nesterov, decay):
    w, u = np.ones(5), np.zeros(5)
    for t, g in enumerate(gradients()):
        g = g + decay * w
        u = g if t == 0 else momentum * u + g
        w = w - lr * (g + momentum * u if nesterov else u)
    return w


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (AdamW(lr=0.01, weight_decay=0.1), adam_by_hand(0.01, 0.1, coupled=False)),
        (Adam(lr=0.01, weight_decay=0.1), adam_by_hand(0.01, 0.1, coupled=True)),
        (SGD(lr=0.01, momentum=0.0), sgd_by_hand(0.01, 0.0, False, 0.0)),
        (SGD(lr=0.01, momentum=0.9, weight_decay=0.1), sgd_by_hand(0.01, 0.9, False, 0.1)),
        (SGD(lr=0.01, momentum=0.9, nesterov=True), sgd_by_hand(0.01, 0.9, True, 0.0)),
    ],
    ids=["adamw", "adam", "sgd", "momentum", "nesterov"],
)
def test_a_hundred_steps_are_those_of_the_closed_form(part, expected):
    assert np.abs(walked(part) - expected).max() < 1e-6


def test_biases_and_norms_do_not_decay():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Embedding(5, 2))
    matrices, vectors = groups_of(module)
    assert [p.ndim for p in matrices["params"]] == [2, 2] and [p.ndim for p in vectors["params"]] == [1, 1, 1]
    before = [p.detach().clone() for p in module.parameters()]
    optimizer = AdamW(lr=0.1, weight_decay=0.5).build(groups_of(module))
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for old, new in zip(before, module.parameters(), strict=True):
        assert torch.equal(old, new) == (new.ndim == 1)


def test_frozen_parameters_are_left_out():
    module = nn.Linear(3, 4)
    module.bias.requires_grad_(False)
    assert [len(g["params"]) for g in groups_of(module)] == [1]


@pytest.mark.parametrize("part", [AdamW(), Adam(), SGD()])
def test_the_fused_form_is_used(part):
    parameters = [nn.Parameter(torch.ones(3))]
    assert part.build(parameters).defaults["fused"] is True
    assert not can_fuse([nn.Parameter(torch.ones(3, dtype=torch.complex64))])


@pytest.mark.parametrize(("option", "value"), [("lr", 0.0), ("lr", -1.0), ("beta1", 1.0), ("weight_decay", -0.1)])
def test_options_out_of_range_are_refused_with_the_value(option, value):
    with pytest.raises(RecipeError, match=f"optimizer.{option}: {value}"):
        Optimizer.parse({"kind": "adamw", option: value})
