"""Inception: convolutions of several sizes side by side."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import field_validator

from deepwright.core.part import option
from deepwright.core.text import text
from deepwright.model.images import ImageNetwork, Shape, is_small
from deepwright.model.options import ImageNormalisation

if TYPE_CHECKING:
    from torch import nn

MOST_BLOCKS = (2, 5, 2)


class Inception(ImageNetwork, kind="inception"):
    """GoogLeNet with batch normalisation: nine blocks, each of four branches side by side.

    >>> import torch
    >>> from deepwright.core.families import Tensor
    >>> net = Inception(width=8).build((Tensor("image", 3, "uint8", shape=(32, 32, 3)),), num_outputs=10)
    >>> net(torch.zeros(2, 32, 32, 3, dtype=torch.uint8)).shape
    torch.Size([2, 10])

    References: Szegedy et al. 2015, arXiv 1409.4842; normalisation: Ioffe and Szegedy 2015, arXiv 1502.03167.
    """

    suited: ClassVar[Mapping[str, Any]] = {
        "optimizer": {"kind": "adamw", "lr": 2e-3, "weight_decay": 0.05},
        "schedule": {"kind": "cosine", "warmup": 0.1},
        "batch_size": 128,
        "epochs": 30,
        "ema": 0.998,
    }

    width: int | None = option(
        None, "channels of the stem, by which all others go; none: 16 for images under 64 pixels, else 64",
        low=4, high=1024,
    )  # fmt: skip
    blocks: tuple[int, ...] = option((2, 5, 2), "blocks in each of three stages: at most 2, 5 and 2")
    stem: Literal["small", "large"] | None = option(
        None,
        "small: a 3x3 convolution; large: 7x7 of stride 2 and two poolings; none: small for images under 64 pixels",
    )
    normalisation: ImageNormalisation = option("batch", "what stands between a convolution and its activation")

    @field_validator("blocks")
    @classmethod
    def _blocks_are_there(cls, blocks: tuple[int, ...]) -> tuple[int, ...]:
        if len(blocks) != len(MOST_BLOCKS) or not all(1 <= b <= m for b, m in zip(blocks, MOST_BLOCKS, strict=True)):
            raise ValueError(text("model.inception_blocks"))
        return blocks

    def settled(self, shape: Shape) -> Self:
        stem, width = ("small", 16) if is_small(shape) else ("large", 64)
        return self.replace(stem=self.stem or stem, width=self.width or width)

    def layers_for(self, shape: Shape, num_outputs: int) -> "nn.Module":
        from deepwright.model.inception_blocks import InceptionNetwork

        own = self.settled(shape)
        return InceptionNetwork(
            shape[2],
            num_outputs,
            blocks=self.blocks,
            width=own.width or 0,
            large_stem=own.stem == "large",
            is_photograph=own.stem == "large" and not is_small(shape),
            normalisation=self.normalisation,
            activation=self.activation,
            dropout=self.dropout,
        )
