"""TabM: an ensemble of multilayer perceptrons in one network, the default for tables."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator

from deepwright.core.families import Tensor
from deepwright.core.part import option
from deepwright.core.text import text
from deepwright.model.tabular import TableNetwork

if TYPE_CHECKING:
    from torch import nn


class TabM(TableNetwork, kind="tabm"):
    """Members that share all hidden weights, each with factors on its input and a head of its own (TabM-mini).

    Numbers enter in pieces between quantiles. Each member lowers its own loss; the answer is their mean.

    >>> import torch
    >>> inputs = (Tensor("numbers", 3), Tensor("categories", 2, "int64", (5, 10)))
    >>> net = TabM(members=4, widths=(16,)).build(inputs, num_outputs=2)
    >>> net(torch.zeros(5, 3), torch.tensor([[4, 9]] * 5)).shape
    torch.Size([5, 4, 2])

    References: Gorishniy, Kotelnikov, Babenko 2024, TabM, arXiv 2410.24210; embeddings: arXiv 2203.05556.
    """

    suited: ClassVar[Mapping[str, Any]] = {
        "optimizer": {"kind": "adamw", "lr": 0.006, "weight_decay": 0.03},
        "batch_size": 128,
        "ema": 0.998,
    }
    """Chosen within the training parts of Adult and California housing (docs/log.md, 2026-11-21)."""

    members: int = option(16, "members of the ensemble", low=2, high=1024, search=(4, 32, "log"))
    widths: tuple[int, ...] = option((128, 128), "units of each hidden layer, at least one layer")
    number_embedding: Literal["none", "smooth_clip", "piecewise_linear", "periodic"] = option(
        "piecewise_linear",
        "how a number enters: as it is, drawn into -3 to 3, in pieces between quantiles, or as learned waves",
    )
    one_hot: int = option(64, "codes of a category up to which it enters as one-hot, else by an embedding", low=0)

    @field_validator("widths")
    @classmethod
    def _has_a_layer(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        if not widths:
            raise ValueError(text("model.members_need_a_layer"))
        return widths

    @property
    def num_members(self) -> int:
        return self.members

    def build(self, inputs: tuple[Tensor, ...], num_outputs: int) -> "nn.Module":
        from torch import nn

        from deepwright.model.initialisation import initialise
        from deepwright.model.layers import behind_linear
        from deepwright.model.members import Ensemble, FirstLayer, Heads

        entry, widths = self.entry(inputs)
        first = FirstLayer(widths, self.widths[0], self.members)
        layers = behind_linear(self.widths[0], self.activation, self.normalisation, self.dropout)
        for before, size in zip(self.widths, self.widths[1:], strict=False):
            layers.append(nn.Linear(before, size))
            layers += behind_linear(size, self.activation, self.normalisation, self.dropout)
        module = Ensemble(entry, first, nn.Sequential(*layers), Heads(self.widths[-1], num_outputs, self.members))
        initialise(module, self.initialisation)
        return module
