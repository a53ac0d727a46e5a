"""Regularisation that acts on a step: noise, penalties, clipping, averaged weights.

Dropout stands in the network, label smoothing in the loss, L2 (apart from the gradient or in it) in the optimizer.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import model_validator

from deepwright.core.errors import RecipeError
from deepwright.core.part import Part, option
from deepwright.core.recipe import Train

if TYPE_CHECKING:
    import torch

_SHARED: Mapping[str, Any] = Train.model_fields
"""A recipe's own options, so that each has its range and its help in one place."""


class Regularize(Part):
    """What keeps a network from learning its training rows by heart, and its steps from growing too large.

    References: Pascanu et al. 2013 (clipping), arXiv 1211.5063; Polyak and Juditsky 1992 (averaging); the averages'
    rising memory is TensorFlow's ExponentialMovingAverage(num_updates); Izmailov et al. 2018 (swa), arXiv 1803.05407.
    """

    clip_norm: float | None = _SHARED["clip_norm"]
    clip_value: float | None = option(None, "bound on every single gradient; none: no bound", above=0)
    l1: float = _SHARED["l1"]
    noise: float = _SHARED["noise"]
    ema: float | None = _SHARED["ema"]
    swa: float | None = _SHARED["swa"]

    @classmethod
    def of(cls, train: Train) -> "Regularize | None":
        """What a recipe's `train` section asks for; None when it asks for nothing.

        >>> Regularize.of(Train()) is None, Regularize.of(Train(clip_norm=1.0)).clip_norm
        (True, 1.0)
        """
        shared = set(cls.model_fields) & set(Train.model_fields)
        found = cls(**{name: getattr(train, name) for name in sorted(shared)})
        return None if found == cls() else found

    def noised(self, inputs: "tuple[torch.Tensor, ...]") -> "tuple[torch.Tensor, ...]":
        """The inputs with noise on their numbers, drawn from torch's global generator."""
        if self.noise == 0:
            return inputs
        import torch

        return tuple(t + torch.randn_like(t) * self.noise if t.is_floating_point() else t for t in inputs)

    def change_gradients(self, parameters: "list[torch.nn.Parameter]") -> None:
        """Add the penalty's gradient, then clip, in place."""
        import torch

        if self.l1 > 0:
            for parameter in parameters:
                if parameter.ndim >= 2 and parameter.grad is not None:
                    parameter.grad.add_(parameter.detach().sign(), alpha=self.l1)
        if self.clip_value is not None:
            torch.nn.utils.clip_grad_value_(parameters, self.clip_value)
        if self.clip_norm is not None:
            _clip_norm([p.grad for p in parameters if p.grad is not None], self.clip_norm)

    @property
    def averages(self) -> bool:
        """Whether there are averaged weights."""
        return self.ema is not None or self.swa is not None

    def memory(self, step: int, *, num_batches: int, num_epochs: int) -> float | None:
        """The share of the average that stays in step number `step`, counted from 0; None: it is not moved.

        >>> [round(Regularize(ema=0.99).memory(step, num_batches=5, num_epochs=9), 3) for step in (0, 10, 10_000)]
        [0.1, 0.55, 0.99]
        >>> [Regularize(swa=0.5).memory(step, num_batches=5, num_epochs=6) for step in (14, 18, 19, 24)]
        [None, None, 0.0, 0.5]
        """
        if self.ema is not None:
            return min(self.ema, (1 + step) / (10 + step))
        assert self.swa is not None, "there is an average"
        epochs_done, left = divmod(step + 1, num_batches)
        taken = epochs_done - math.ceil(self.swa * num_epochs) - 1
        return taken / (taken + 1) if left == 0 and taken >= 0 else None

    @model_validator(mode="after")
    def _one_average(self) -> Self:
        if self.ema is not None and self.swa is not None:
            raise RecipeError("train.two_averages", ema=self.ema, swa=self.swa)
        return self


def _clip_norm(gradients: "list[torch.Tensor]", bound: float) -> None:
    """What torch's clip_grad_norm_ does, without its bookkeeping; the gradients are finite."""
    import torch

    if not gradients:
        return
    if any(gradient.is_sparse for gradient in gradients):
        raise RecipeError("train.clip_sparse", bound=bound)
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients))).item()
    if norm > bound:
        torch._foreach_mul_(gradients, bound / (norm + 1e-6))
