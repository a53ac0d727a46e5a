"""Networks for tables: what they have in common, and the multilayer perceptron."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import field_validator

from deepwright.core.families import Form, Network, Tensor
from deepwright.core.part import option
from deepwright.core.text import text
from deepwright.model.options import Activation, Initialisation

if TYPE_CHECKING:
    from torch import nn

    from deepwright.model.layers import TabularInput

MAX_EMBEDDING_DIM = 50
NUMBER_DIM = 16
MAX_NUMBERS = 1024
"""Numbers that stand for all numbers together, if no other width is asked for: a wide table stays affordable."""


class TableNetwork(Network):
    """A network on numbers and categories: how each kind of column enters, and what its layers are made of."""

    form: ClassVar[Form] = "mixed"

    widths: tuple[int, ...] = option((256, 256), "units of each hidden layer; an empty list gives a linear model")
    dropout: float = option(0.1, "share of units silenced in a training step", low=0, below=1, search=(0.0, 0.5))
    activation: Activation = option("relu", "what follows each hidden layer")
    normalisation: Literal["none", "batch", "layer", "rms"] = option(
        "none", "what stands between a layer and its activation"
    )
    initialisation: Initialisation = option(
        "torch", "where weights begin; torch: uniform by the width; data: outputs of mean 0 and sd 1 on training rows"
    )
    number_embedding: Literal["none", "smooth_clip", "piecewise_linear", "periodic"] = option(
        "none", "how a number enters: as it is, drawn into -3 to 3, in pieces between quantiles, or as learned waves"
    )
    number_dim: int | None = option(
        None,
        "numbers that stand for one number (piecewise_linear, periodic); none: 16, fewer where there are more than 64",
        low=1,
        high=4096,
    )
    bins: int = option(64, "bins of each number (piecewise_linear)", low=2, high=4096, search=(8, 256, "log"))
    frequencies: int = option(24, "waves of each number (periodic)", low=1, high=4096)
    frequency_scale: float = option(
        0.1, "sd of the waves' first frequencies, per unit of the scaled number", above=0, search=(0.01, 10.0, "log")
    )
    one_hot: int = option(0, "codes of a category up to which it enters as one-hot, else by an embedding", low=0)
    embedding_dim: int | None = option(
        None, "numbers per embedded category; none: 1.6 * codes ** 0.56, at most 50, for each column", low=1, high=4096
    )

    @field_validator("widths")
    @classmethod
    def _widths_are_positive(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        wrong = [width for width in widths if not 1 <= width <= 65_536]
        if wrong:
            raise ValueError(text("model.width_out_of_range", width=wrong[0]))
        return widths

    def entry(self, inputs: tuple[Tensor, ...]) -> "tuple[TabularInput, list[int]]":
        """The first layer, and how many numbers stand for each column behind it."""
        from deepwright.model.layers import Categories, TabularInput

        entries: list[nn.Module | None] = []
        widths: list[int] = []
        for tensor in inputs:
            if tensor.dtype == "int64":
                codes = list(tensor.num_codes)
                dims = [None if n <= self.one_hot else self.embedding_dim or embedding_dim(n) for n in codes]
                categories = Categories(codes, dims)
                entries.append(categories)
                widths += categories.widths
            else:
                entries.append(self._numbers(tensor.width))
                widths += [self._dim(tensor.width)] * tensor.width
        return TabularInput(entries), widths

    def adapt(self, module: "nn.Module", tensors: Mapping[str, np.ndarray]) -> None:
        import torch

        from deepwright.model.initialisation import fit_scale
        from deepwright.model.number_embeddings import Periodic, PiecewiseLinear, SmoothClip

        values = list(tensors.values())
        for embed, numbers in zip(module.entry.embeddings, values, strict=True):
            if isinstance(embed, Periodic | PiecewiseLinear | SmoothClip):
                embed.adapt(numbers)
        if self.initialisation == "data":
            fit_scale(module, [torch.from_numpy(np.ascontiguousarray(each)) for each in values])

    def _dim(self, num_numbers: int) -> int:
        if self.number_embedding in ("none", "smooth_clip"):
            return 1
        return self.number_dim or max(1, min(NUMBER_DIM, MAX_NUMBERS // num_numbers))

    def _numbers(self, width: int) -> "nn.Module | None":
        from deepwright.model.number_embeddings import Periodic, PiecewiseLinear, SmoothClip

        if self.number_embedding == "piecewise_linear":
            return PiecewiseLinear(width, self.bins, self._dim(width))
        if self.number_embedding == "periodic":
            return Periodic(width, self.frequencies, self.frequency_scale, self._dim(width))
        return SmoothClip(width) if self.number_embedding == "smooth_clip" else None


class MLP(TableNetwork, kind="mlp"):
    """A multilayer perceptron: embeddings for categories, then dense layers.

    >>> import torch
    >>> inputs = (Tensor("numbers", 3), Tensor("categories", 2, "int64", (5, 10)))
    >>> net = MLP(widths=(16,)).build(inputs, num_outputs=2)
    >>> net(torch.zeros(5, 3), torch.tensor([[4, 9]] * 5)).shape
    torch.Size([5, 2])

    References: Gorishniy, Rubachev, Khrulkov, Babenko 2021, Revisiting deep learning models for tabular data,
    arXiv 2106.11959; embeddings of numbers: arXiv 2203.05556; scaling layer: Holzmüller et al. 2024, arXiv 2407.04491.
    """

    scaling_layer: bool = option(False, "a learned factor for each number that enters the first dense layer")

    def build(self, inputs: tuple[Tensor, ...], num_outputs: int) -> "nn.Module":
        from deepwright.model.initialisation import initialise
        from deepwright.model.layers import Scale, Tabular, dense_stack

        entry, widths = self.entry(inputs)
        stack = dense_stack(
            sum(widths),
            self.widths,
            num_outputs,
            activation=self.activation,
            normalisation=self.normalisation,
            dropout=self.dropout,
        )
        initialise(stack, self.initialisation)
        if self.scaling_layer:
            stack.insert(0, Scale(sum(widths)))
        return Tabular(entry, stack)


def embedding_dim(num_codes: int) -> int:
    """How many numbers stand for one category of `num_codes`: the rule of fastai's tabular models.

    >>> [embedding_dim(n) for n in (2, 10, 100, 10_000)]
    [2, 6, 21, 50]
    """
    return min(MAX_EMBEDDING_DIM, num_codes, round(1.6 * num_codes**0.56))
