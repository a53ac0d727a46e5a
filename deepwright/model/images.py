"""Networks on images: what they have in common."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from deepwright.core.errors import RecipeError
from deepwright.core.families import Form, Network, Tensor
from deepwright.core.part import option
from deepwright.core.schema import Type
from deepwright.model.options import Activation, Initialisation

if TYPE_CHECKING:
    from torch import nn

SMALLEST_SIDE = 8
SMALL_SIDE = 64
"""Images whose shorter side is below this are small: a network made for photographs would shrink them to nothing in its
first layers."""

Shape = tuple[int, int, int]
"""Height, width and channels."""


class ImageNetwork(Network):
    """A network on one column of images, of any size from 8 pixels and any number of channels.

    has_free_size: whether its weights, once built, take images of other heights and widths too.
    """

    form: ClassVar[Form] = "image"
    takes: ClassVar[frozenset[Type]] = frozenset({"image"})
    has_free_size: ClassVar[bool] = True

    activation: Activation = option("relu", "what makes the network bend, behind each normalisation")
    initialisation: Initialisation = option(
        "kaiming_normal",
        "where weights begin; torch: uniform by the width; data: outputs of mean 0 and sd 1 on training images",
    )
    dropout: float = option(0.0, "share of numbers before the last layer silenced in a training step", low=0, below=1)

    def build(self, inputs: tuple[Tensor, ...], num_outputs: int) -> "nn.Module":
        """forward(image uint8 [B, H, W, C]) gives [B, num_outputs]; weights are channels last in memory.

        Raises RecipeError where there is not one image of at least 8 x 8 pixels, or the options do not fit its size.
        """
        import torch

        from deepwright.model.initialisation import initialise

        module = self.layers_for(image_shape(inputs, self.kind), num_outputs)
        initialise(module, self.initialisation)
        return module.to(memory_format=torch.channels_last)

    def settled(self, shape: Shape) -> Self:
        """This network with the options named that are left open to the image's size: it is the same for others."""
        return self

    def layers_for(self, shape: Shape, num_outputs: int) -> "nn.Module":
        """The module whose first layer is `pixels`, a `pixels.Pixels`."""
        raise NotImplementedError

    def adapt(self, module: "nn.Module", tensors: Mapping[str, np.ndarray]) -> None:
        import torch

        from deepwright.model.initialisation import DATA_ROWS, fit_scale

        (images,) = tensors.values()
        module.pixels.adapt(images)
        if self.initialisation == "data":
            fit_scale(module, [torch.from_numpy(np.array(images[:DATA_ROWS]))])


def image_shape(inputs: tuple[Tensor, ...], kind: str) -> Shape:
    """The shape of the one image among the inputs. Raises RecipeError where there is another number, or it is tiny.

    >>> image_shape((Tensor("photo", 3, "uint8", shape=(32, 48, 3)),), "cnn")
    (32, 48, 3)
    """
    shapes = [tensor.shape for tensor in inputs if tensor.shape is not None]
    if len(shapes) != 1 or len(inputs) != 1:
        found = ", ".join(tensor.name for tensor in inputs) or "-"
        raise RecipeError("model.one_image", network=kind, found=found)
    height, width, _ = shapes[0]
    if min(height, width) < SMALLEST_SIDE:
        raise RecipeError("model.image_tiny", network=kind, height=height, width=width, least=SMALLEST_SIDE)
    return shapes[0]


def is_small(shape: Shape) -> bool:
    """Whether the shorter side has fewer than 64 pixels."""
    return min(shape[:2]) < SMALL_SIDE
