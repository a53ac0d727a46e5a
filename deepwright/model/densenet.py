"""DenseNet: every layer sees what all before it made."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import field_validator

from deepwright.core.errors import RecipeError
from deepwright.core.part import option
from deepwright.core.text import text
from deepwright.model.images import ImageNetwork, Shape, is_small
from deepwright.model.options import ImageNormalisation

if TYPE_CHECKING:
    from torch import nn

SMALL, SMALL_GROWTH = (6, 6, 6), 12
LARGE, LARGE_GROWTH = (6, 12, 24, 16), 32


class DenseNet(ImageNetwork, kind="densenet"):
    """A densely connected network: every layer adds a few channels to all those that it was given.

    >>> import torch
    >>> from deepwright.core.families import Tensor
    >>> net = DenseNet(blocks=(16, 16, 16)).build((Tensor("image", 3, "uint8", shape=(32, 32, 3)),), num_outputs=10)
    >>> sum(p.numel() for p in net.parameters())  # DenseNet-BC-100 of the paper: 0.8M
    769162

    Reference: Huang, Liu, van der Maaten, Weinberger 2017, arXiv 1608.06993.
    """

    suited: ClassVar[Mapping[str, Any]] = {
        "optimizer": {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4},
        "schedule": {"kind": "cosine", "warmup": 0.1},
        "batch_size": 64,
        "epochs": 30,
        "ema": 0.998,
    }

    blocks: tuple[int, ...] | None = option(
        None, "layers of each block; none: (6, 6, 6) for images under 64 pixels, else (6, 12, 24, 16): DenseNet-121"
    )
    growth: int | None = option(
        None, "channels that each layer adds; none: 12 for images under 64 pixels, else 32", low=1, high=1024
    )
    stem: Literal["small", "large"] | None = option(
        None,
        "small: a 3x3 convolution; large: 7x7 of stride 2, then pooling; none: small for images under 64 pixels",
    )
    normalisation: ImageNormalisation = option("batch", "what stands before each activation")
    layer_dropout: float = option(0.0, "share of each layer's new channels silenced in a training step", low=0, below=1)

    @field_validator("blocks")
    @classmethod
    def _blocks_have_layers(cls, blocks: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if blocks is not None and not (blocks and all(1 <= count <= 256 for count in blocks)):
            raise ValueError(text("model.dense_blocks"))
        return blocks

    def settled(self, shape: Shape) -> Self:
        stem, blocks, growth = ("small", SMALL, SMALL_GROWTH) if is_small(shape) else ("large", LARGE, LARGE_GROWTH)
        return self.replace(stem=self.stem or stem, blocks=self.blocks or blocks, growth=self.growth or growth)

    def layers_for(self, shape: Shape, num_outputs: int) -> "nn.Module":
        from deepwright.model.densenet_blocks import DenseNetwork

        own = self.settled(shape)
        blocks = own.blocks or ()
        shrinking = 2 ** (len(blocks) - 1) * (4 if own.stem == "large" else 1)
        if min(shape[:2]) < shrinking:
            raise RecipeError(
                "model.dense_image_small", blocks=len(blocks), height=shape[0], width=shape[1], least=shrinking
            )
        return DenseNetwork(
            shape[2],
            num_outputs,
            blocks=blocks,
            growth=own.growth or 0,
            large_stem=own.stem == "large",
            normalisation=self.normalisation,
            activation=self.activation,
            layer_dropout=self.layer_dropout,
            dropout=self.dropout,
        )
