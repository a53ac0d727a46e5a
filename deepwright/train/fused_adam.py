"""Adam and AdamW in torch's fused kernels without their work in Python; imports torch, so it is loaded when built."""

import inspect
from dataclasses import dataclass
from typing import Any

import torch

_torchs_step = inspect.unwrap(torch.optim.Adam.step)
"""Without the layer that calls hooks, which stands around our own step already."""


@dataclass(frozen=True, slots=True)
class _Lists:
    """What the kernel takes for one group. steps: the same tensor, once for each parameter."""

    params: list[torch.Tensor]
    means: list[torch.Tensor]
    squares: list[torch.Tensor]
    steps: list[torch.Tensor]


class FusedAdam(torch.optim.Adam):
    """torch's fused Adam, to the bit; its lists are gathered once, and parameters that count alike share one counter.

    torch gathers six lists anew in each step and counts for each parameter: 70 us a step for a small network. A step
    in which a parameter has no gradient is torch's own, because counters then differ.
    """

    _kept: "list[_Lists] | None" = None
    _kept_state: tuple[Any, int] = (None, 0)
    _counters: "tuple[torch.Tensor, ...]" = ()

    def __init__(self, parameters: Any, **options: Any) -> None:
        super().__init__(parameters, fused=True, **options)

    def step(self, closure: Any = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        gradients = [[p.grad for p in group["params"]] for group in self.param_groups]
        if self._kept is None or self._kept_state[0] is not self.state or self._kept_state[1] != len(self.state):
            self._kept = self._gathered()
        is_scaled = hasattr(self, "found_inf")  # torch's GradScaler leaves its factor here
        if self._kept is None or is_scaled or any(g is None or g.is_sparse for each in gradients for g in each):
            self._kept = None
            self._part_counters()
            with torch.no_grad():
                _torchs_step(self)
            return loss
        with torch.no_grad():
            for counter in self._counters:
                counter.add_(1)
            for group, kept, found in zip(self.param_groups, self._kept, gradients, strict=True):
                if not found:
                    continue
                kernel = torch._fused_adamw_ if group["decoupled_weight_decay"] else torch._fused_adam_
                kernel(
                    kept.params, found, kept.means, kept.squares, [], kept.steps, lr=group["lr"],
                    beta1=group["betas"][0], beta2=group["betas"][1], weight_decay=group["weight_decay"],
                    eps=group["eps"], amsgrad=False, maximize=False,
                )  # fmt: skip
        return loss

    def state_dict(self) -> dict[str, Any]:
        """As torch's own has it, with a counter for each parameter, so that torch's Adam can take it up."""
        given = super().state_dict()
        parted = {p: {**s, "step": s["step"].clone()} if "step" in s else s for p, s in given["state"].items()}
        return {**given, "state": parted}

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        self._kept = None
        super().add_param_group(param_group)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._kept = None
        super().__setstate__(state)

    def _gathered(self) -> "list[_Lists] | None":
        """The lists of all groups; None before torch's first step has made the state, and where counters or types
        differ."""
        kept = []
        counters: dict[tuple[float, torch.device], torch.Tensor] = {}
        for group in self.param_groups:
            states = [self.state.get(p, {}) for p in group["params"]]
            alike = {(p.device, p.dtype) for p in group["params"]}
            if not all(states) or len(alike) > 1 or len({state["step"].item() for state in states}) > 1:
                return None
            for parameter, state in zip(group["params"], states, strict=True):
                state["step"] = counters.setdefault((state["step"].item(), parameter.device), state["step"])
            kept.append(
                _Lists(
                    list(group["params"]),
                    [state["exp_avg"] for state in states],
                    [state["exp_avg_sq"] for state in states],
                    [state["step"] for state in states],
                )
            )
        self._kept_state, self._counters = (self.state, len(self.state)), tuple(counters.values())
        return kept

    def _part_counters(self) -> None:
        """Give each parameter a counter of its own, for torch's step counts each one."""
        for state in self.state.values():
            if "step" in state:
                state["step"] = state["step"].clone()


class FusedAdamW(FusedAdam):
    """The same with the decay of weights apart from the gradient."""

    def __init__(self, parameters: Any, *, weight_decay: float = 0.01, **options: Any) -> None:
        super().__init__(parameters, weight_decay=weight_decay, decoupled_weight_decay=True, **options)
