"""ResNet: residual networks, from 8 layers for small images to 152."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from deepwright.core.part import option
from deepwright.model.images import ImageNetwork, Shape, is_small
from deepwright.model.options import ImageNormalisation

if TYPE_CHECKING:
    from torch import nn

SMALL = {8: 1, 20: 3, 32: 5, 44: 7, 56: 9, 110: 18}
"""Blocks in each of three stages, by depth."""
LARGE = {
    18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3),
}  # fmt: skip
"""Blocks in each of four stages, by depth; from 50 on they are bottlenecks."""
BOTTLENECK_FROM = 50


class ResNet(ImageNetwork, kind="resnet"):
    """A residual network: each block adds to what enters it, so that very deep ones learn.

    >>> import torch
    >>> from deepwright.core.families import Tensor
    >>> net = ResNet(depth=8).build((Tensor("image", 3, "uint8", shape=(32, 32, 3)),), num_outputs=10)
    >>> net(torch.zeros(2, 32, 32, 3, dtype=torch.uint8)).shape, sum(p.numel() for p in net.parameters())
    (torch.Size([2, 10]), 78042)

    References: He et al. 2015, arXiv 1512.03385; pre-activation: He et al. 2016, arXiv 1603.05027; squeeze and
    excitation: Hu et al. 2018, arXiv 1709.01507; branches that begin at zero: Goyal et al. 2017, arXiv 1706.02677;
    stochastic depth: Huang et al. 2016, arXiv 1603.09382.
    """

    suited: ClassVar[Mapping[str, Any]] = {
        "optimizer": {"kind": "muon", "lr": 0.07, "momentum": 0.95, "weight_decay": 0.05, "rest_lr": 5e-3},
        "schedule": {"kind": "cosine", "warmup": 0.1},
        "batch_size": 64,
        "epochs": 30,
        "least_steps": 2000,
        "most_steps": 6000,
    }

    depth: Literal[8, 18, 20, 32, 34, 44, 50, 56, 101, 110, 152] | None = option(
        None,
        "layers with weights; 8, 20, 32, 44, 56, 110: three stages, made for small images; the others: four; "
        "none: 20 for images under 64 pixels, else 18",
    )
    width: int | None = option(
        None, "channels of the first stage, doubled in each further one; none: 16 where there are three, else 64",
        low=1, high=4096,
    )  # fmt: skip
    stem: Literal["small", "large"] | None = option(
        None,
        "small: a 3x3 convolution; large: 7x7 of stride 2, then pooling; none: small for images under 64 pixels",
    )
    pre_activation: bool = option(False, "normalise and bend before each convolution and not behind it")
    attention: Literal["none", "squeeze_excite"] = option("none", "what weighs the channels of each block")
    normalisation: ImageNormalisation = option("batch", "what stands between a convolution and its activation")
    zero_last: bool = option(True, "whether each block begins as what enters it, by a zero in its last normalisation")
    stochastic_depth: float = option(
        0.0, "share of training steps in which the last block is left out, less before it", low=0, below=1
    )

    def settled(self, shape: Shape) -> Self:
        depth = self.depth or (20 if is_small(shape) else 18)
        stem = self.stem or ("small" if is_small(shape) else "large")
        return self.replace(depth=depth, stem=stem, width=self.width or (64 if depth in LARGE else 16))

    def layers_for(self, shape: Shape, num_outputs: int) -> "nn.Module":
        from deepwright.model.resnet_blocks import ResidualNetwork, Style

        own = self.settled(shape)
        depth = own.depth or 0
        style = Style(
            expansion=4 if depth in LARGE and depth >= BOTTLENECK_FROM else 1,
            activation=self.activation,
            normalisation=self.normalisation,
            pre_activation=self.pre_activation,
            squeeze_excite=self.attention == "squeeze_excite",
            zero_last=self.zero_last,
        )
        return ResidualNetwork(
            shape[2],
            num_outputs,
            style,
            blocks=LARGE[depth] if depth in LARGE else (SMALL[depth],) * 3,
            width=own.width or 0,
            large_stem=own.stem == "large",
            stochastic_depth=self.stochastic_depth,
            dropout=self.dropout,
        )
