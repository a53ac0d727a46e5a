"""Optimizers: torch's, in their fused form where there is one, without weight decay on biases and norms."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from deepwright.core.families import Optimizer
from deepwright.core.part import option

if TYPE_CHECKING:
    import torch
    from torch import nn


class AdamW(Optimizer, kind="adamw"):
    """Adam with weight decay apart from the gradient; the usual choice.

    With g the gradient: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w = w - lr (m' / (sqrt(v') + eps) + decay w),
    where m' and v' are m and v without their bias towards zero.

    >>> import torch
    >>> w = torch.nn.Parameter(torch.ones(1)); w.grad = torch.tensor([5.0])
    >>> AdamW(lr=0.1, weight_decay=0.0).build([w]).step(); round(w.item(), 4)
    0.9

    Reference: Loshchilov and Hutter 2019, arXiv 1711.05101.
    """

    lr: float = option(1e-3, "step size", above=0, high=10, search=(1e-4, 1e-2, "log"))
    beta1: float = option(0.9, "memory of the mean gradient", low=0, below=1)
    beta2: float = option(0.999, "memory of the mean squared gradient", low=0, below=1)
    eps: float = option(1e-8, "added to the root, against division by zero", above=0, high=1)
    weight_decay: float = option(0.01, "share of a weight, times lr, taken off in each step", low=0, high=1)

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        groups = listed(parameters)
        betas = (self.beta1, self.beta2)
        return torch.optim.AdamW(
            groups, lr=self.lr, betas=betas, eps=self.eps, weight_decay=self.weight_decay, fused=can_fuse(groups)
        )


class Adam(Optimizer, kind="adam"):
    """Adam; its weight decay is part of the gradient (L2). See `adamw`.

    >>> import torch
    >>> w = torch.nn.Parameter(torch.ones(1)); w.grad = torch.tensor([-5.0])
    >>> Adam(lr=0.1).build([w]).step(); round(w.item(), 4)
    1.1

    Reference: Kingma and Ba 2015, arXiv 1412.6980.
    """

    lr: float = option(1e-3, "step size", above=0, high=10, search=(1e-4, 1e-2, "log"))
    beta1: float = option(0.9, "memory of the mean gradient", low=0, below=1)
    beta2: float = option(0.999, "memory of the mean squared gradient", low=0, below=1)
    eps: float = option(1e-8, "added to the root, against division by zero", above=0, high=1)
    weight_decay: float = option(0.0, "share of a weight added to its gradient", low=0, high=1)

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        groups = listed(parameters)
        betas = (self.beta1, self.beta2)
        return torch.optim.Adam(
            groups, lr=self.lr, betas=betas, eps=self.eps, weight_decay=self.weight_decay, fused=can_fuse(groups)
        )


class SGD(Optimizer, kind="sgd"):
    """Stochastic gradient descent, with momentum: u = momentum u + g; w = w - lr u (Nesterov: g + momentum u).

    >>> import torch
    >>> w = torch.nn.Parameter(torch.ones(1)); w.grad = torch.tensor([5.0])
    >>> SGD(lr=0.01).build([w]).step(); round(w.item(), 4)
    0.95

    Reference: Sutskever, Martens, Dahl, Hinton 2013, On the importance of initialization and momentum.
    """

    lr: float = option(0.01, "step size", above=0, high=100, search=(1e-3, 1.0, "log"))
    momentum: float = option(0.9, "memory of earlier steps; 0: none", low=0, below=1)
    nesterov: bool = option(False, "look ahead by one momentum step; needs momentum above 0")
    weight_decay: float = option(0.0, "share of a weight added to its gradient", low=0, high=1)

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        groups = listed(parameters)
        return torch.optim.SGD(
            groups,
            lr=self.lr,
            momentum=self.momentum,
            nesterov=self.nesterov and self.momentum > 0,
            weight_decay=self.weight_decay,
            fused=can_fuse(groups),
        )


def groups_of(module: "nn.Module") -> list[dict[str, Any]]:
    """A module's parameters in two groups: matrices, and vectors (biases, norms), which are not to decay."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2]},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def listed(parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> list[Any]:
    """Parameters or groups as a list, so that they can be read twice."""
    return list(parameters)


def can_fuse(groups: list[Any]) -> bool:
    """Whether torch has a fused step for these parameters: floats on a processor or a CUDA device."""
    parameters = [p for g in groups for p in (g["params"] if isinstance(g, dict) else [g])]
    return all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for p in parameters)
