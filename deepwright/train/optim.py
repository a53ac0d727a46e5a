"""Optimizers: torch's, in their fused form where there is one, without weight decay on biases and norms."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from deepwright.core.errors import RecipeError
from deepwright.core.families import Optimizer
from deepwright.core.part import option

if TYPE_CHECKING:
    import torch
    from torch import nn

# Options that several optimizers have, word for word.
_LR: Any = option(1e-3, "step size", above=0, high=10, search=(1e-4, 1e-2, "log"))
_BETA1: Any = option(0.9, "memory of the mean gradient", low=0, below=1)
_BETA2: Any = option(0.999, "memory of the mean squared gradient", low=0, below=1)
_EPS: Any = option(1e-8, "added to the root, against division by zero", above=0, high=1)
_L2: Any = option(0.0, "share of a weight added to its gradient", low=0, high=1)


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

    lr: float = _LR
    beta1: float = _BETA1
    beta2: float = _BETA2
    eps: float = _EPS
    weight_decay: float = option(0.01, "share of a weight, times lr, taken off in each step", low=0, high=1)

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        from deepwright.train.fused_adam import FusedAdamW

        groups = listed(parameters)
        betas = (self.beta1, self.beta2)
        kind = FusedAdamW if can_fuse(groups) else torch.optim.AdamW
        return kind(groups, lr=self.lr, betas=betas, eps=self.eps, weight_decay=self.weight_decay)


class Adam(Optimizer, kind="adam"):
    """Adam; its weight decay is part of the gradient (L2). See `adamw`.

    >>> import torch
    >>> w = torch.nn.Parameter(torch.ones(1)); w.grad = torch.tensor([-5.0])
    >>> Adam(lr=0.1).build([w]).step(); round(w.item(), 4)
    1.1

    Reference: Kingma and Ba 2015, arXiv 1412.6980.
    """

    lr: float = _LR
    beta1: float = _BETA1
    beta2: float = _BETA2
    eps: float = _EPS
    weight_decay: float = _L2

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        from deepwright.train.fused_adam import FusedAdam

        groups = listed(parameters)
        betas = (self.beta1, self.beta2)
        kind = FusedAdam if can_fuse(groups) else torch.optim.Adam
        return kind(groups, lr=self.lr, betas=betas, eps=self.eps, weight_decay=self.weight_decay)


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
    weight_decay: float = _L2

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


class RMSProp(Optimizer, kind="rmsprop"):
    """Divides the gradient by the root of its mean square: v = a v + (1 - a) g^2; w = w - lr g / (sqrt(v) + eps).

    >>> import torch
    >>> w = torch.nn.Parameter(torch.ones(1)); w.grad = torch.tensor([5.0])
    >>> RMSProp(lr=0.01).build([w]).step(); round(w.item(), 4)
    0.9

    Reference: Hinton 2012, Neural networks for machine learning, lecture 6e.
    """

    lr: float = _LR
    alpha: float = option(0.99, "memory of the mean squared gradient", low=0, below=1)
    momentum: float = option(0.0, "memory of earlier steps; 0: none", low=0, below=1)
    centered: bool = option(False, "divide by the root of the variance instead")
    eps: float = _EPS
    weight_decay: float = _L2

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        return torch.optim.RMSprop(
            listed(parameters),
            lr=self.lr,
            alpha=self.alpha,
            momentum=self.momentum,
            centered=self.centered,
            eps=self.eps,
            weight_decay=self.weight_decay,
            foreach=True,
        )


class Adagrad(Optimizer, kind="adagrad"):
    """Divides by the root of all squared gradients so far: s = s + g^2; w = w - lr g / (sqrt(s) + eps).

    >>> import torch
    >>> w = torch.nn.Parameter(torch.ones(1)); w.grad = torch.tensor([5.0])
    >>> Adagrad(lr=0.1).build([w]).step(); round(w.item(), 4)
    0.9

    Reference: Duchi, Hazan, Singer 2011, Adaptive subgradient methods.
    """

    lr: float = option(0.01, "step size", above=0, high=10, search=(1e-3, 0.1, "log"))
    eps: float = option(1e-10, "added to the root, against division by zero", above=0, high=1)
    weight_decay: float = _L2

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        groups = listed(parameters)
        return torch.optim.Adagrad(
            groups, lr=self.lr, eps=self.eps, weight_decay=self.weight_decay, fused=True if can_fuse(groups) else None
        )


class Adadelta(Optimizer, kind="adadelta"):
    """Steps in the unit of the weights, from the running means of squared gradients and squared steps.

    v = r v + (1 - r) g^2; d = g sqrt(u + eps) / sqrt(v + eps); u = r u + (1 - r) d^2; w = w - lr d.

    >>> import torch
    >>> w = torch.nn.Parameter(torch.ones(1)); w.grad = torch.tensor([5.0])
    >>> Adadelta().build([w]).step(); round(1 - w.item(), 5)
    0.00316

    Reference: Zeiler 2012, arXiv 1212.5701.
    """

    lr: float = option(1.0, "factor on the step", above=0, high=100, search=(0.1, 10.0, "log"))
    rho: float = option(0.9, "memory of both running means", low=0, below=1)
    eps: float = option(1e-6, "where the step size begins", above=0, high=1)
    weight_decay: float = _L2

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        return torch.optim.Adadelta(
            listed(parameters), lr=self.lr, rho=self.rho, eps=self.eps, weight_decay=self.weight_decay, foreach=True
        )


class NAdam(Optimizer, kind="nadam"):
    """Adam with Nesterov's look ahead in the mean gradient.

    >>> import torch
    >>> w = torch.nn.Parameter(torch.ones(1)); w.grad = torch.tensor([5.0])
    >>> NAdam(lr=0.1).build([w]).step(); round(w.item(), 3)
    0.894

    Reference: Dozat 2016, Incorporating Nesterov momentum into Adam.
    """

    lr: float = option(2e-3, "step size", above=0, high=10, search=(1e-4, 1e-2, "log"))
    beta1: float = _BETA1
    beta2: float = _BETA2
    eps: float = _EPS
    weight_decay: float = option(0.0, "share of a weight, times lr, taken off in each step", low=0, high=1)

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        return torch.optim.NAdam(
            listed(parameters),
            lr=self.lr,
            betas=(self.beta1, self.beta2),
            eps=self.eps,
            weight_decay=self.weight_decay,
            decoupled_weight_decay=True,
            foreach=True,
        )


class Adafactor(Optimizer, kind="adafactor"):
    """Adam's second moment of a matrix kept as one row and one column, so its state is small. For large networks.

    >>> import torch
    >>> w = torch.nn.Parameter(torch.ones(2, 2)); w.grad = torch.full((2, 2), 5.0)
    >>> Adafactor(lr=0.1).build([w]).step(); round(w[0, 0].item(), 4)
    0.9

    Reference: Shazeer and Stern 2018, arXiv 1804.04235.
    """

    lr: float = option(0.01, "largest step relative to the weights' size", above=0, high=10, search=(1e-3, 0.1, "log"))
    clip: float = option(1.0, "bound on the root mean square of a step before the rate", above=0)
    weight_decay: float = option(0.0, "share of a weight, times lr, taken off in each step", low=0, high=1)

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        return torch.optim.Adafactor(listed(parameters), lr=self.lr, d=self.clip, weight_decay=self.weight_decay)


class Muon(Optimizer, kind="muon"):
    """Momentum made orthogonal, for matrices and the kernels of convolutions; AdamW for vectors, embeddings and kernels
    of a single channel.

    A kernel [out, in, height, width] is taken as the matrix [out, in x height x width]. Which of a list's matrices are
    embeddings is known only for a module's own groups (`groups_of`); among plain parameters every matrix goes to Muon.

    >>> import torch
    >>> w = torch.nn.Parameter(torch.zeros(2, 2)); w.grad = torch.diag(torch.tensor([9.0, 0.1]))
    >>> Muon(lr=1.0, weight_decay=0.0).build([w]).step(); bool(abs(w[0, 0] / w[1, 1]) < 2)  # not 90
    True

    Reference: Jordan et al. 2024, Muon: an optimizer for hidden layers; Liu et al. 2025, arXiv 2502.16982.
    """

    lr: float = option(0.02, "step size of the matrices and kernels", above=0, high=10, search=(2e-3, 0.2, "log"))
    momentum: float = option(0.95, "memory of earlier gradients", low=0, below=1)
    weight_decay: float = option(0.01, "share of a weight, times lr, taken off in each step", low=0, high=1)
    rest_lr: float = option(1e-3, "AdamW's step size for all else", above=0, high=10, search=(1e-4, 1e-2, "log"))

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        import torch

        from deepwright.train.side_by_side import SideBySide

        groups = [group if isinstance(group, dict) else {"params": [group]} for group in listed(parameters)]
        shared = {"lr": self.lr, "momentum": self.momentum, "weight_decay": self.weight_decay}
        parts: list[torch.optim.Optimizer] = []
        if matrices := _part_of(groups, "matrix"):
            parts.append(torch.optim.Muon(matrices, **shared))
        if kernels := _part_of(groups, "kernel"):
            from deepwright.train.kernel_muon import KernelMuon

            parts.append(KernelMuon(kernels, **shared))
        if rest := _part_of(groups, "rest"):
            parts.append(AdamW(lr=self.rest_lr, weight_decay=self.weight_decay).build(rest))
        return parts[0] if len(parts) == 1 else SideBySide(parts)


def _part_of(groups: list[dict[str, Any]], kind: Literal["matrix", "kernel", "rest"]) -> list[dict[str, Any]]:
    """The groups with those of their parameters alone that Muon treats in this way."""

    def kind_of(parameter: "torch.Tensor", role: str | None) -> str:
        if parameter.ndim == 4 and min(parameter.shape[:2]) > 1:
            return "kernel"
        return "matrix" if parameter.ndim == 2 and role != "embedding" else "rest"

    found = [
        {**group, "params": [p for p in group["params"] if kind_of(p, group.get("role")) == kind]} for group in groups
    ]
    return [group for group in found if group["params"]]


def groups_of(
    module: "nn.Module", rates: Mapping[str, float] | None = None, later: Mapping[int, int] | None = None
) -> list[dict[str, Any]]:
    """A module's parameters in groups: matrices, embeddings, and vectors (biases, norms), which are not to decay.

    rates: factors on the rate by name pattern, such as {"backbone.*": 0.1}; the first that matches holds.
    later: epochs before which a parameter does not learn, by its id. Those that begin together stand together: torch's
    fused steps take only lists in which all or none have been stepped before.
    Raises RecipeError for a pattern that matches nothing.
    """
    from torch import nn

    patterns = {pattern: float(factor) for pattern, factor in (rates or {}).items()}
    embeddings = {id(layer.weight) for layer in module.modules() if isinstance(layer, nn.Embedding | nn.EmbeddingBag)}
    groups: dict[tuple[str, float, int], list[Any]] = {}
    matched: set[str] = set()
    for name, parameter in module.named_parameters():
        hits = [pattern for pattern in patterns if fnmatchcase(name, pattern)]
        matched.update(hits[:1])
        if parameter.requires_grad:
            role = "vector" if parameter.ndim < 2 else "embedding" if id(parameter) in embeddings else "matrix"
            factor = patterns[hits[0]] if hits else 1.0
            groups.setdefault((role, factor, (later or {}).get(id(parameter), 0)), []).append(parameter)
    for pattern in patterns:
        if pattern not in matched:
            known = ", ".join(name for name, _ in module.named_parameters())
            raise RecipeError("train.rate_matches_nothing", pattern=pattern, known=known)
    return [
        {"params": found, "role": role, "lr_factor": factor, **({"weight_decay": 0.0} if role == "vector" else {})}
        for (role, factor, _), found in sorted(groups.items(), key=lambda item: item[0])
    ]


def built_optimizer(
    optimizer: Any, module: "nn.Module", rates: Mapping[str, float] | None, later: Mapping[int, int] | None = None
) -> "torch.optim.Optimizer":
    """A part, a kind's name, a callable or a torch optimizer as the optimizer of a module's parameters."""
    import torch

    part = Optimizer.parse(optimizer) if isinstance(optimizer, str) else optimizer
    if isinstance(part, Optimizer):
        return part.build(groups_of(module, rates, later))
    if rates:
        raise RecipeError("train.rates_need_a_part", found=type(part).__name__, rates=", ".join(rates))
    built = (
        part if isinstance(part, torch.optim.Optimizer) else part([p for p in module.parameters() if p.requires_grad])
    )
    if not isinstance(built, torch.optim.Optimizer):
        raise RecipeError("train.no_optimizer", found=type(built).__name__)
    return built


def listed(parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> list[Any]:
    """Parameters or groups as a list, so that they can be read twice."""
    return list(parameters)


def can_fuse(groups: list[Any]) -> bool:
    """Whether torch has a fused step for these parameters: floats on a processor or a CUDA device."""
    parameters = [p for g in groups for p in (g["params"] if isinstance(g, dict) else [g])]
    return all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for p in parameters)
