"""DenseNet; imports torch. Weights are named as in torchvision, so that theirs can be taken over."""

from collections.abc import Sequence

import torch
from torch import nn

from deepwright.model.convolution import convolve, normalise
from deepwright.model.layers import ACTIVATIONS
from deepwright.model.pixels import Pixels

BOTTLENECK = 4
"""Channels between the two convolutions of a layer, per channel that it adds."""


class DenseLayer(nn.Module):
    """x and beside it `growth` new channels made of it: normalise, bend, 1x1; normalise, bend, 3x3."""

    def __init__(self, inner: int, growth: int, normalisation: str, activation: str, dropout: float) -> None:
        super().__init__()
        self.norm1 = normalise(normalisation, inner)
        self.act = ACTIVATIONS[activation]()
        self.conv1 = convolve(inner, BOTTLENECK * growth, 1, normalisation=normalisation)
        self.norm2 = normalise(normalisation, BOTTLENECK * growth)
        self.conv2 = convolve(BOTTLENECK * growth, growth, normalisation=normalisation)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        inside = self.conv1(self.act(self.norm1(x_BCHW)))
        new = self.dropout(self.conv2(self.act(self.norm2(inside))))
        return torch.cat([x_BCHW, new], dim=1)


class Transition(nn.Module):
    """Half the channels, half the height and width."""

    def __init__(self, inner: int, outer: int, normalisation: str, activation: str) -> None:
        super().__init__()
        self.norm = normalise(normalisation, inner)
        self.act = ACTIVATIONS[activation]()
        self.conv = convolve(inner, outer, 1, normalisation=normalisation)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self.pool(self.conv(self.act(self.norm(x_BCHW))))


class DenseNetwork(nn.Module):
    """Pixels > stem > dense blocks with transitions between them > means > [B, K].

    large_stem: a 7x7 convolution of stride 2 and pooling, else one 3x3 convolution.
    """

    def __init__(
        self,
        channels: int,
        num_outputs: int,
        *,
        blocks: Sequence[int],
        growth: int,
        large_stem: bool,
        normalisation: str,
        activation: str,
        layer_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.pixels = Pixels(channels)
        self.features = nn.Sequential()
        inner = 2 * growth
        add = self.features.add_module
        if large_stem:
            add("conv0", convolve(channels, inner, 7, stride=2, normalisation=normalisation))
            add("norm0", normalise(normalisation, inner))
            add("act0", ACTIVATIONS[activation]())
            add("pool0", nn.MaxPool2d(3, 2, 1))
        else:
            add("conv0", convolve(channels, inner, normalisation=normalisation))
        for number, count in enumerate(blocks, start=1):
            block = nn.Sequential()
            for layer in range(1, count + 1):
                dense = DenseLayer(inner, growth, normalisation, activation, layer_dropout)
                block.add_module(f"denselayer{layer}", dense)
                inner += growth
            add(f"denseblock{number}", block)
            if number < len(blocks):
                add(f"transition{number}", Transition(inner, inner // 2, normalisation, activation))
                inner //= 2
        add(f"norm{len(blocks) + 1}", normalise(normalisation, inner))
        add("last_act", ACTIVATIONS[activation]())
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.classifier = nn.Linear(inner, num_outputs)

    def forward(self, image_BHWC: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.dropout(self.features(self.pixels(image_BHWC)).mean((2, 3))))
