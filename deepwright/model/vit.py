"""ViT: a transformer on the squares of an image."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator

from deepwright.core.errors import RecipeError
from deepwright.core.part import option
from deepwright.model.images import ImageNetwork, Shape
from deepwright.model.options import Activation, Initialisation

if TYPE_CHECKING:
    from torch import nn

LARGEST_PATCH = 16
PLACES = 8
"""Patches along the shorter side of a small image."""


class ViT(ImageNetwork, kind="vit"):
    """A Vision Transformer: an image is cut into squares, and blocks of attention mix what they show.

    dim 192, depth 12, heads 3 is its size Tiny; 384, 12, 6 Small; 768, 12, 12 Base. It needs more images than a
    convolutional network, since it must learn what is near what.

    >>> import torch
    >>> from deepwright.core.families import Tensor
    >>> net = ViT(dim=32, depth=2, heads=2).build((Tensor("image", 3, "uint8", shape=(32, 32, 3)),), num_outputs=10)
    >>> net(torch.zeros(2, 32, 32, 3, dtype=torch.uint8)).shape
    torch.Size([2, 10])

    References: Dosovitskiy et al. 2021, arXiv 2010.11929; the mean of tokens: Beyer et al. 2022, arXiv 2205.01580.
    """

    has_free_size: ClassVar[bool] = False
    """Each place has a learned vector."""
    suited: ClassVar[Mapping[str, Any]] = {
        "optimizer": {"kind": "adamw", "lr": 1e-3, "weight_decay": 0.05},
        "schedule": {"kind": "cosine", "warmup": 0.2},
        "batch_size": 128,
        "epochs": 60,
        "ema": 0.998,
        "clip_norm": 1.0,
    }

    activation: Activation = option("gelu", "what makes the network bend, once in each block")
    initialisation: Initialisation = option(
        "truncated_normal", "where weights begin; truncated_normal: sd 0.02; torch: uniform by the width"
    )
    patch: int | None = option(
        None,
        "side of the squares that the image is cut into, in pixels; none: an eighth of its shorter side, at most 16",
        low=1, high=256,
    )  # fmt: skip
    dim: int = option(192, "numbers of a token; a multiple of heads", low=1, high=8192, search=(96, 384, "log"))
    depth: int = option(6, "blocks of attention and feed-forward", low=1, high=64, search=(4, 12))
    heads: int = option(3, "attention heads", low=1, high=256)
    widening: float = option(4.0, "units of the feed-forward part per number of a token", above=0, high=16)
    summary: Literal["mean", "token"] = option(
        "mean", "what the answer is read from: the mean of all tokens, or one of its own"
    )
    inner_dropout: float = option(
        0.0, "share of attention and feed-forward units silenced in a training step", low=0, below=1
    )
    stochastic_depth: float = option(
        0.1, "share of training steps in which the last block is left out, less before it", low=0, below=1
    )

    @model_validator(mode="after")
    def _heads_share_the_dim(self) -> "ViT":
        if self.dim % self.heads:
            nearest = -(-self.dim // self.heads) * self.heads
            raise RecipeError("model.vit_heads", dim=self.dim, heads=self.heads, nearest=nearest)
        return self

    def settled(self, shape: Shape) -> Self:
        return self.replace(patch=self.patch or min(LARGEST_PATCH, min(shape[:2]) // PLACES))

    def layers_for(self, shape: Shape, num_outputs: int) -> "nn.Module":
        from deepwright.model.vit_blocks import VisionTransformer

        side = min(shape[:2])
        patch = self.settled(shape).patch or 1
        if patch > side:
            raise RecipeError("model.patch", patch=patch, height=shape[0], width=shape[1], largest=side)
        return VisionTransformer(
            shape,
            num_outputs,
            patch=patch,
            dim=self.dim,
            depth=self.depth,
            heads=self.heads,
            widening=self.widening,
            has_token=self.summary == "token",
            activation=self.activation,
            inner_dropout=self.inner_dropout,
            stochastic_depth=self.stochastic_depth,
            dropout=self.dropout,
        )
