"""Regularisation that acts on a step: noise, penalties, clipping, averaged weights.

Dropout stands in the network, label smoothing in the loss, L2 (apart from the gradient or in it) in the optimizer.
"""

from typing import TYPE_CHECKING

from deepwright.core.part import Part, option

if TYPE_CHECKING:
    import torch


class Regularize(Part):
    """What keeps a network from learning its training rows by heart, and its steps from growing too large.

    References: Pascanu et al. 2013 (clipping), arXiv 1211.5063; Polyak and Juditsky 1992 (averaging); the averages'
    rising memory is TensorFlow's ExponentialMovingAverage(num_updates).
    """

    clip_norm: float | None = option(None, "bound on the norm of all gradients together; none: no bound", above=0)
    clip_value: float | None = option(None, "bound on every single gradient; none: no bound", above=0)
    l1: float = option(0.0, "penalty on the size of matrix weights: this times their sum is added to the loss", low=0)
    noise: float = option(0.0, "sd of the normal noise added to number inputs in a training step", low=0)
    ema: float | None = option(
        None,
        "memory of the averaged weights, which are judged and kept; less in the first steps; none: no average",
        above=0,
        below=1,
        search=(0.9, 0.9999, "log"),
    )

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
            torch.nn.utils.clip_grad_norm_(parameters, self.clip_norm)

    def memory(self, step: int) -> float:
        """The share of the average that stays in step number `step`, counted from 0.

        >>> [round(Regularize(ema=0.99).memory(step), 3) for step in (0, 10, 10_000)]
        [0.1, 0.55, 0.99]
        """
        assert self.ema is not None, "there is an average"
        return min(self.ema, (1 + step) / (10 + step))
