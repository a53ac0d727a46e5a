"""Members of an ensemble in one network, which share most weights and each learn alone; imports torch.

Shapes: B rows, D input numbers, M members, W units of a layer, K outputs.
"""

import math

import torch
from torch import nn


class FirstLayer(nn.Module):
    """One row of numbers [B, D] to [B, M, W]: member m sees the input times factors of its own, the weights are shared.

    The factors are folded into the weights, so that all members are one product [B, D] x [D, M * W].

    widths: how many numbers stand for each feature of the input; they share their factor at the start, drawn from the
    standard normal distribution.
    """

    def __init__(self, widths: list[int], num_units: int, num_members: int) -> None:
        super().__init__()
        self.shared = nn.Linear(sum(widths), num_units)
        factors_MC = torch.randn(num_members, len(widths))
        self.factors = nn.Parameter(factors_MC.repeat_interleave(torch.tensor(widths), dim=1))

    def forward(self, x_BD: torch.Tensor) -> torch.Tensor:
        weight_MWD = self.factors[:, None, :] * self.shared.weight
        members, units, _ = weight_MWD.shape
        flat_BX = torch.nn.functional.linear(x_BD, weight_MWD.flatten(0, 1), self.shared.bias.repeat(members))
        return flat_BX.unflatten(1, (members, units))


class Heads(nn.Module):
    """[B, M, W] to [B, M, K] through one linear layer per member."""

    def __init__(self, num_units: int, num_outputs: int, num_members: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(num_units)
        self.weight = nn.Parameter(torch.empty(num_members, num_units, num_outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(num_members * num_outputs).uniform_(-bound, bound))

    def forward(self, x_BMW: torch.Tensor) -> torch.Tensor:
        output_BMK = torch.bmm(x_BMW.transpose(0, 1), self.weight).transpose(0, 1)
        return output_BMK + self.bias.view(self.weight.shape[0], self.weight.shape[2])


class Ensemble(nn.Module):
    """Input tensors > one row of numbers > each member's first layer > shared layers > its head: [B, M, K]."""

    def __init__(self, entry: nn.Module, first: FirstLayer, stack: nn.Sequential, heads: Heads) -> None:
        super().__init__()
        self.entry, self.first, self.stack, self.heads = entry, first, stack, heads

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        x_BMW = self.first(self.entry(*tensors))
        inner = self.stack(x_BMW.flatten(0, 1))
        return self.heads(inner.unflatten(0, (-1, x_BMW.shape[1])))
