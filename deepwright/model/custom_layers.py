"""The kinds of layers that a network written as a list is made of."""

from typing import TYPE_CHECKING, Literal

from deepwright.core.errors import RecipeError
from deepwright.core.part import option
from deepwright.model.layer import Layer, Shape, shown
from deepwright.model.options import Activation

if TYPE_CHECKING:
    from torch import nn

MOST = 65_536


class Conv(Layer, kind="conv"):
    """A convolution; at stride 1 the image keeps its size.

    >>> Conv(width=8).build((3, 16, 16), where="1", activation="relu")
    Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    """

    width: int = option(help="channels that it makes", low=1, high=MOST)
    kernel: int = option(3, "side of the kernel, in pixels", low=1, high=255)
    stride: int = option(1, "pixels from one place of the kernel to the next; 2 halves the image", low=1, high=255)
    padding: int | None = option(
        None, "zeros around the image, in pixels; none: half of what the kernel spans", low=0, high=255
    )
    dilation: int = option(1, "pixels from one number of the kernel to the next", low=1, high=255)
    groups: int = option(1, "groups of channels that do not mix; as many as channels: depthwise", low=1, high=MOST)
    bias: bool = option(True, "whether each channel has a number that is added; not needed before a norm")

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from torch import nn

        channels, height, width = self.map_in(shape, where)
        if channels % self.groups or self.width % self.groups:
            raise RecipeError(
                "model.layer_groups", where=where, found=shown(shape), groups=self.groups, width=self.width
            )
        span = self.dilation * (self.kernel - 1) + 1
        padding = span // 2 if self.padding is None else self.padding
        if min(height, width) + 2 * padding < span:
            raise RecipeError(
                "model.layer_kernel", where=where, found=shown(shape), span=span, most=min(height, width) + 2 * padding
            )
        return nn.Conv2d(
            channels, self.width, self.kernel, self.stride, padding, self.dilation, self.groups, bias=self.bias
        )


class Pool(Layer, kind="pool"):
    """The largest value, or the mean, of each square of the image, or of all of it.

    >>> Pool().build((3, 16, 16), where="1", activation="relu")
    MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    """

    how: Literal["max", "mean"] = option("max", "what is taken of each square")
    size: int | None = option(
        2, "side of a square, in pixels; none: the whole image, which leaves a row", low=1, high=255
    )
    stride: int | None = option(None, "pixels from one square to the next; none: as size", low=1, high=255)

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from torch import nn

        from deepwright.model.convolution import Summary

        _, height, width = self.map_in(shape, where)
        if self.size is None:
            return Summary(self.how)
        if self.size > min(height, width):
            raise RecipeError(
                "model.layer_pool", where=where, found=shown(shape), size=self.size, most=min(height, width)
            )
        return (nn.MaxPool2d if self.how == "max" else nn.AvgPool2d)(self.size, self.stride or self.size)


class Norm(Layer, kind="norm"):
    """Normalisation: over the batch, over groups of channels, or over the channels of each place."""

    how: Literal["batch", "group", "layer"] = option("batch", "over what mean and sd are taken")

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from torch import nn

        from deepwright.model.convolution import normalise

        if len(shape) == 3 or self.how == "group":
            return normalise(self.how, shape[0])
        return (nn.BatchNorm1d if self.how == "batch" else nn.LayerNorm)(shape[0])


class Activate(Layer, kind="activation"):
    """What makes the network bend."""

    how: Activation | None = option(None, "which function; none: the network's activation")

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from deepwright.model.layers import ACTIVATIONS

        return ACTIVATIONS[self.how or activation]()


class Dropout(Layer, kind="dropout"):
    """Numbers silenced by chance in a training step."""

    share: float = option(0.2, "share of numbers silenced", low=0, below=1)

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from torch import nn

        return nn.Dropout(self.share)


class Residual(Layer, kind="residual"):
    """Layers whose result is added to what enters them, by a 1x1 convolution where its shape is another."""

    layers: tuple[Layer, ...] = option(help="the layers of the branch")
    stochastic_depth: float = option(0.0, "share of training steps in which the branch is left out", low=0, below=1)

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from torch import nn

        from deepwright.model import custom_blocks
        from deepwright.model.layers import StochasticDepth

        branch, after = chain(self.layers, shape, where=where, activation=activation)
        drop = StochasticDepth(self.stochastic_depth) if self.stochastic_depth else nn.Identity()
        return custom_blocks.Residual(branch, _shortcut(shape, after, where), drop)


class DenseConnection(Layer, kind="dense_connection"):
    """Layers whose result stands beside what enters them: the channels of both together."""

    layers: tuple[Layer, ...] = option(help="the layers of the branch; they keep height and width")

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from deepwright.model.custom_blocks import Beside

        branch, after = chain(self.layers, shape, where=where, activation=activation)
        if after[1:] != shape[1:]:
            raise RecipeError("model.layer_beside", where=where, before=shown(shape), after=shown(after))
        return Beside(branch)


class SqueezeExcite(Layer, kind="squeeze_excite"):
    """Attention to channels: each is multiplied by a number in 0 to 1 that the means of all of them decide."""

    reduction: int = option(16, "channels for each unit of the layer that decides", low=1, high=MOST)

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from deepwright.model import convolution

        return convolution.SqueezeExcite(self.map_in(shape, where)[0], self.reduction)


class SelfAttention(Layer, kind="self_attention"):
    """Attention to places: each place of the image becomes a mean of all, weighted by how well they fit it."""

    heads: int = option(4, "attention heads; they share the channels out", low=1, high=256)

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from deepwright.model.custom_blocks import PlaceAttention

        channels, _, _ = self.map_in(shape, where)
        if channels % self.heads:
            raise RecipeError("model.layer_heads", where=where, found=shown(shape), heads=self.heads)
        return PlaceAttention(channels, self.heads)


class Flatten(Layer, kind="flatten"):
    """All numbers of an image as one row."""

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from torch import nn

        self.map_in(shape, where)
        return nn.Flatten()


class Linear(Layer, kind="linear"):
    """A dense layer on a row of numbers."""

    width: int = option(help="units", low=1, high=MOST)

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        from torch import nn

        if len(shape) != 1:
            raise RecipeError("model.layer_takes_row", where=where, kind=self.kind, found=shown(shape))
        return nn.Linear(shape[0], self.width)


def chain(layers: tuple[Layer, ...], shape: Shape, *, where: str, activation: str) -> "tuple[nn.Sequential, Shape]":
    """Layers one behind another for inputs [B, *shape], and the shape behind the last.

    where: the number of the layer that holds them, empty for the network's own.
    """
    from torch import nn

    from deepwright.model.custom_blocks import shape_behind

    modules = nn.Sequential()
    for number, layer in enumerate(layers, start=1):
        place = f"{where}.{number}" if where else str(number)
        module = layer.build(shape, where=place, activation=activation)
        modules.append(module)
        shape = shape_behind(module, shape)
    return modules, shape


def _shortcut(before: Shape, after: Shape, where: str) -> "nn.Module":
    """What brings a residual layer's input to the shape of its branch's result."""
    from torch import nn

    if before == after:
        return nn.Identity()
    if len(before) == len(after) == 1:
        return nn.Linear(before[0], after[0])
    if len(before) == len(after) == 3:
        stride = tuple(round(size / left) for size, left in zip(before[1:], after[1:], strict=True))
        if all(
            step and (size - 1) // step + 1 == left
            for size, left, step in zip(before[1:], after[1:], stride, strict=True)
        ):
            return nn.Conv2d(before[0], after[0], 1, stride)  # type: ignore[arg-type]
    raise RecipeError("model.layer_sum", where=where, before=shown(before), after=shown(after))
