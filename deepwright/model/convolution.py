"""Layers that networks on images are built of; imports torch.

Shapes: B images, C channels, H height, W width; maps are [B, C, H, W] in torch's order, channels last in memory.
"""

import math

import torch
from torch import nn

GROUPS = 32
FEWEST_UNITS = 4
"""Of squeeze and excitation: one unit alone may never answer."""


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each place of a map [B, C, H, W]."""

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return super().forward(x_BCHW.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Gain(nn.Module):
    """One learned factor for a whole map: what a residual branch without normalisation ends in.

    Reference: De and Smith 2020, arXiv 2002.10444.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight


class SqueezeExcite(nn.Module):
    """Each channel of a map times a number in 0 to 1 that the means of all channels decide.

    Reference: Hu, Shen, Sun 2018, arXiv 1709.01507.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        inner = max(FEWEST_UNITS, channels // reduction)
        self.fc1 = nn.Conv2d(channels, inner, 1)
        self.fc2 = nn.Conv2d(inner, channels, 1)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        mean_BC11 = x_BCHW.mean((2, 3), keepdim=True)
        return x_BCHW * torch.sigmoid(self.fc2(torch.relu(self.fc1(mean_BC11))))


class Summary(nn.Module):
    """A map [B, C, H, W] to one row of numbers [B, D]: each channel's mean or largest value, or all of them."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        if self.how == "flatten":
            return x_BCHW.flatten(1)
        return x_BCHW.mean((2, 3)) if self.how == "mean" else x_BCHW.amax((2, 3))

    def extra_repr(self) -> str:
        return self.how


def normalise(kind: str, channels: int, eps: float = 1e-5) -> nn.Module:
    """A normalisation of maps. group: 32 groups, or as many as divide the channels; layer: over the channels of each
    place; none: the map as it is."""
    if kind == "batch":
        return nn.BatchNorm2d(channels, eps=eps)
    if kind == "group":
        return nn.GroupNorm(math.gcd(GROUPS, channels), channels, eps=eps)
    return ChannelNorm(channels, eps=eps) if kind == "layer" else nn.Identity()


def convolve(
    inner: int, outer: int, kernel: int = 3, *, stride: int = 1, groups: int = 1, normalisation: str = "batch"
) -> nn.Conv2d:
    """A convolution that keeps the size at stride 1; without a bias where a normalisation follows, which has one."""
    padding, has_bias = kernel // 2, normalisation == "none"
    return nn.Conv2d(inner, outer, kernel, stride, padding, groups=groups, bias=has_bias)
