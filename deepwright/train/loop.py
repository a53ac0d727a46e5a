"""The training loop: one straight generator of events, exact to the bit after any kill.

    for event in fit(module, train, validation, loss=..., optimizer=...):
        print(event)

Every random draw is a function of (seed, epoch, index), so a resumed training needs no generator's state: it takes up
weights, optimizer and position from a checkpoint and does the same steps that it would have done.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from deepwright.core.errors import PracticeError, RecipeError, ResourceError, RuleError
from deepwright.core.families import Loss, Optimizer, Schedule
from deepwright.train.batches import Batch, Rows, Stream, open_part
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import (
    Epoch,
    Event,
    History,
    NonFinite,
    Planned,
    Resumed,
    Saved,
    Shrunk,
    Started,
    Step,
    Stopped,
)
from deepwright.train.interrupt import Interrupts
from deepwright.train.judge import Metric, built_loss, judge
from deepwright.train.loss import MSE, CrossEntropy
from deepwright.train.memory import has_batch_norm, is_out_of_memory
from deepwright.train.nonfinite import Fault, FiniteCheck, all_finite, locate
from deepwright.train.objective import Objective, supervised
from deepwright.train.optim import built_optimizer
from deepwright.train.randomness import generators, seed_for
from deepwright.train.regularize import Regularize
from deepwright.train.schedule import Plateau
from deepwright.train.speed import plan_speed
from deepwright.train.state import State, digest

if TYPE_CHECKING:
    import torch
    from torch import nn

MAX_THREADS = 8
MAX_ATTEMPTS = 3


def fit(
    module: "nn.Module",
    train: Any,
    validation: Any = None,
    *,
    loss: "Loss | Callable[..., torch.Tensor] | str | None" = None,
    optimizer: "Optimizer | str | torch.optim.Optimizer | Callable[..., torch.optim.Optimizer]",
    schedule: Schedule | str | None = None,
    epochs: int = 40,
    batch_size: int = 256,
    seed: int = 0,
    patience: int | None = 8,
    metrics: Mapping[str, Metric] | None = None,
    watch: str = "loss",
    greater_is_better: bool = False,
    answer: "Callable[[torch.Tensor], Any] | None" = None,
    sample: int = 4096,
    checkpoints: Checkpoints | None = None,
    budget_s: float | None = None,
    threads: int | None = None,
    objective: Objective | None = None,
    rates: Mapping[str, float] | None = None,
    regularize: Regularize | None = None,
    speed: Literal["exact", "auto"] = "exact",
) -> "Training":
    """Train a module. Gives an iterable of events; `.finish()` runs it to its end and gives the History.

    train, validation: (inputs, target) with inputs an array, a tensor, or a mapping of them in the order of the
    module's arguments; or a DataLoader, or any sized iterable of (inputs..., target).
    loss: a part or its kind, or a callable (output, target) -> mean; None: cross-entropy for whole numbers, else mse.
    optimizer: a part or its kind, a torch optimizer, or a callable that takes parameters. schedule: None keeps the
    rate.
    epochs: at most. patience: epochs without a better `watch` on validation before stopping; None: never.
    metrics: (target, answer) -> number, by name; `answer` turns the module's output into what they see.
    sample: training rows judged after each epoch. checkpoints: where to save and resume; None: nowhere.
    budget_s: seconds of training, at most, summed over resumes. threads: None: torch's number, at most 8, or the
    checkpoint's. objective: replaces `loss` where a step has several phases.
    rates: factors on an optimizer part's rate by parameter name, such as {"backbone.*": 0.1}. regularize: noise,
    penalties, clipping and averaged weights, which then are the ones judged and kept.

    speed: "auto" measures which of torch's kernels for float32 products is faster here and keeps it where it is as
    exact; the choice is told, and resumed, but on another day it may be another and give other bits. "exact": none.

    Where memory does not suffice for a batch, it goes through in smaller pieces with the gradients of the whole.

    At the end the module holds the weights of the epoch that was best on validation; without validation the last.
    A last row that would be a batch of its own joins the batch before it.

    >>> import torch
    >>> torch.manual_seed(0); x = torch.randn(64, 10)  # doctest: +ELLIPSIS
    <torch...>
    >>> net = torch.nn.Linear(10, 2)
    >>> training = fit(net, (x, (x[:, 0] > 0).long()), loss=torch.nn.CrossEntropyLoss(),
    ...                optimizer=torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9), epochs=20)
    >>> training.finish().epochs[-1]["train"]["loss"] < 0.2
    True

    Raises RecipeError (an option, or a checkpoint of another training), DataError (the rows), RuleError (NaN or
    infinity three times), ResourceError (disk).
    """
    return Training(
        module, train, validation, loss=loss, optimizer=optimizer, schedule=schedule, objective=objective,
        rates=rates, regularize=regularize,
        plan=Plan(
            epochs, batch_size, seed, patience, dict(metrics or {}), watch, greater_is_better, answer, sample, budget_s,
            threads, speed,
        ),
        checkpoints=checkpoints,
    )  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """The plain options of one training; see `fit`."""

    epochs: int
    batch_size: int
    seed: int
    patience: int | None
    metrics: Mapping[str, Metric]
    watch: str
    greater_is_better: bool
    answer: Callable[[Any], Any] | None
    sample: int
    budget_s: float | None
    threads: int | None
    speed: Literal["exact", "auto"]

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "sample"):
            if getattr(self, name) < 1:
                raise RecipeError("train.below_one", name=name, found=getattr(self, name))
        if "loss" in self.metrics:
            raise RecipeError("train.metric_named_loss")
        if self.watch != "loss" and self.watch not in self.metrics:
            known = ", ".join(["loss", *self.metrics])
            raise RecipeError("train.watch_unknown", watch=self.watch, known=known)
        if self.speed not in ("exact", "auto"):
            raise RecipeError("train.speed_unknown", found=self.speed)


class Training:
    """One training under way: iterate for its events, or `finish()` it."""

    def __init__(
        self,
        module: "nn.Module",
        train: Any,
        validation: Any,
        *,
        loss: Any,
        optimizer: Any,
        schedule: Schedule | str | None,
        objective: Objective | None,
        rates: Mapping[str, float] | None,
        regularize: Regularize | None,
        plan: Plan,
        checkpoints: Checkpoints | None,
    ) -> None:
        import torch

        first = next((p for p in module.parameters() if p.requires_grad), None)
        if first is None:
            raise RecipeError("train.no_parameters", module=type(module).__name__)
        self.module = module
        self.plan = plan
        self.device = first.device
        kind = {"device": first.device, "dtype": first.dtype if first.is_floating_point() else torch.float32}
        self.train = open_part("train", train, **kind)
        self.validation = None if validation is None else open_part("validation", validation, **kind)
        self.sample = self.train.sample(plan.sample, plan.seed) if isinstance(self.train, Rows) else None
        self.objective = objective or supervised(module, _loss_for(loss, self.train))
        self.optimizers = [
            built_optimizer(p.optimizer or optimizer, p.parameters, rates) for p in self.objective.phases
        ]
        if len({id(each) for each in self.optimizers}) < len(self.optimizers):
            raise RecipeError("train.optimizer_shared", phases=len(self.optimizers))
        self._phases = [
            (phase, each, [p for p in phase.parameters.parameters() if p.requires_grad])
            for phase, each in zip(self.objective.phases, self.optimizers, strict=True)
        ]
        self.schedule = Schedule.parse(schedule) if isinstance(schedule, str) else schedule
        self.base_rates = [
            [group["lr"] * group.get("lr_factor", 1.0) for group in each.param_groups] for each in self.optimizers
        ]
        self._has_rates = bool(rates)
        self._adapted = 1.0
        self.checkpoints = checkpoints
        self.num_batches = self.train.num_batches(plan.batch_size)
        self.num_steps = plan.epochs * self.num_batches
        self.precision: str | None = None
        self.threads = plan.threads or min(torch.get_num_threads(), MAX_THREADS)
        self.state = State(module, self.optimizers)
        self._fingerprints = (
            {name: _fingerprint(part) for name, part in (("train", self.train), ("validation", self.validation))}
            if checkpoints
            else {}
        )
        self.regularize = regularize
        self._last_loss = math.nan
        self._shrunk: Shrunk | None = None
        self._are_finite = FiniteCheck(first.device)
        self._generators = generators(first.device)
        self._history: History | None = None
        self._interrupts = Interrupts(self._save_quietly)
        self._events = self._run()

    def __iter__(self) -> "Training":
        return self

    def __next__(self) -> Event:
        self._interrupts.is_inside = True
        try:
            event = next(self._events)
        finally:
            self._interrupts.is_inside = False
        if self._interrupts.pending:
            self._save()
            self._events.close()
            raise KeyboardInterrupt
        return event

    def finish(self) -> History:
        """Do all that is left; gives what the training came to."""
        for _ in self:
            pass
        if self._history is None:
            raise PracticeError("train.was_broken_off")
        return self._history

    def _run(self) -> Iterator[Event]:
        """The loop."""
        import torch

        plan, state, position = self.plan, self.state, self.state.position
        threads_before, precision_before = torch.get_num_threads(), torch.get_float32_matmul_precision()
        resumed = self._resume()
        torch.set_num_threads(self.threads)
        try:
            planned = self._plan_speed()
            if self.checkpoints is not None:
                self.checkpoints.start_clock()
                self._interrupts.install()
            yield Started(plan.epochs, self.num_steps, _num_parameters(self.module), self.threads, str(self.device))
            if planned is not None:
                yield planned
            if resumed is not None:
                yield resumed

            while position.stopped is None:
                started = time.monotonic() - position.epoch_s
                self._adapt_rate()
                if position.batch == 0:
                    state.keep_good()
                self.module.train()
                fault = None
                for batch in self.train.epoch(
                    plan.batch_size, seed=plan.seed, epoch=position.epoch, start=position.batch
                ):
                    fault = self._step(batch)
                    if fault is not None:
                        break
                    position.epoch_s = time.monotonic() - started
                    if self._shrunk is not None:
                        position.notes.append(self._shrunk.record())
                        told, self._shrunk = self._shrunk, None
                        yield told
                    yield Step(position.step, position.epoch + 1, position.batch, self.num_batches, self._last_loss)
                    if self.checkpoints is not None and self.checkpoints.is_due(epoch_end=False):
                        yield from self._saved()
                    if self._is_over_budget(started):
                        break
                fault = fault or self._fault_in_weights()
                if fault is not None:
                    yield self._go_back(fault)
                    continue

                epoch = self._judge_epoch(started)
                if epoch is None:  # interrupted while judging; the resumed run judges again
                    self._save()
                    raise KeyboardInterrupt
                yield epoch
                if self.checkpoints is not None and (
                    position.stopped is not None or self.checkpoints.is_due(epoch_end=True)
                ):
                    yield from self._saved()

            if state.best or state.average:
                self.module.load_state_dict(state.best or state.average)
            self.module.eval()
            yield self._finished()
        finally:
            self._interrupts.uninstall()
            torch.set_num_threads(threads_before)
            torch.set_float32_matmul_precision(precision_before)

    def _plan_speed(self) -> Planned | None:
        """Choose the kernel for float32 products, unless a checkpoint has: another one gives other bits."""
        import torch

        if self.plan.speed == "exact":
            return None
        planned = None
        if self.precision is None:
            found = plan_speed()
            self.precision = found.precision
            planned = Planned(found.precision, found.gain, found.error)
        torch.set_float32_matmul_precision(self.precision)
        return planned

    def _step(self, batch: Batch) -> Fault | None:
        """One step: every phase of the objective on one batch. Gives the fault that kept it from being done."""
        position = self.state.position
        self._set_rates()
        if self.regularize is not None and self.regularize.noise:
            self._reseed("noise", position.step)
            batch = Batch(self.regularize.noised(batch.inputs), batch.target, batch.rows)
        rows = len(batch.target)
        total = 0.0
        for number, (phase, optimizer, parameters) in enumerate(self._phases):
            value = self._backward(number, batch)
            if not (math.isfinite(value) and self._are_finite([p.grad for p in parameters if p.grad is not None])):
                return locate(self.module, batch, phase.name, phase.loss, lambda n=number: self._reseed_phase(n))
            if self.regularize is not None:
                self.regularize.change_gradients(parameters)
            optimizer.step()
            total += value
        if self.regularize is not None and self.regularize.ema is not None:
            self.state.move_average(self.regularize.memory(position.step))
        position.loss_sum += total * rows
        position.loss_rows += rows
        position.batch += 1
        position.step += 1
        self._last_loss = total
        return None

    def _backward(self, number: int, batch: Batch) -> float:
        """Leave the gradients of the batch's mean loss in the phase's parameters; gives that loss.

        Where memory does not suffice the batch goes through in smaller pieces, each weighted by its rows.
        """
        phase, _, parameters = self._phases[number]
        rows = len(batch.target)
        while True:
            size = min(self.state.position.micro_batch or rows, rows)
            self._reseed_phase(number)
            for parameter in parameters:
                parameter.grad = None
            try:
                total = 0.0
                for low in range(0, rows, size):
                    target = batch.target[low : low + size]
                    loss = phase.loss(tuple(t[low : low + size] for t in batch.inputs), target)
                    if size < rows:
                        loss = loss * (len(target) / rows)
                    loss.backward(inputs=parameters if len(self._phases) > 1 else None)
                    total += loss.item()
                return total
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink(size, error)

    def _shrink(self, size: int, error: BaseException) -> None:
        """Halve the rows that go through at once. Raises ResourceError where that is impossible or no equal."""
        if size == 1 or has_batch_norm(self.module):
            raise ResourceError("train.out_of_memory", rows=size, batch_size=self.plan.batch_size) from error
        self.state.position.micro_batch = (size + 1) // 2
        self._shrunk = Shrunk(self.state.position.step + 1, self.state.position.micro_batch)

    def _judge_epoch(self, started: float) -> Epoch | None:
        """Close the epoch: judge, compare with the best, decide whether to stop. None when interrupted."""
        plan, position = self.plan, self.state.position
        running_loss = position.loss_sum / position.loss_rows
        is_cut_short = self._is_over_budget(started)
        with self.state.judged_weights():
            train = {"loss": running_loss} if self.sample is None else self._judged(self.sample)
            validation = {} if self.validation is None else self._judged(self.validation)
        if train is None or validation is None:
            return None

        is_best = self._is_better(validation.get(plan.watch, math.nan))
        position.epoch += 1
        position.batch = 0
        position.loss_sum, position.loss_rows, position.epoch_s = 0.0, 0, 0.0
        seconds = time.monotonic() - started
        position.seconds += seconds
        if is_best:
            position.best_value, position.best_epoch = validation[plan.watch], position.epoch
            position.epochs_since_best = 0
            self.state.keep_best()
        else:
            position.epochs_since_best += 1
        if is_cut_short:
            position.stopped = "budget"
        elif position.epoch >= plan.epochs:
            position.stopped = "epochs"
        elif validation and plan.patience is not None and position.epochs_since_best >= plan.patience:
            position.stopped = "patience"

        eta_s = 0.0 if position.stopped else (plan.epochs - position.epoch) * position.seconds / position.epoch
        event = Epoch(
            position.epoch, plan.epochs, position.step, seconds, eta_s, self.optimizers[0].param_groups[0]["lr"],
            running_loss, train, validation, is_best,
        )  # fmt: skip
        position.epochs.append({k: v for k, v in event.record().items() if k not in ("event", "eta_s", "num_epochs")})
        return event

    def _judged(self, part: Rows | Stream) -> dict[str, float] | None:
        plan = self.plan
        self.module.eval()
        self._reseed("judge", self.state.position.epoch)
        return judge(
            self.objective, part, batch_size=plan.batch_size, metrics=plan.metrics, answer=plan.answer,
            is_interrupted=lambda: self._interrupts.pending,
        )  # fmt: skip

    def _is_better(self, value: float) -> bool:
        if math.isnan(value):
            return False
        best = self.state.position.best_value
        return best is None or (value > best if self.plan.greater_is_better else value < best)

    def _is_over_budget(self, started: float) -> bool:
        budget_s = self.plan.budget_s
        return budget_s is not None and self.state.position.seconds + time.monotonic() - started > budget_s

    def _set_rates(self) -> None:
        position = self.state.position
        if self.schedule is None and position.lr_scale == 1.0 and not self._has_rates:
            return  # the rate is the optimizer's own, which a caller may move between events
        factor = self._adapted
        if self.schedule is not None:
            factor *= self.schedule.factor(position.step, self.num_steps)
        for optimizer, rates in zip(self.optimizers, self.base_rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor * position.lr_scale

    def _adapt_rate(self) -> None:
        """What an adaptive schedule makes of the epochs so far; a function of the history, so it is not saved."""
        if isinstance(self.schedule, Plateau):
            part = "train" if self.validation is None else "validation"
            values = [epoch[part].get(self.plan.watch) for epoch in self.state.position.epochs]
            greater = self.plan.greater_is_better
            self._adapted = self.schedule.adapt(values, greater_is_better=greater)

    def _reseed_phase(self, number: int) -> None:
        self._reseed("step", self.state.position.step, *((number,) if number else ()))

    def _reseed(self, purpose: Any, *place: int) -> None:
        seed = seed_for(self.plan.seed, purpose, *place)
        for generator in self._generators:
            generator.manual_seed(seed)

    def _fault_in_weights(self) -> Fault | None:
        """An update can overflow although its gradient was finite."""
        for name, parameter in self.module.named_parameters():
            if not all_finite([parameter]):
                return Fault(self.objective.phases[0].name, "weight", name, ())
        return None

    def _go_back(self, fault: Fault) -> NonFinite:
        """Back to the start of the epoch with half the rate; after the third time, or for bad rows, an error."""
        position, step = self.state.position, self.state.position.step + 1
        position.seconds += position.epoch_s
        self.state.go_back()
        rows = ", ".join(map(str, fault.rows)) or "-"
        if fault.what in ("input", "target"):
            raise RuleError("train.non_finite_rows", step=step, what=fault.layer, rows=rows)
        if position.attempts == MAX_ATTEMPTS:
            raise RuleError(
                "train.non_finite", step=step, what=fault.what, layer=fault.layer, rows=rows, attempts=MAX_ATTEMPTS
            )
        position.attempts += 1
        position.lr_scale /= 2
        event = NonFinite(
            step, position.epoch + 1, fault.phase, fault.what, fault.layer, fault.rows, position.attempts,
            position.lr_scale,
        )  # fmt: skip
        position.notes.append(event.record())
        return event

    def _saved(self) -> Iterator[Saved]:
        event = self._save()
        if event is not None:
            yield event

    def _save_quietly(self) -> None:
        self._save()

    def _save(self) -> Saved | None:
        """Write a checkpoint; a state with a NaN in it is never written, the next step will find it."""
        if self.checkpoints is None or self._fault_in_weights() is not None:
            return None
        tensors, facts = self.state.dump()
        facts |= {"identity": self._identity(), "environment": self._environment()}
        path, num_bytes, seconds = self.checkpoints.save(tensors, facts)
        return Saved(self.state.position.step, str(path), num_bytes, seconds)

    def _resume(self) -> Resumed | None:
        """Take up the newest undamaged checkpoint, if there is one."""
        if self.checkpoints is None:
            return None
        loaded, refused = self.checkpoints.load_latest()
        if loaded is None:
            return Resumed(0, 0, refused) if refused else None
        facts = loaded.facts
        identity = self._identity()
        for name, value in facts["identity"].items():
            if identity.get(name) != value:
                raise RecipeError(
                    "train.other_training",
                    folder=self.checkpoints.folder,
                    what=name,
                    found=value,
                    now=identity.get(name),
                )
        if self.plan.threads is None:
            self.threads = facts["environment"]["threads"]
        if self.plan.speed == "auto":
            self.precision = facts["environment"]["precision"]
        self.state.load(loaded.tensors, facts)
        then, now = facts["environment"], self._environment()
        changes = tuple(f"{name}: {then[name]} > {now[name]}" for name in now if now[name] != then[name])
        event = Resumed(self.state.position.epoch, self.state.position.step, refused, changes)
        self.state.position.notes.append(event.record())
        return event

    def _identity(self) -> dict[str, Any]:
        """What makes this training the one whose checkpoints may be taken up."""
        plan = self.plan
        shapes = {name: list(value.shape) for name, value in self.module.state_dict().items()}
        return {
            "seed": plan.seed,
            "batch_size": plan.batch_size,
            "epochs": plan.epochs,
            "patience": plan.patience,
            "watch": plan.watch,
            **self._fingerprints,
            "weights": shapes,
            "optimizers": [type(each).__name__ for each in self.optimizers],
            "rates": self.base_rates,
            "schedule": None if self.schedule is None else self.schedule.hash,
            "regularize": None if self.regularize is None else self.regularize.hash,
        }

    def _environment(self) -> dict[str, Any]:
        import torch

        return {
            "threads": self.threads,
            "torch": torch.__version__,
            "device": str(self.device),
            "precision": self.precision or torch.get_float32_matmul_precision(),
        }

    def _finished(self) -> Stopped:
        position = self.state.position
        assert position.stopped is not None, "the loop ends with a reason"
        event = Stopped(
            position.stopped, position.epoch, position.step, position.best_epoch, position.seconds, digest(self.module)
        )
        self._history = History(
            tuple(position.epochs), position.stopped, position.best_epoch, position.step, position.seconds,
            event.digest, tuple(position.notes),
        )  # fmt: skip
        return event


def _loss_for(loss: Any, train: Rows | Stream) -> Any:
    if loss is None:
        if isinstance(train, Stream):
            raise RecipeError("train.loss_needed")
        loss = MSE() if train.target.is_floating_point() else CrossEntropy()
    return built_loss(loss, train.device)


def _fingerprint(part: Rows | Stream | None) -> str | None:
    return part.fingerprint() if isinstance(part, Rows) else None


def _num_parameters(module: "nn.Module") -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
