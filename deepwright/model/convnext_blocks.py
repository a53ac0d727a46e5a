"""ConvNeXt; imports torch. Weights are named as in timm, so that theirs can be taken over."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn

from deepwright.model.convolution import ChannelNorm
from deepwright.model.layers import ACTIVATIONS, StochasticDepth, depth_rates
from deepwright.model.pixels import Pixels

EPS = 1e-6
WIDENING = 4
SCALE = 1e-6
"""Where the factor on each block's branch begins."""


class Block(nn.Module):
    """x + a branch: depthwise convolution, normalisation, and two dense layers over the channels of each place."""

    def __init__(self, width: int, kernel: int, activation: str, drop: float) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=EPS)
        self.mlp = nn.Sequential(
            OrderedDict(
                fc1=nn.Linear(width, WIDENING * width),
                act=ACTIVATIONS[activation](),
                fc2=nn.Linear(WIDENING * width, width),
            )
        )
        self.gamma = nn.Parameter(torch.full((width,), SCALE))
        self.drop = StochasticDepth(drop) if drop else nn.Identity()

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        branch_BHWC = self.mlp(self.norm(self.conv_dw(x_BCHW).permute(0, 2, 3, 1))) * self.gamma
        return x_BCHW + self.drop(branch_BHWC).permute(0, 3, 1, 2)


class Stage(nn.Module):
    """Half the height and width (but in the first stage), then blocks."""

    def __init__(
        self, inner: int, outer: int, kernel: int, activation: str, drops: Sequence[float], *, is_first: bool
    ) -> None:
        super().__init__()
        self.downsample: nn.Module = (
            nn.Identity()
            if is_first
            else nn.Sequential(ChannelNorm(inner, eps=EPS), nn.Conv2d(inner, outer, 2, stride=2))
        )
        self.blocks = nn.Sequential(*(Block(outer, kernel, activation, drop) for drop in drops))

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self.blocks(self.downsample(x_BCHW))


class ConvNeXtNetwork(nn.Module):
    """Pixels > patches > stages > means > [B, K]."""

    def __init__(
        self,
        channels: int,
        num_outputs: int,
        *,
        patch: int,
        depths: Sequence[int],
        width: int,
        kernel: int,
        activation: str,
        stochastic_depth: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.pixels = Pixels(channels)
        self.stem = nn.Sequential(nn.Conv2d(channels, width, patch, stride=patch), ChannelNorm(width, eps=EPS))
        rates = iter(depth_rates(stochastic_depth, sum(depths)))
        self.stages = nn.Sequential()
        inner = width
        for number, count in enumerate(depths):
            outer = width * 2**number
            drops = [next(rates) for _ in range(count)]
            self.stages.append(Stage(inner, outer, kernel, activation, drops, is_first=number == 0))
            inner = outer
        self.head = nn.Sequential(
            OrderedDict(
                norm=nn.LayerNorm(inner, eps=EPS),
                drop=nn.Dropout(dropout) if dropout else nn.Identity(),
                fc=nn.Linear(inner, num_outputs),
            )
        )

    def forward(self, image_BHWC: torch.Tensor) -> torch.Tensor:
        return self.head(self.stages(self.stem(self.pixels(image_BHWC))).mean((2, 3)))
