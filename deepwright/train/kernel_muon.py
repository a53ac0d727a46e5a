"""Muon for the kernels of convolutions; imports torch, so it is loaded only when one is built."""

from collections import defaultdict
from typing import Any

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of Jordan's quintic, which brings every singular value near 1 in few steps and not exactly to it."""
STEPS = 5


class KernelMuon(torch.optim.Optimizer):
    """Momentum made orthogonal, for parameters [out, in, ...], each taken as a matrix [out, in x ...].

    `torch.optim.Muon` takes matrices only; this is its rule, in float32, with kernels of one shape in one product.

    >>> kernel = torch.nn.Parameter(torch.zeros(2, 1, 1, 2)); kernel.grad = torch.tensor([[[[9.0, 0]]], [[[0, 0.5]]]])
    >>> KernelMuon([kernel], lr=1.0, momentum=0.0, weight_decay=0.0).step()
    >>> step = -kernel.detach().flatten(); bool(step[0] / step[3] < 2)  # not 18
    True

    Reference: Jordan et al. 2024, Muon: an optimizer for hidden layers.
    """

    def __init__(self, params: Any, *, lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        assert closure is None, "a step takes no closure"
        for group in self.param_groups:
            alike = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for shape, parameters in alike.items():
                ahead = torch.stack([self._ahead(p, group["momentum"]) for p in parameters])
                steps = orthogonal(ahead.flatten(2)).view_as(ahead)
                scale = max(1.0, shape[0] / shape[1:].numel()) ** 0.5
                for parameter, step in zip(parameters, steps, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(step, alpha=-group["lr"] * scale)

    def _ahead(self, parameter: torch.nn.Parameter, momentum: float) -> torch.Tensor:
        """The gradient looked ahead by Nesterov's momentum, contiguous."""
        assert parameter.grad is not None
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter, memory_format=torch.contiguous_format)
        mean = state["momentum_buffer"].lerp_(parameter.grad, 1 - momentum)
        return mean.lerp(parameter.grad, 1 - momentum)


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Matrices [G, M, N] with their singular values brought near 1 by five steps of Newton and Schulz."""
    is_tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if is_tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(STEPS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if is_tall else x
