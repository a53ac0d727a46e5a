"""Schedules: the learning rate over the run, as a factor of the optimizer's.

Places are shares of the run, so a schedule means the same whatever the epochs and the batch size. Every kind can warm
up: a straight rise over the first steps, after which its own shape takes the rest of the run.
"""

import math
from collections.abc import Sequence
from typing import final

from pydantic import field_validator

from deepwright.core.families import Schedule
from deepwright.core.part import option
from deepwright.core.text import text


class Shaped(Schedule):
    """A schedule by its shape: `at` gives the factor where a share of the run after the warm-up is done."""

    warmup: float = option(0.0, "share of all steps spent rising from zero", low=0, below=1)

    @final
    def factor(self, step: int, num_steps: int) -> float:
        rising = round(self.warmup * num_steps)
        if step < rising:
            return (step + 1) / rising
        return self.at(min((step - rising) / max(num_steps - rising, 1), 1.0))

    def at(self, done: float) -> float:
        """The factor where `done` in [0, 1] of the steps after the warm-up are done."""
        raise NotImplementedError


class Constant(Shaped, kind="constant"):
    """The optimizer's rate throughout.

    >>> [Constant(warmup=0.5).factor(step, 4) for step in range(4)]
    [0.5, 1.0, 1.0, 1.0]
    """

    def at(self, done: float) -> float:
        return 1.0


class Cosine(Shaped, kind="cosine"):
    """Half a cosine wave from 1 down to `floor`; with `cycles`, several of them, each from 1 again (warm restarts).

    >>> [round(Cosine(warmup=0.2).factor(step, 10), 3) for step in range(10)]
    [0.5, 1.0, 1.0, 0.962, 0.854, 0.691, 0.5, 0.309, 0.146, 0.038]

    Reference: Loshchilov and Hutter 2017, arXiv 1608.03983.
    """

    floor: float = option(0.0, "the factor at the end", low=0, high=1)
    cycles: int = option(1, "waves in the run", low=1, high=1000)
    growth: float = option(1.0, "length of each wave relative to the one before", low=1, high=100)

    def at(self, done: float) -> float:
        length = 1.0 if self.cycles == 1 else _first_length(self.cycles, self.growth)
        for _ in range(self.cycles - 1):
            if done < length:
                break
            done, length = done - length, length * self.growth
        return _wave(1.0, self.floor, min(done / length, 1.0))


class Linear(Shaped, kind="linear"):
    """A straight line from 1 down to `floor`.

    >>> [Linear().factor(step, 4) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """

    floor: float = option(0.0, "the factor at the end", low=0, high=1)

    def at(self, done: float) -> float:
        return self.floor + (1 - self.floor) * (1 - done)


class Polynomial(Shaped, kind="polynomial"):
    """(1 - share done) ** power, from 1 down to `floor`.

    >>> [Polynomial(power=2.0).factor(step, 4) for step in range(4)]
    [1.0, 0.5625, 0.25, 0.0625]
    """

    power: float = option(2.0, "1: a straight line; more: a faster fall", above=0, high=10)
    floor: float = option(0.0, "the factor at the end", low=0, high=1)

    def at(self, done: float) -> float:
        return self.floor + (1 - self.floor) * (1 - done) ** self.power


class Exponential(Shaped, kind="exponential"):
    """Falls by the same share in every step, from 1 to `floor`: floor ** (share done).

    >>> [round(Exponential(floor=0.01).factor(step, 4), 4) for step in range(4)]
    [1.0, 0.3162, 0.1, 0.0316]
    """

    floor: float = option(0.01, "the factor at the end", above=0, high=1)

    def at(self, done: float) -> float:
        return self.floor**done


class StepDown(Shaped, kind="step"):
    """Falls by `gamma` at even distances, `drops` times in the run.

    >>> [StepDown(drops=1, gamma=0.1).factor(step, 4) for step in range(4)]
    [1.0, 1.0, 0.1, 0.1]
    """

    drops: int = option(2, "how often it falls", low=1, high=1000)
    gamma: float = option(0.1, "what each fall leaves", above=0, high=1)

    def at(self, done: float) -> float:
        return float(self.gamma ** min(int(done * (self.drops + 1) + 1e-9), self.drops))


class MultiStep(Shaped, kind="multi_step"):
    """Falls by `gamma` at each of the given shares of the run.

    >>> [round(MultiStep(places=(0.5, 0.75), gamma=0.1).factor(step, 4), 4) for step in range(4)]
    [1.0, 1.0, 0.1, 0.01]
    """

    places: tuple[float, ...] = option((0.5, 0.75), "shares of the run at which it falls, rising, each within 0 and 1")
    gamma: float = option(0.1, "what each fall leaves", above=0, high=1)

    @field_validator("places")
    @classmethod
    def _places_rise(cls, places: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < place < 1 for place in places) or list(places) != sorted(places):
            raise ValueError(text("train.places"))
        return places

    def at(self, done: float) -> float:
        return float(self.gamma ** sum(done >= place - 1e-9 for place in self.places))


class OneCycle(Shaped, kind="one_cycle"):
    """Up from 1 / `start` to 1 and down to almost nothing, both along half a cosine wave; for short runs at high rates.

    >>> [round(OneCycle().factor(step, 10), 3) for step in range(0, 10, 3)]
    [0.04, 1.0, 0.611, 0.05]

    Reference: Smith and Topin 2018, Super-convergence, arXiv 1708.07120.
    """

    rise: float = option(0.3, "share of the run spent rising", above=0, below=1)
    start: float = option(25.0, "the top rate divided by the first", low=1)
    end: float = option(1e4, "the first rate divided by the last", low=1)

    def at(self, done: float) -> float:
        first = 1 / self.start
        if done < self.rise:
            return _wave(first, 1.0, done / self.rise)
        return _wave(1.0, first / self.end, (done - self.rise) / (1 - self.rise))


class FlatCosine(Shaped, kind="flat_cosine"):
    """1 for the first part of the run, then half a cosine wave down to `floor`.

    >>> [round(FlatCosine(flat=0.5).factor(step, 8), 3) for step in range(8)]
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.854, 0.5, 0.146]
    """

    flat: float = option(0.72, "share of the run without a fall (fastai's fit_flat_cos has .75)", low=0, below=1)
    floor: float = option(0.0, "the factor at the end", low=0, high=1)

    def at(self, done: float) -> float:
        return 1.0 if done < self.flat else _wave(1.0, self.floor, (done - self.flat) / (1 - self.flat))


class Plateau(Shaped, kind="plateau"):
    """Falls by `gamma` when the watched value has not improved for `patience` epochs: adapts to the run.

    >>> Plateau(patience=1, gamma=0.5).adapt([1.0, 0.8, 0.9, 0.85, 0.7], greater_is_better=False)
    0.5
    """

    gamma: float = option(0.1, "what each fall leaves", above=0, below=1)
    patience: int = option(4, "epochs without an improvement that are borne; early stopping should bear more", low=0)
    floor: float = option(1e-4, "the factor below which it does not fall", low=0, high=1)

    def at(self, done: float) -> float:
        return 1.0

    def adapt(self, values: Sequence[float | None], *, greater_is_better: bool) -> float:
        """The further factor after epochs with these watched values; None, where undefined, is no improvement."""
        factor, best, waited = 1.0, None, 0
        for value in values:
            if value is not None and (best is None or (value > best if greater_is_better else value < best)):
                best, waited = value, 0
            else:
                waited += 1
            if waited > self.patience:
                factor, waited = max(factor * self.gamma, self.floor), 0
        return factor


def _wave(start: float, end: float, done: float) -> float:
    """From start to end along half a cosine wave."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * done))


def _first_length(cycles: int, growth: float) -> float:
    """The first one's share of a run that `cycles` waves fill, each `growth` times as long as the one before."""
    return 1 / sum(growth**number for number in range(cycles))
