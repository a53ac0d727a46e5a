"""Layers: known answers."""

import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.core.families import Tensor
from deepwright.model.export import export_network
from deepwright.model.layers import Normalise, ProbabilityAnswer, StochasticDepth, depth_rates


def test_bytes_become_standardised_numbers_per_channel():
    pixels = torch.randint(0, 256, (4, 3, 5, 7), dtype=torch.uint8)
    mean, sd = (0.1, 0.5, 0.9), (0.2, 0.3, 0.4)
    column = [torch.tensor(each).reshape(1, 3, 1, 1) for each in (mean, sd)]
    found = Normalise(mean, sd)(pixels)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, (pixels.float() / 255 - column[0]) / column[1])


def test_channels_stay_last_in_memory():
    pixels = torch.zeros((4, 3, 5, 7), dtype=torch.uint8).to(memory_format=torch.channels_last)
    assert Normalise()(pixels).is_contiguous(memory_format=torch.channels_last)


def test_the_result_has_the_dtype_of_the_network():
    assert Normalise().to(torch.bfloat16)(torch.zeros((1, 3, 2, 2), dtype=torch.uint8)).dtype == torch.bfloat16


@pytest.mark.parametrize(("mean", "sd"), [((0.5,), (0.5, 0.5)), ((0.5,), (0.0,))])
def test_numbers_that_cannot_be_are_refused(mean: tuple[float, ...], sd: tuple[float, ...]):
    with pytest.raises(RecipeError, match="every sd above 0"):
        Normalise(mean, sd)


class Residual(nn.Module):
    """Two blocks, dropped by chance."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
        self.drops = nn.ModuleList(StochasticDepth(rate) for rate in depth_rates(0.5, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block, drop in zip(self.blocks, self.drops, strict=True):
            x = x + drop(block(x))
        return x


def test_a_branch_is_dropped_row_by_row_and_keeps_its_mean():
    torch.manual_seed(0)
    found = StochasticDepth(0.2)(torch.ones(20_000, 2, 3))
    assert set(found.unique().tolist()) == {0.0, 1.25}
    assert (found == found[:, :1, :1]).all(), "a row stays whole or goes whole"
    assert found.mean().item() == pytest.approx(1, abs=4 * 0.5 / 20_000**0.5)  # 4 standard errors


def test_the_same_rows_are_dropped_in_the_step_of_the_same_seed():
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return StochasticDepth(0.5)(torch.ones(64, 1))

    assert torch.equal(drawn(3), drawn(3)) and not torch.equal(drawn(3), drawn(4))


def test_in_evaluation_and_in_the_exported_graph_no_branch_is_dropped():
    torch.manual_seed(0)
    net = Residual().eval()
    x = torch.randn(8, 4)
    assert StochasticDepth(0.9).eval()(x) is x and StochasticDepth(0.0)(x) is x
    with torch.no_grad():
        expected = x + net.blocks[0](x)
        expected = expected + net.blocks[1](expected)
    assert torch.equal(net(x), expected)
    graph, _ = export_network(ProbabilityAnswer(net), (Tensor("x", 4),), "classification")
    assert b"Random" not in graph and b"Bernoulli" not in graph and b"Dropout" not in graph


@pytest.mark.parametrize("probability", [-0.1, 1.0, float("nan")])
def test_a_probability_that_cannot_be_is_refused(probability: float):
    with pytest.raises(RecipeError, match=f"is {probability}; it takes 0 or more and less than 1"):
        StochasticDepth(probability)
