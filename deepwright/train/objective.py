"""Objective: what one step does, as ordered phases of parameters and loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Phase:
    """One update: `loss(inputs, target)` is lowered by moving `parameters` alone, with an optimizer of its own.

    parameters: a module whose parameters move. optimizer: None takes the one given to `fit`.
    """

    name: str
    parameters: "nn.Module"
    loss: "Callable[[tuple[torch.Tensor, ...], torch.Tensor], torch.Tensor]"
    optimizer: Any = None


@dataclass(frozen=True)
class Objective:
    """phases: done in this order in every step, so a GAN needs no loop of its own.

    judge: `(inputs, target) -> (output, loss)` without moving anything; what is watched after each epoch.
    """

    phases: tuple[Phase, ...]
    judge: "Callable[[tuple[torch.Tensor, ...], torch.Tensor], tuple[torch.Tensor, torch.Tensor]]"


def supervised(module: "nn.Module", loss: "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]") -> Objective:
    """The usual one: lower loss(module(inputs), target).

    A float target [B] stands beside an output [B, 1] as [B, 1]; torch would spread the two to [B, B].
    """
    import torch

    def judge(inputs: "tuple[torch.Tensor, ...]", target: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
        output = module(*inputs)
        is_rounded = isinstance(output, torch.Tensor) and output.dtype is torch.bfloat16
        if is_rounded and torch.is_autocast_enabled(output.device.type):
            output = output.float()  # the loss itself is worked out in float32
        if target.ndim == 1 and output.ndim == 2 and output.shape[1] == 1 and target.is_floating_point():
            target = target[:, None]
        return output, loss(output, target)

    def lowered(inputs: "tuple[torch.Tensor, ...]", target: "torch.Tensor") -> "torch.Tensor":
        return judge(inputs, target)[1]

    return Objective((Phase("train", module, lowered),), judge)
