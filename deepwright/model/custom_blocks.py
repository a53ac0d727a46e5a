"""Layers that hold layers, and attention among the places of a map; imports torch.

Shapes: B images, C channels, H height, W width, T = H * W places.
"""

import torch
from torch import nn

from deepwright.model.vit_blocks import Attention


class Residual(nn.Module):
    """shortcut(x) + drop(branch(x))."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module, drop: nn.Module) -> None:
        super().__init__()
        self.branch, self.shortcut, self.drop = branch, shortcut, drop

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shortcut(x) + self.drop(self.branch(x))


class Beside(nn.Module):
    """x, and beside it what the branch makes of x: their channels, or numbers, together."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.branch(x)], dim=1)


class PlaceAttention(nn.Module):
    """Self-attention among the places of a map [B, C, H, W]."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.attn = Attention(channels, heads)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        mixed_BTC = self.attn(x_BCHW.flatten(2).transpose(1, 2))
        return mixed_BTC.transpose(1, 2).unflatten(2, x_BCHW.shape[2:])


def shape_behind(module: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that a layer makes of one [*shape], found by a pass of zeros."""
    module.eval()
    with torch.no_grad():
        found = module(torch.zeros(1, *shape)).shape[1:]
    module.train()
    return tuple(found)
