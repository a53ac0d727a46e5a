"""Networks for tables."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import field_validator

from deepwright.core.families import Form, Network, Tensor
from deepwright.core.part import option
from deepwright.core.text import text

if TYPE_CHECKING:
    from torch import nn

MAX_EMBEDDING_DIM = 50


class MLP(Network, kind="mlp"):
    """A multilayer perceptron: embeddings for categories, then dense layers.

    >>> import torch
    >>> inputs = (Tensor("numbers", 3), Tensor("categories", 2, "int64", (5, 10)))
    >>> net = MLP(widths=(16,)).build(inputs, num_outputs=2)
    >>> net(torch.zeros(5, 3), torch.tensor([[4, 9]] * 5)).shape
    torch.Size([5, 2])

    Reference: Gorishniy, Rubachev, Khrulkov, Babenko 2021, Revisiting deep learning models for tabular data,
    arXiv 2106.11959.
    """

    form: ClassVar[Form] = "mixed"

    widths: tuple[int, ...] = option((256, 256), "units of each hidden layer; an empty list gives a linear model")
    dropout: float = option(0.1, "share of units silenced in a training step", low=0, below=1, search=(0.0, 0.5))
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "silu", "mish", "tanh"] = option(
        "relu", "what follows each hidden layer"
    )
    normalisation: Literal["none", "batch", "layer"] = option("none", "what stands between a layer and its activation")
    embedding_dim: int | None = option(
        None, "numbers per category; none: 1.6 * codes ** 0.56, at most 50, for each column", low=1, high=4096
    )

    @field_validator("widths")
    @classmethod
    def _widths_are_positive(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        wrong = [width for width in widths if not 1 <= width <= 65_536]
        if wrong:
            raise ValueError(text("model.width_out_of_range", width=wrong[0]))
        return widths

    def build(self, inputs: tuple[Tensor, ...], num_outputs: int) -> "nn.Module":
        from deepwright.model.layers import Embeddings, Tabular, TabularInput, dense_stack

        entries: list[Embeddings | None] = []
        width = 0
        for tensor in inputs:
            if tensor.dtype == "int64":
                num_codes = list(tensor.num_codes)
                dims = [self.embedding_dim or embedding_dim(codes) for codes in num_codes]
                entries.append(Embeddings(num_codes, dims))
                width += sum(dims)
            else:
                entries.append(None)
                width += tensor.width
        stack = dense_stack(
            width,
            self.widths,
            num_outputs,
            activation=self.activation,
            normalisation=self.normalisation,
            dropout=self.dropout,
        )
        return Tabular(TabularInput(entries), stack)


def embedding_dim(num_codes: int) -> int:
    """How many numbers stand for one category of `num_codes`: the rule of fastai's tabular models.

    >>> [embedding_dim(n) for n in (2, 10, 100, 10_000)]
    [2, 6, 21, 50]
    """
    return min(MAX_EMBEDDING_DIM, num_codes, round(1.6 * num_codes**0.56))
