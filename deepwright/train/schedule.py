"""Schedules: the learning rate over the run, as a factor of the optimizer's."""

import math

from deepwright.core.families import Schedule
from deepwright.core.part import option


class Constant(Schedule, kind="constant"):
    """The optimizer's rate throughout.

    >>> [Constant().factor(step, 4) for step in range(4)]
    [1.0, 1.0, 1.0, 1.0]
    """

    def factor(self, step: int, num_steps: int) -> float:
        return 1.0


class Cosine(Schedule, kind="cosine"):
    """A straight rise over the first steps, then half a cosine wave down to `floor`.

    >>> [round(Cosine(warmup=0.2).factor(step, 10), 3) for step in range(10)]
    [0.5, 1.0, 1.0, 0.962, 0.854, 0.691, 0.5, 0.309, 0.146, 0.038]

    Reference: Loshchilov and Hutter 2017, arXiv 1608.03983.
    """

    warmup: float = option(0.0, "share of all steps spent rising from zero", low=0, below=1)
    floor: float = option(0.0, "the factor at the end", low=0, high=1)

    def factor(self, step: int, num_steps: int) -> float:
        rising = round(self.warmup * num_steps)
        if step < rising:
            return (step + 1) / rising
        done = (step - rising) / max(num_steps - rising, 1)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
