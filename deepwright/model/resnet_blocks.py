"""Residual networks; imports torch. Weights are named as in torchvision, so that theirs can be taken over."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from deepwright.model.convolution import Gain, SqueezeExcite, convolve, normalise
from deepwright.model.layers import ACTIVATIONS, StochasticDepth, depth_rates
from deepwright.model.pixels import Pixels


@dataclass(frozen=True)
class Style:
    """What all blocks of a network share. expansion: 1 for two 3x3 convolutions, 4 for a bottleneck."""

    expansion: int
    activation: str
    normalisation: str
    pre_activation: bool
    squeeze_excite: bool
    zero_last: bool


class Block(nn.Module):
    """x + branch(x): two 3x3 convolutions, or 1x1, 3x3, 1x1 with the middle one narrow; the stride is in the 3x3.

    After pre-activation (normalise, bend, convolve) nothing follows the sum, else an activation does.
    """

    def __init__(self, inner: int, width: int, stride: int, drop: float, style: Style) -> None:
        super().__init__()
        outer = width * style.expansion
        self.style = style
        if style.expansion == 1:
            sizes = [(inner, width, 3, stride), (width, outer, 3, 1)]
        else:
            sizes = [(inner, width, 1, 1), (width, width, 3, stride), (width, outer, 1, 1)]
        self.steps = len(sizes)
        for step, (before, after, kernel, step_stride) in enumerate(sizes, start=1):
            convolution = convolve(before, after, kernel, stride=step_stride, normalisation=style.normalisation)
            norm = normalise(style.normalisation, before if style.pre_activation else after)
            if step == self.steps and style.normalisation == "none":
                norm = Gain()
            if step == self.steps and style.zero_last:
                nn.init.zeros_(norm.weight)
            self.add_module(f"conv{step}", convolution)
            self.add_module(f"bn{step}", norm)
        self.act = ACTIVATIONS[style.activation]()
        self.se = SqueezeExcite(outer) if style.squeeze_excite else nn.Identity()
        self.drop = StochasticDepth(drop) if drop else nn.Identity()
        self.downsample: nn.Module | None = None
        if stride > 1 or inner != outer:
            projection = convolve(inner, outer, 1, stride=stride, normalisation=style.normalisation)
            norms = [] if style.pre_activation else [normalise(style.normalisation, outer)]
            self.downsample = nn.Sequential(projection, *norms)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self._pre(x_BCHW) if self.style.pre_activation else self._post(x_BCHW)

    def _post(self, x: torch.Tensor) -> torch.Tensor:
        branch = x
        for step in range(1, self.steps + 1):
            branch = getattr(self, f"bn{step}")(getattr(self, f"conv{step}")(branch))
            if step < self.steps:
                branch = self.act(branch)
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.act(shortcut + self.drop(self.se(branch)))

    def _pre(self, x: torch.Tensor) -> torch.Tensor:
        first = branch = self.act(self.bn1(x))
        for step in range(1, self.steps + 1):
            if step > 1:
                branch = self.act(getattr(self, f"bn{step}")(branch))
            branch = getattr(self, f"conv{step}")(branch)
        shortcut = x if self.downsample is None else self.downsample(first)
        return shortcut + self.drop(self.se(branch))


class ResidualNetwork(nn.Module):
    """Pixels > stem > stages, each half as high and wide and twice as many channels > means > [B, K].

    large_stem: a 7x7 convolution of stride 2 and max pooling, else one 3x3 convolution.
    """

    def __init__(
        self,
        channels: int,
        num_outputs: int,
        style: Style,
        *,
        blocks: Sequence[int],
        width: int,
        large_stem: bool,
        stochastic_depth: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.pixels = Pixels(channels)
        stem_kernel, stem_stride = (7, 2) if large_stem else (3, 1)
        self.conv1 = convolve(channels, width, stem_kernel, stride=stem_stride, normalisation=style.normalisation)
        self.bn1 = nn.Identity() if style.pre_activation else normalise(style.normalisation, width)
        self.act = nn.Identity() if style.pre_activation else ACTIVATIONS[style.activation]()
        self.maxpool = nn.MaxPool2d(3, 2, 1) if large_stem else nn.Identity()
        drops = iter(depth_rates(stochastic_depth, sum(blocks)))
        self.stages = len(blocks)
        inner = width
        for stage, count in enumerate(blocks):
            middle = width * 2**stage
            layer = nn.Sequential()
            for number in range(count):
                stride = 2 if stage and number == 0 else 1
                layer.append(Block(inner, middle, stride, next(drops), style))
                inner = middle * style.expansion
            self.add_module(f"layer{stage + 1}", layer)
        last = [normalise(style.normalisation, inner), ACTIVATIONS[style.activation]()] if style.pre_activation else []
        self.last = nn.Sequential(*last)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.fc = nn.Linear(inner, num_outputs)

    def forward(self, image_BHWC: torch.Tensor) -> torch.Tensor:
        x_BCHW = self.maxpool(self.act(self.bn1(self.conv1(self.pixels(image_BHWC)))))
        for stage in range(1, self.stages + 1):
            x_BCHW = getattr(self, f"layer{stage}")(x_BCHW)
        return self.fc(self.dropout(self.last(x_BCHW).mean((2, 3))))
