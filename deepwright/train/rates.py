"""The learning rates of a training's parameter groups, set before every step."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deepwright.core.families import Schedule
from deepwright.train.schedule import Plateau
from deepwright.train.state import Position

if TYPE_CHECKING:
    import torch


class Rates:
    """What schedule and faults make of the optimizers' own rates; a function of the position, so it is not saved.

    base: the rates as given, one list per optimizer. has_factors: parts of the network have rates of their own.
    """

    def __init__(
        self, optimizers: "list[torch.optim.Optimizer]", schedule: Schedule | None, *, has_factors: bool, num_steps: int
    ) -> None:
        self.optimizers, self.schedule = optimizers, schedule
        self.has_factors, self.num_steps = has_factors, num_steps
        self.base = [
            [group["lr"] * group.get("lr_factor", 1.0) for group in optimizer.param_groups] for optimizer in optimizers
        ]
        self._adapted = 1.0

    def set(self, position: Position) -> None:
        """The rates of the step that comes."""
        if self.schedule is None and position.lr_scale == 1.0 and not self.has_factors:
            return  # the rate is the optimizer's own, which a caller may move between events
        factor = self._adapted
        if self.schedule is not None:
            factor *= self.schedule.factor(position.step, self.num_steps)
        for optimizer, rates in zip(self.optimizers, self.base, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor * position.lr_scale

    def adapt(self, values: Sequence[float | None], *, greater_is_better: bool) -> None:
        """What an adaptive schedule makes of the watched value of each epoch so far."""
        if isinstance(self.schedule, Plateau):
            self._adapted = self.schedule.adapt(values, greater_is_better=greater_is_better)
