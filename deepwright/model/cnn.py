"""A plain convolutional network."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator, model_validator

from deepwright.core.errors import RecipeError
from deepwright.core.part import option
from deepwright.core.text import text
from deepwright.model.images import ImageNetwork, Shape
from deepwright.model.options import ImageNormalisation

if TYPE_CHECKING:
    from torch import nn


class CNN(ImageNetwork, kind="cnn"):
    """A plain convolutional network: stages of convolutions with pooling between them, then a mean over the image.

    >>> import torch
    >>> from deepwright.core.families import Tensor
    >>> net = CNN().build((Tensor("image", 1, "uint8", shape=(28, 28, 1)),), num_outputs=10)
    >>> net(torch.zeros(2, 28, 28, 1, dtype=torch.uint8)).shape, sum(p.numel() for p in net.parameters())
    (torch.Size([2, 10]), 288170)

    Reference: Simonyan and Zisserman 2015 (stages of 3x3 convolutions), arXiv 1409.1556.
    """

    suited: ClassVar[Mapping[str, Any]] = {
        "optimizer": {"kind": "adamw", "lr": 2e-3, "weight_decay": 0.05},
        "schedule": {"kind": "cosine", "warmup": 0.1},
        "batch_size": 128,
        "epochs": 30,
        "ema": 0.998,
    }

    widths: tuple[int, ...] = option((32, 64, 128), "channels of each stage")
    repeats: int = option(2, "convolutions in each stage", low=1, high=32, search=(1, 3))
    kernels: tuple[int, ...] = option((3,), "side of the kernel in each stage, in pixels; one number: in all of them")
    strides: tuple[int, ...] = option((1,), "stride of each stage's first convolution; one number: in all of them")
    pooling: Literal["max", "mean", "none"] = option("max", "what halves the image between stages")
    normalisation: ImageNormalisation = option("batch", "what stands between a convolution and its activation")
    summary: Literal["mean", "max", "flatten"] = option(
        "mean", "what is taken of each channel at the end; flatten: every pixel, so the size cannot change"
    )
    dense: tuple[int, ...] = option((), "units of dense layers before the last one")

    @field_validator("widths", "dense", "kernels", "strides")
    @classmethod
    def _numbers_are_positive(cls, numbers: tuple[int, ...]) -> tuple[int, ...]:
        wrong = [number for number in numbers if not 1 <= number <= 65_536]
        if wrong:
            raise ValueError(text("model.size_out_of_range", found=wrong[0]))
        return numbers

    @model_validator(mode="after")
    def _each_stage_has_its_kernel_and_stride(self) -> "CNN":
        if not self.widths:
            raise RecipeError("model.no_stage")
        for name, numbers in (("kernels", self.kernels), ("strides", self.strides)):
            if len(numbers) not in (1, len(self.widths)):
                raise RecipeError("model.stages_differ", option=name, found=len(numbers), stages=len(self.widths))
        return self

    def layers_for(self, shape: Shape, num_outputs: int) -> "nn.Module":
        from torch import nn

        from deepwright.model.convolution import Summary, convolve, normalise
        from deepwright.model.layers import ACTIVATIONS, dense_stack
        from deepwright.model.pixels import Pixels

        height, width, channels = shape
        layers: list[nn.Module] = []
        inner = channels
        for stage, (outer, kernel, stride) in enumerate(zip(self.widths, *self._kernels_and_strides(), strict=True)):
            if stage and self.pooling != "none":
                if min(height, width) < 2:
                    raise RecipeError("model.image_used_up", stage=stage + 1, height=height, width=width)
                layers.append(nn.MaxPool2d(2) if self.pooling == "max" else nn.AvgPool2d(2))
                height, width = height // 2, width // 2
            for repeat in range(self.repeats):
                step = stride if repeat == 0 else 1
                convolution = convolve(inner, outer, kernel, stride=step, normalisation=self.normalisation)
                height, width = _after(height, kernel, step), _after(width, kernel, step)
                normal = [] if self.normalisation == "none" else [normalise(self.normalisation, outer)]
                layers += [convolution, *normal, ACTIVATIONS[self.activation]()]
                inner = outer
        numbers = inner * height * width if self.summary == "flatten" else inner
        dropout = [nn.Dropout(self.dropout)] if self.dropout else []
        head = dense_stack(
            numbers, self.dense, num_outputs, activation=self.activation, normalisation="none", dropout=self.dropout
        )
        module = nn.Sequential()
        module.add_module("pixels", Pixels(channels))
        module.add_module("features", nn.Sequential(*layers))
        module.add_module("summary", Summary(self.summary))
        module.add_module("head", nn.Sequential(*dropout, *head))
        return module

    def _kernels_and_strides(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """One of each for every stage."""
        stages = len(self.widths)
        kernels, strides = (each * (stages if len(each) == 1 else 1) for each in (self.kernels, self.strides))
        return kernels, strides


def _after(size: int, kernel: int, stride: int) -> int:
    """The size behind a convolution that is padded by half its kernel."""
    return (size + 2 * (kernel // 2) - kernel) // stride + 1
