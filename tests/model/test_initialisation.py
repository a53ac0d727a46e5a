import math

import pytest
import torch
from torch import nn

from deepwright.core.families import Tensor
from deepwright.model.initialisation import RULES, fit_scale, initialise
from deepwright.model.layers import ACTIVATIONS
from deepwright.model.tabular import MLP

SD = {
    "kaiming_normal": math.sqrt(2 / 400),
    "kaiming_uniform": math.sqrt(2 / 400),
    "xavier_normal": math.sqrt(2 / 600),
    "xavier_uniform": math.sqrt(2 / 600),
    "lecun_normal": math.sqrt(1 / 400),
    "lecun_uniform": math.sqrt(1 / 400),
    "orthogonal": math.sqrt(1 / 400),
    "truncated_normal": 0.02,
}
"""Of a layer from 400 to 200, by each rule's formula."""


@pytest.mark.parametrize("rule", sorted(RULES))
def test_weights_have_the_rules_spread_and_biases_are_zero(rule: str):
    torch.manual_seed(0)
    layer = nn.Linear(400, 200)
    initialise(layer, rule)
    assert layer.weight.std().item() == pytest.approx(SD[rule], rel=0.02)
    assert (layer.bias == 0).all()


def test_torchs_own_start_is_left_alone():
    layer = nn.Linear(3, 2)
    before = layer.weight.clone()
    initialise(layer, "torch")
    assert torch.equal(layer.weight, before)


def test_by_data_every_layer_answers_training_rows_with_mean_0_and_sd_1():
    torch.manual_seed(0)
    numbers = (torch.randn(500, 3) * 40 + 7).numpy()
    net = MLP(widths=(16, 16), initialisation="data", dropout=0.5)
    module = net.build((Tensor("numbers", 3),), 1)
    net.adapt(module, {"numbers": numbers})
    assert module.training
    x = torch.from_numpy(numbers)
    module.eval()
    for layer in module.stack:
        x = layer(x)
        if isinstance(layer, nn.Linear):
            assert (x.mean().item(), x.std().item()) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=1e-4))


def test_a_layer_whose_outputs_are_all_alike_stays_finite():
    layer = nn.Linear(2, 1)
    fit_scale(layer, [torch.zeros(5, 2)])
    assert torch.isfinite(layer.weight).all() and torch.isfinite(layer.bias).all()


DEPTH = 50


def decades_after_50_layers(rule: str, activation: str, *, is_convolution: bool) -> float:
    """log10 of how much the mean square grew from the first layer's output to the fiftieth's, a mean over two draws."""
    grown = []
    for seed in range(2):
        torch.manual_seed(seed)
        x = torch.randn(16, 96, 4, 4) if is_convolution else torch.randn(256, 256)
        squares = []
        for _ in range(DEPTH):
            layer = nn.Conv2d(96, 96, 3, padding=1, padding_mode="circular") if is_convolution else nn.Linear(256, 256)
            initialise(layer, rule)
            with torch.no_grad():
                x = layer(x)
                squares.append(x.square().mean().item())
                x = ACTIVATIONS[activation]()(x)
        grown.append(math.log10(squares[-1] / squares[0]))
    return sum(grown) / len(grown)


@pytest.mark.parametrize("is_convolution", [False, True])
@pytest.mark.parametrize(
    ("rule", "activation"),
    [("kaiming_normal", "relu"), ("kaiming_uniform", "relu"), ("lecun_normal", "selu"), ("lecun_uniform", "selu")],
)
def test_through_50_layers_activations_neither_grow_nor_fade(rule: str, activation: str, is_convolution: bool):
    assert abs(decades_after_50_layers(rule, activation, is_convolution=is_convolution)) < 1


@pytest.mark.parametrize("is_convolution", [False, True])
@pytest.mark.parametrize(("rule", "fades_by"), [("lecun_normal", 14.7), ("xavier_uniform", 14.7)])
def test_a_rule_made_for_another_activation_fades_by_half_in_each_layer(
    rule: str, fades_by: float, is_convolution: bool
):
    """2 ** -49 is 14.7 decades."""
    assert decades_after_50_layers(rule, "relu", is_convolution=is_convolution) == pytest.approx(-fades_by, abs=1)
