"""FT-Transformer: attention among the columns of a row."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import model_validator

from deepwright.core.errors import RecipeError
from deepwright.core.families import Form, Network, Tensor
from deepwright.core.part import option

if TYPE_CHECKING:
    from torch import nn


class FTTransformer(Network, kind="ft_transformer"):
    """Every column becomes a token, blocks of attention mix them, and a token of its own gathers the answer.

    Its time grows with the square of the columns; on a CPU it takes many times that of `tabm`.

    >>> import torch
    >>> inputs = (Tensor("numbers", 3), Tensor("categories", 2, "int64", (5, 10)))
    >>> net = FTTransformer(dim=16, blocks=1).build(inputs, num_outputs=2)
    >>> net(torch.zeros(5, 3), torch.tensor([[4, 9]] * 5)).shape
    torch.Size([5, 2])

    Reference: Gorishniy, Rubachev, Khrulkov, Babenko 2021, arXiv 2106.11959.
    """

    form: ClassVar[Form] = "mixed"
    suited: ClassVar[Mapping[str, Any]] = {"optimizer": {"kind": "adamw", "lr": 5e-4, "weight_decay": 1e-5}}

    blocks: int = option(2, "blocks of attention and feed-forward", low=1, high=64, search=(1, 4))
    dim: int = option(64, "numbers of a token; a multiple of heads", low=1, high=8192, search=(32, 192, "log"))
    heads: int = option(4, "attention heads", low=1, high=256)
    widening: float = option(4 / 3, "units of the feed-forward part per number of a token", above=0, high=16)
    attention_dropout: float = option(0.2, "share of attention silenced in a training step", low=0, below=1)
    dropout: float = option(0.1, "share of feed-forward units silenced in a training step", low=0, below=1)

    @model_validator(mode="after")
    def _heads_share_the_dim(self) -> "FTTransformer":
        if self.dim % self.heads:
            raise RecipeError(
                "model.heads", dim=self.dim, heads=self.heads, nearest=-(-self.dim // self.heads) * self.heads
            )
        return self

    def build(self, inputs: tuple[Tensor, ...], num_outputs: int) -> "nn.Module":
        from deepwright.model.column_attention import Block, ColumnTransformer, Tokens

        numbers = sum(tensor.width for tensor in inputs if tensor.dtype == "float32")
        codes = [count for tensor in inputs for count in tensor.num_codes]
        units = max(1, round(self.dim * self.widening))
        blocks = [
            Block(self.dim, self.heads, units, self.attention_dropout, self.dropout, is_first=place == 0)
            for place in range(self.blocks)
        ]
        return ColumnTransformer(Tokens(numbers, codes, self.dim), blocks, num_outputs)

    def adapt(self, module: "nn.Module", tensors: Mapping[str, np.ndarray]) -> None:
        numbers = [tensor for tensor in tensors.values() if tensor.dtype == np.float32]
        if numbers:
            module.tokens.clip.adapt(numbers[0])
