"""One step of a training: forward, backward and update of every phase on one batch."""

import math
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from deepwright.core.errors import RecipeError, ResourceError
from deepwright.train.batches import Batch
from deepwright.train.events import Shrunk
from deepwright.train.memory import has_batch_norm, is_out_of_memory
from deepwright.train.nonfinite import Fault, FiniteCheck, locate
from deepwright.train.objective import Objective
from deepwright.train.randomness import generators, seed_for
from deepwright.train.regularize import Regularize
from deepwright.train.speed import SpeedPlan
from deepwright.train.state import State

if TYPE_CHECKING:
    import torch
    from torch import nn

Change = Callable[[Batch, int], Batch]
"""What changes a batch before its step, such as `Augmenter`: (batch, step counted from 0) to another of as many rows.

It draws from torch's global generators, which have been seeded from (seed, step).
"""


class Steps:
    """Does steps on a module; every draw of a step is a function of (seed, step).

    loss: of the last step, before its update. shrunk: set when memory did not suffice and pieces became smaller.
    """

    def __init__(
        self,
        module: "nn.Module",
        objective: Objective,
        optimizers: "list[torch.optim.Optimizer]",
        state: State,
        device: "torch.device",
        *,
        seed: int,
        regularize: Regularize | None,
        num_batches: int,
        num_epochs: int,
        micro_batches: int = 1,
        augment: Change | None = None,
    ) -> None:
        self.module, self.state, self.seed, self.device = module, state, seed, device
        self.phases = [
            (phase, each, [p for p in phase.parameters.parameters() if p.requires_grad])
            for phase, each in zip(objective.phases, optimizers, strict=True)
        ]
        self.judge = objective.judge
        self.regularize, self.augment = regularize, augment
        self.num_batches, self.num_epochs, self.micro_batches = num_batches, num_epochs, micro_batches
        self.plan = SpeedPlan()
        self.loss = math.nan
        self.shrunk: Shrunk | None = None
        self._are_finite = FiniteCheck(device)
        self._generators = generators(device)

    def step(self, batch: Batch) -> Fault | None:
        """One step: every phase on one batch. Gives the fault that kept it from being done."""
        position, regularize = self.state.position, self.regularize
        if self.augment is not None:
            started = perf_counter()
            batch = self._augmented(batch, self.augment)
            position.spent["data"] += perf_counter() - started
        if regularize is not None and regularize.noise:
            self.reseed("noise", position.step)
            batch = Batch(regularize.noised(batch.inputs), batch.target, batch.rows)
        rows = len(batch.target)
        total = 0.0
        for number, (phase, optimizer, parameters) in enumerate(self.phases):
            value = self.backward(number, batch)
            started = perf_counter()
            gradients = [p.grad for p in parameters if p.grad is not None]
            if not (math.isfinite(value) and self._are_finite(gradients)):
                with self.plan.masks():
                    return locate(self.module, batch, phase.name, phase.loss, lambda n=number: self._reseed_phase(n))
            if regularize is not None:
                regularize.change_gradients(parameters)
            optimizer.step()
            total += value
            position.spent["update"] += perf_counter() - started
        if regularize is not None and regularize.averages:
            memory = regularize.memory(position.step, num_batches=self.num_batches, num_epochs=self.num_epochs)
            if memory is not None:
                self.state.move_average(memory)
        position.loss_sum += total * rows
        position.loss_rows += rows
        position.batch += 1
        position.step += 1
        self.loss = total
        return None

    def backward(self, number: int, batch: Batch) -> float:
        """Leave the gradients of the batch's mean loss in the phase's parameters; gives that loss.

        The batch goes through in as many pieces as were chosen, in smaller ones where memory does not suffice, each
        weighted by its rows.
        """
        phase, _, parameters = self.phases[number]
        spent = self.state.position.spent
        rows = len(batch.target)
        while True:
            size = min(self.state.position.micro_batch or rows, -(-rows // self.micro_batches))
            self._reseed_phase(number)
            for parameter in parameters:
                parameter.grad = None
            try:
                total = 0.0
                for low in range(0, rows, size):
                    started = perf_counter()
                    target = batch.target[low : low + size]
                    inputs = tuple(t[low : low + size] for t in batch.inputs) if size < rows else batch.inputs
                    with self.plan.masks(), self.plan.autocast(self.device):
                        loss = phase.loss(inputs, target)
                    if size < rows:
                        loss = loss * (len(target) / rows)
                    half = perf_counter()
                    loss.backward(inputs=[p for p in parameters if p.requires_grad] if len(self.phases) > 1 else None)
                    total += loss.item()
                    spent["forward"] += half - started
                    spent["backward"] += perf_counter() - half
                return total
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink(size, rows, error)

    def reseed(self, purpose: Any, *place: int) -> None:
        """Put the generators that layers draw from where (seed, purpose, place) says."""
        seed = seed_for(self.seed, purpose, *place)
        for generator in self._generators:
            generator.manual_seed(seed)

    def _augmented(self, batch: Batch, augment: Change) -> Batch:
        """Raises RecipeError for what is no batch of as many rows."""
        self.reseed("augment", self.state.position.step)
        changed = augment(batch, self.state.position.step)
        found = len(changed.target) if isinstance(changed, Batch) else type(changed).__name__
        if found != len(batch.target):
            raise RecipeError("train.augment_gave", found=found, rows=len(batch.target))
        return changed

    def _reseed_phase(self, number: int) -> None:
        self.reseed("step", self.state.position.step, *((number,) if number else ()))

    def _shrink(self, size: int, rows: int, error: BaseException) -> None:
        """Halve the rows that go through at once. Raises ResourceError where that is impossible or no equal."""
        if size == 1 or has_batch_norm(self.module):
            raise ResourceError("train.out_of_memory", rows=size, batch_size=rows) from error
        self.state.position.micro_batch = (size + 1) // 2
        self.shrunk = Shrunk(self.state.position.step + 1, self.state.position.micro_batch)
