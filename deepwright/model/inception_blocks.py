"""GoogLeNet; imports torch. Weights are named as in torchvision, so that theirs can be taken over."""

import torch
from torch import nn

from deepwright.model.convolution import convolve, normalise
from deepwright.model.layers import ACTIVATIONS
from deepwright.model.pixels import Pixels

EPS = 1e-3
MIXED = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Channels by block where the stem has 64: branch 1; branch 2 inside, outside; branch 3 inside, outside; branch 4."""
STAGES = (("3a", "3b"), ("4a", "4b", "4c", "4d", "4e"), ("5a", "5b"))
"""Between stages the image is halved."""


class Unit(nn.Module):
    """Convolution, normalisation, activation."""

    def __init__(
        self, inner: int, outer: int, kernel: int, *, stride: int = 1, normalisation: str, activation: str
    ) -> None:
        super().__init__()
        self.conv = convolve(inner, outer, kernel, stride=stride, normalisation=normalisation)
        self.bn = normalise(normalisation, outer, EPS)
        self.act = ACTIVATIONS[activation]()

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self.act(self.bn(self.conv(x_BCHW)))


class Mixed(nn.Module):
    """Four branches side by side: 1x1; 1x1 and 3x3; 1x1 and 3x3; pooling and 1x1."""

    def __init__(self, inner: int, widths: tuple[int, ...], normalisation: str, activation: str) -> None:
        super().__init__()

        def unit(before: int, after: int, kernel: int) -> Unit:
            return Unit(before, after, kernel, normalisation=normalisation, activation=activation)

        first, second_in, second, third_in, third, fourth = widths
        self.branch1 = unit(inner, first, 1)
        self.branch2 = nn.Sequential(unit(inner, second_in, 1), unit(second_in, second, 3))
        self.branch3 = nn.Sequential(unit(inner, third_in, 1), unit(third_in, third, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), unit(inner, fourth, 1))
        self.width = first + second + third + fourth

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([branch(x_BCHW) for branch in branches], dim=1)


class InceptionNetwork(nn.Module):
    """Pixels > stem > mixed blocks > means > [B, K].

    blocks: how many of each stage are there. large_stem: a 7x7 convolution of stride 2 and two poolings, else a 3x3
    convolution and none. is_photograph: between stages the image is halved as torchvision does, which takes images that
    are not small.
    """

    def __init__(
        self,
        channels: int,
        num_outputs: int,
        *,
        blocks: tuple[int, ...],
        width: int,
        large_stem: bool,
        is_photograph: bool,
        normalisation: str,
        activation: str,
        dropout: float,
    ) -> None:
        super().__init__()

        def unit(before: int, after: int, kernel: int, stride: int = 1) -> Unit:
            return Unit(before, after, kernel, stride=stride, normalisation=normalisation, activation=activation)

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, 2, ceil_mode=True) if large_stem else nn.Identity()

        self.pixels = Pixels(channels)
        self.conv1 = unit(channels, width, 7, 2) if large_stem else unit(channels, width, 3)
        self.maxpool1 = pool()
        self.conv2 = unit(width, width, 1)
        self.conv3 = unit(width, 3 * width, 3)
        self.maxpool2 = pool()
        self.stages = tuple(names[:count] for names, count in zip(STAGES, blocks, strict=True))
        inner = 3 * width
        for name in (name for names in self.stages for name in names):
            block = Mixed(inner, tuple(max(1, round(w * width / 64)) for w in MIXED[name]), normalisation, activation)
            self.add_module(f"inception{name}", block)
            inner = block.width
        self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True) if is_photograph else nn.MaxPool2d(3, 2, padding=1)
        self.maxpool4 = nn.MaxPool2d(2, 2, ceil_mode=True) if is_photograph else nn.MaxPool2d(3, 2, padding=1)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.fc = nn.Linear(inner, num_outputs)

    def forward(self, image_BHWC: torch.Tensor) -> torch.Tensor:
        x_BCHW = self.maxpool1(self.conv1(self.pixels(image_BHWC)))
        x_BCHW = self.maxpool2(self.conv3(self.conv2(x_BCHW)))
        for names, pool in zip(self.stages, (None, self.maxpool3, self.maxpool4), strict=True):
            x_BCHW = x_BCHW if pool is None else pool(x_BCHW)
            for name in names:
                x_BCHW = getattr(self, f"inception{name}")(x_BCHW)
        return self.fc(self.dropout(x_BCHW.mean((2, 3))))
