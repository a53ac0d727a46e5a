"""ConvNeXt: a convolutional network after the pattern of transformers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import field_validator

from deepwright.core.errors import RecipeError
from deepwright.core.part import option
from deepwright.core.text import text
from deepwright.model.images import ImageNetwork, Shape
from deepwright.model.options import Activation, Initialisation

if TYPE_CHECKING:
    from torch import nn

PATCHES = (4, 2)
PLACES = 8
"""Patches along the shorter side that shall be left: as many as three halvings need."""


class ConvNeXt(ImageNetwork, kind="convnext"):
    """A convolutional network of wide depthwise kernels, layer normalisation and few activations.

    depths (2, 2, 6, 2) and width 40 are its size Atto, (3, 3, 9, 3) and 96 Tiny, (3, 3, 27, 3) and 128 Base.

    >>> import torch
    >>> from deepwright.core.families import Tensor
    >>> net = ConvNeXt(width=8).build((Tensor("image", 3, "uint8", shape=(32, 32, 3)),), num_outputs=10)
    >>> net(torch.zeros(2, 32, 32, 3, dtype=torch.uint8)).shape
    torch.Size([2, 10])

    Reference: Liu et al. 2022, arXiv 2201.03545.
    """

    suited: ClassVar[Mapping[str, Any]] = {
        "optimizer": {"kind": "adamw", "lr": 2e-3, "weight_decay": 0.05},
        "schedule": {"kind": "cosine", "warmup": 0.2},
        "batch_size": 128,
        "epochs": 60,
        "ema": 0.998,
    }

    activation: Activation = option("gelu", "what makes the network bend, once in each block")
    initialisation: Initialisation = option(
        "truncated_normal", "where weights begin; truncated_normal: sd 0.02; torch: uniform by the width"
    )
    patch: int | None = option(
        None,
        "side of the squares that the image is cut into first, in pixels; none: 4, 2 or 1, so that 8 stand in a row",
        low=1, high=64,
    )  # fmt: skip
    depths: tuple[int, ...] = option((2, 2, 6, 2), "blocks of each stage")
    width: int = option(40, "channels of the first stage, doubled in each further one", low=1, high=4096)
    kernel: int = option(7, "side of the depthwise kernels, in pixels; an odd number", low=1, high=63)
    stochastic_depth: float = option(
        0.1, "share of training steps in which the last block is left out, less before it", low=0, below=1
    )

    @field_validator("depths")
    @classmethod
    def _stages_have_blocks(cls, depths: tuple[int, ...]) -> tuple[int, ...]:
        if not (depths and all(1 <= count <= 256 for count in depths)):
            raise ValueError(text("model.depths"))
        return depths

    @field_validator("kernel")
    @classmethod
    def _kernel_has_a_middle(cls, kernel: int) -> int:
        if kernel % 2 == 0:
            raise ValueError(text("model.even_kernel", nearest=kernel + 1))
        return kernel

    def settled(self, shape: Shape) -> Self:
        side = min(shape[:2])
        return self.replace(patch=self.patch or next((size for size in PATCHES if side // size >= PLACES), 1))

    def layers_for(self, shape: Shape, num_outputs: int) -> "nn.Module":
        from deepwright.model.convnext_blocks import ConvNeXtNetwork

        side = min(shape[:2])
        patch = self.settled(shape).patch or 1
        shrinking = patch * 2 ** (len(self.depths) - 1)
        if side < shrinking:
            raise RecipeError(
                "model.convnext_image_small",
                patch=patch, stages=len(self.depths), height=shape[0], width=shape[1], least=shrinking,
            )  # fmt: skip
        return ConvNeXtNetwork(
            shape[2],
            num_outputs,
            patch=patch,
            depths=self.depths,
            width=self.width,
            kernel=self.kernel,
            activation=self.activation,
            stochastic_depth=self.stochastic_depth,
            dropout=self.dropout,
        )
