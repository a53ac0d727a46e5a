"""The rate finder: one short training whose rate rises from step to step, and the rate that its losses suggest."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepwright.core.errors import RecipeError
from deepwright.core.families import Loss, Optimizer
from deepwright.train.batches import open_part
from deepwright.train.judge import built_loss
from deepwright.train.objective import supervised
from deepwright.train.optim import built_optimizer
from deepwright.train.randomness import generators, seed_for
from deepwright.train.state import module_tensors

if TYPE_CHECKING:
    import torch
    from torch import nn

MEMORY = 0.9
"""Of the smoothed loss, for the loss of the step before."""
DIVERGED = 4.0
"""The search ends where the smoothed loss is this many times its lowest value."""


@dataclass(frozen=True)
class RateSearch:
    """rates and losses: one per step that was done, the loss smoothed. suggested: a rate to train with."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggested: float


def find_rate(
    module: "nn.Module",
    train: Any,
    *,
    loss: "Loss | Callable[..., torch.Tensor] | str" = "cross_entropy",
    optimizer: "Optimizer | str | Callable[..., torch.optim.Optimizer]" = "adamw",
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int = 256,
    seed: int = 0,
) -> RateSearch:
    """Raise the rate from `low` to `high` in equal factors and watch the loss; the module is then as it was before.

    The suggestion is a tenth of the rate at which the smoothed loss was lowest: near the top of what is stable, with
    room below it (Smith 2017, arXiv 1506.01186; the rule is fastai's).

    Raises RecipeError for an empty range, an optimizer that is built already, or when no rate lowers the loss.
    """
    if not 0 < low < high or steps < 10:
        raise RecipeError("train.rate_range", low=low, high=high, steps=steps)

    import torch

    if isinstance(optimizer, torch.optim.Optimizer):
        raise RecipeError("train.rate_optimizer", found=type(optimizer).__name__)
    before = module_tensors(module, copy=True)
    was_training = module.training
    module.train()
    first = next(module.parameters())
    part = open_part("train", train, device=first.device, dtype=first.dtype)
    lowered = supervised(module, built_loss(loss, first.device)).phases[0].loss
    mover = built_optimizer(optimizer, module, None)
    rates: list[float] = []
    smooth: list[float] = []
    running = 0.0
    try:
        for step, batch in enumerate(_endless(part, batch_size, seed)):
            rate = low * (high / low) ** (step / (steps - 1))
            for group in mover.param_groups:
                group["lr"] = rate
            for generator in generators(first.device):
                generator.manual_seed(seed_for(seed, "step", step))
            mover.zero_grad()
            value = lowered(batch.inputs, batch.target)
            running = MEMORY * running + (1 - MEMORY) * value.item()
            smoothed = running / (1 - MEMORY ** (step + 1))
            if not math.isfinite(smoothed) or (smooth and smoothed > DIVERGED * min(smooth)):
                break
            rates.append(rate)
            smooth.append(smoothed)
            if step == steps - 1:
                break
            value.backward()
            mover.step()
    finally:
        module.load_state_dict(before)
        module.train(was_training)
        for parameter in module.parameters():
            parameter.grad = None
    lowest = min(range(len(smooth)), key=smooth.__getitem__) if smooth else 0
    if lowest == 0:
        raise RecipeError("train.rate_not_found", low=low, high=high)
    return RateSearch(tuple(rates), tuple(smooth), rates[lowest] / 10)


def _endless(part: Any, batch_size: int, seed: int) -> Any:
    epoch = 0
    while True:
        yield from part.epoch(batch_size, seed=seed, epoch=epoch)
        epoch += 1
