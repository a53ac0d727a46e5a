import copy

import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.core.families import Optimizer
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Saved
from deepwright.train.loop import fit
from deepwright.train.optim import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    AdamW,
    Muon,
    NAdam,
    RMSProp,
    can_fuse,
    groups_of,
)  # fmt: skip


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


def rmsprop_by_hand(lr, alpha, momentum, centered, eps=1e-8):
    w, v, mean, u = np.ones(5), np.zeros(5), np.zeros(5), np.zeros(5)
    for g in gradients():
        v = alpha * v + (1 - alpha) * g * g
        mean = alpha * mean + (1 - alpha) * g
        u = momentum * u + g / (np.sqrt(v - mean**2 if centered else v) + eps)
        w = w - lr * u
    return w


def adagrad_by_hand(lr, eps=1e-10):
    w, s = np.ones(5), np.zeros(5)
    for g in gradients():
        s = s + g * g
        w = w - lr * g / (np.sqrt(s) + eps)
    return w


def adadelta_by_hand(lr, rho, eps):
    w, v, u = np.ones(5), np.zeros(5), np.zeros(5)
    for g in gradients():
        v = rho * v + (1 - rho) * g * g
        d = g * np.sqrt(u + eps) / np.sqrt(v + eps)
        u = rho * u + (1 - rho) * d * d
        w = w - lr * d
    return w


def nadam_by_hand(lr, b1=0.9, b2=0.999, eps=1e-8, psi=0.004, decay=0.1):
    w, m, v, product = np.ones(5), np.zeros(5), np.zeros(5), 1.0
    for t, g in enumerate(gradients(), start=1):
        w = w * (1 - lr * decay)
        now, later = b1 * (1 - 0.5 * 0.96 ** (t * psi)), b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        product *= now
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        root = np.sqrt(v / (1 - b2**t)) + eps
        w = w - lr * (later * m / (1 - product * later) + (1 - now) * g / (1 - product)) / root
    return w


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (RMSProp(lr=0.01), rmsprop_by_hand(0.01, 0.99, 0.0, False)),
        (RMSProp(lr=0.01, momentum=0.9, centered=True, alpha=0.9), rmsprop_by_hand(0.01, 0.9, 0.9, True)),
        (Adagrad(lr=0.1), adagrad_by_hand(0.1)),
        (Adadelta(lr=1.0), adadelta_by_hand(1.0, 0.9, 1e-6)),
        (NAdam(lr=0.01, weight_decay=0.1), nadam_by_hand(0.01)),
    ],
    ids=["rmsprop", "rmsprop_centered", "adagrad", "adadelta", "nadam"],
)
def test_the_adaptive_ones_follow_their_closed_forms_too(part, expected):
    assert np.abs(walked(part) - expected).max() < 1e-6


def matrix_walk(part):
    """Where 100 steps with known gradients lead a matrix [4, 3], in float64."""
    weight = nn.Parameter(torch.ones(4, 3, dtype=torch.float64))
    optimizer = part.build([weight])
    for gradient in matrix_gradients():
        weight.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
    return weight.detach().numpy()


def matrix_gradients(steps=100):
    return np.random.default_rng(1).standard_normal((steps, 4, 3))


def test_adafactor_follows_its_paper():
    w, row, column = np.ones((4, 3)), np.zeros((4, 1)), np.zeros((1, 3))
    for t, g in enumerate(matrix_gradients(), start=1):
        rate = max(1e-3, np.sqrt((w**2).mean())) * min(0.01, 1 / np.sqrt(t))
        share = t**-0.8
        row += share * ((g**2).mean(1, keepdims=True) - row)
        column += share * ((g**2).mean(0, keepdims=True) - column)
        step = g / np.sqrt(np.maximum(row @ column / row.mean(), np.finfo(np.float64).eps ** 2))
        w = w - rate * step / max(1.0, np.sqrt((step**2).mean()))
    assert np.abs(matrix_walk(Adafactor(lr=0.01)) - w).max() < 1e-6


def muon_by_hand(lr, momentum, decay):
    """Jordan's update with Nesterov's look ahead: five steps of his quintic in bfloat16, rounded where torch rounds."""
    w, u = torch.ones(4, 3, dtype=torch.float64), torch.zeros(4, 3, dtype=torch.float64)
    for gradient in matrix_gradients():
        g = torch.from_numpy(gradient)
        u = momentum * u + (1 - momentum) * g
        x = ((1 - momentum) * g + momentum * u).bfloat16().T  # the wide way round
        x = x / x.norm().clamp(min=1e-7)
        for _ in range(5):
            a = x @ x.T
            x = torch.addmm(x, torch.addmm(a, a, a, beta=-4.775, alpha=2.0315), x, beta=3.4445)
        w = w * (1 - lr * decay) - lr * (4 / 3) ** 0.5 * x.T.double()
    return w.numpy()


def test_muon_follows_its_definition():
    part = Muon(lr=0.01, momentum=0.9, weight_decay=0.1)
    assert np.abs(matrix_walk(part) - muon_by_hand(0.01, 0.9, 0.1)).max() < 1e-6


def test_muon_makes_the_momentum_nearly_orthogonal():
    # The quintic iteration runs in bfloat16 and stops near, not at, orthogonal: singular values of a step lie around 1.
    weight = nn.Parameter(torch.zeros(6, 6))
    weight.grad = torch.from_numpy(np.random.default_rng(0).standard_normal((6, 6)).astype(np.float32))
    before = np.linalg.svd(weight.grad.numpy())[1]
    Muon(lr=1.0, weight_decay=0.0).build([weight]).step()
    after = np.linalg.svd(weight.detach().numpy())[1]
    assert before.max() / before.min() > 10 > 3 > after.max() / after.min()


def test_muon_takes_matrices_and_kernels_and_adamw_the_rest():
    module = nn.Sequential(
        nn.Embedding(5, 4), nn.Linear(4, 3), nn.LayerNorm(3), nn.Conv2d(2, 6, 3), nn.Conv2d(6, 6, 3, groups=6)
    )
    optimizer = Muon().build(groups_of(module))
    shapes = [sorted(tuple(p.shape) for g in part.param_groups for p in g["params"]) for part in optimizer.parts]
    assert shapes == [[(3, 4)], [(6, 2, 3, 3)], [(3,), (3,), (3,), (5, 4), (6,), (6,), (6, 1, 3, 3)]]
    assert type(Muon().build([nn.Parameter(torch.ones(2, 2))])).__name__ == "Muon"
    assert type(Muon().build([nn.Parameter(torch.ones(2, 2, 1, 1))])).__name__ == "KernelMuon"
    assert type(Muon().build([nn.Parameter(torch.ones(2))])).__name__ == "FusedAdamW"


def test_optimizers_side_by_side_save_and_load_as_one():
    def steps(optimizer, module, count, start=0):
        for number in range(start, start + count):
            torch.manual_seed(number)
            for parameter in module.parameters():
                parameter.grad = torch.randn_like(parameter)
            optimizer.step()

    def make():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3), nn.Conv2d(2, 3, 2))
        return module, Muon().build(groups_of(module))

    module, optimizer = make()
    steps(optimizer, module, 3)
    other, again = make()
    other.load_state_dict(module.state_dict())
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))  # torch would share the tensors
    steps(optimizer, module, 3, start=3)
    steps(again, other, 3, start=3)
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), other.parameters(), strict=True))


KINDS = ["adadelta", "adafactor", "adagrad", "adam", "adamw", "muon", "nadam", "rmsprop", "sgd"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_optimizer_learns_digits_above_95_percent(digits, make_mlp, accuracy, kind):
    options = {"lr": 0.05} if kind == "sgd" else {}
    history = fit(
        make_mlp(widths=(64,)), *digits, optimizer=Optimizer.parse({"kind": kind, **options}), schedule="cosine",
        epochs=30, batch_size=32, patience=None, metrics=accuracy, watch="accuracy", greater_is_better=True,
    ).finish()  # fmt: skip
    assert history.best()["accuracy"] > 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_every_optimizer_resumes_to_the_same_bits(digits, make_mlp, tmp_path, kind):
    def run(checkpoints=None):
        return fit(make_mlp(), digits[0], optimizer=kind, epochs=2, batch_size=300, checkpoints=checkpoints)

    whole = run().finish()
    for event in run(Checkpoints(tmp_path, every_s=0)):
        if isinstance(event, Saved) and event.step == 3:
            break
    assert run(Checkpoints(tmp_path)).finish().digest == whole.digest


def test_all_kinds_are_covered_here():
    assert [
        kind for kind, part in sorted(Optimizer.kinds.items()) if part.__module__ == "deepwright.train.optim"
    ] == KINDS


def test_parts_of_the_network_have_rates_of_their_own(digits, make_mlp):
    net = make_mlp(widths=(16,))
    first, last = net.stack[0].weight.detach().clone(), net.stack[-1].weight.detach().clone()
    rates = {"stack.0.*": 0.0}
    fit(net, digits[0], optimizer="adamw", schedule="cosine", epochs=1, rates=rates).finish()
    assert torch.equal(net.stack[0].weight, first) and not torch.equal(net.stack[-1].weight, last)


def test_rates_beside_a_torch_optimizer_are_refused_rather_than_ignored(digits, make_mlp):
    net = make_mlp()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with pytest.raises(RecipeError, match=r"given for stack\.\*, and the optimizer is a SGD"):
        fit(net, digits[0], optimizer=optimizer, rates={"stack.*": 0.1})


def test_a_pattern_for_rates_that_matches_nothing_is_named():
    with pytest.raises(RecipeError, match=r"'head\.\*' matches no parameter.*the parameters are: weight, bias"):
        groups_of(nn.Linear(2, 2), {"head.*": 0.1})


def test_biases_and_norms_do_not_decay():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Embedding(5, 2))
    groups = {group["role"]: [p.ndim for p in group["params"]] for group in groups_of(module)}
    assert groups == {"embedding": [2], "matrix": [2], "vector": [1, 1, 1]}
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
