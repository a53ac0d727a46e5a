"""The training loop: one straight generator of events, exact to the bit after any kill.

    for event in fit(module, train, validation, loss=..., optimizer=...):
        print(event)

Every random draw is a function of (seed, epoch, index), so a resumed training needs no generator's state: it takes up
weights, optimizer and position from a checkpoint and does the same steps that it would have done.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal

from deepwright.core.errors import PracticeError, RecipeError, RuleError
from deepwright.core.families import Loss, Optimizer, Schedule
from deepwright.train.batch import Batch
from deepwright.train.batches import Rows, open_part
from deepwright.train.checkpoint import Checkpoints, Loaded
from deepwright.train.epochs import close_epoch, watched
from deepwright.train.events import (
    Epoch,
    Event,
    History,
    NonFinite,
    Planned,
    Resumed,
    Started,
    Step,
    Stopped,
)
from deepwright.train.freeze import Freezing
from deepwright.train.heap import kept_memory
from deepwright.train.interrupt import Interrupts
from deepwright.train.judge import built_loss, judge
from deepwright.train.loss import MSE, CrossEntropy
from deepwright.train.metrics import Metrics, is_greater_better, metric_functions
from deepwright.train.nonfinite import Fault, Watch
from deepwright.train.objective import Objective, supervised
from deepwright.train.optim import built_optimizer
from deepwright.train.options import Options
from deepwright.train.probe import choose_plan
from deepwright.train.rates import Rates
from deepwright.train.regularize import Regularize
from deepwright.train.saving import Saving, identity
from deepwright.train.speed import Precision, SpeedPlan, laid_out, products
from deepwright.train.state import State, digest
from deepwright.train.step import Change, Steps
from deepwright.train.stream import Stream
from deepwright.train.trial import TrialSteps

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
    batch_size: int | None = None,
    seed: int = 0,
    patience: int | None = 8,
    metrics: Metrics | None = None,
    watch: str = "loss",
    greater_is_better: bool | None = None,
    answer: "Callable[[torch.Tensor], Any] | None" = None,
    sample: int = 4096,
    checkpoints: Checkpoints | None = None,
    budget_s: float | None = None,
    threads: int | None = None,
    objective: Objective | None = None,
    rates: Mapping[str, float] | None = None,
    frozen: Mapping[str, int | None] | None = None,
    regularize: Regularize | None = None,
    speed: Literal["exact", "auto"] | SpeedPlan = "exact",
    micro_batches: int = 1,
    lengths: str | None = None,
    augment: Change | None = None,
) -> "Training":
    """Train a module. Gives an iterable of events; `.finish()` runs it to its end and gives the History.

    train, validation: (inputs, target) with inputs an array, a tensor, or a mapping of them in the order of the
    module's arguments; or a DataLoader, or any sized iterable of (inputs..., target); or batches that can begin
    anywhere, such as `ImageBatches`, which then are not read again by a training that is taken up.
    loss: a part or its kind, or a callable (output, target) -> mean; None: cross-entropy for whole numbers, else mse.
    optimizer: a part or its kind, a torch optimizer, or a callable that takes parameters. schedule: None keeps the
    rate.
    epochs: at most. batch_size: rows per step; None: 256, or the size of the batches given.
    patience: epochs without a better `watch` on validation before stopping; None: never.
    metrics: names or metric parts, such as ["accuracy", "f1"], or functions (target, answer) -> number by name.
    `answer` turns the module's output into what they see; without it, functions see the output [B, K], parts that judge
    classes its softmax, and parts that judge values [B] for [B, 1].
    greater_is_better: whether more of `watch` is better; None: what a metric part says, else less is.
    sample: training rows judged after each epoch. checkpoints: where to save and resume; None: nowhere.
    budget_s: seconds of training, at most, summed over resumes. threads: None: torch's number, at most 8, or the
    checkpoint's. objective: replaces `loss` where a step has several phases.
    rates: factors on an optimizer part's rate by parameter name, such as {"backbone.*": 0.1}. frozen: epochs that
    parameters stay as they are, such as {"stem.*": None, "blocks.*": 3}; None: all. Layers that are frozen whole work
    as in evaluation, so that normalisations keep their statistics. regularize: noise, penalties, clipping and averaged
    weights, which then are the ones judged and kept.

    speed: "exact" runs steps as torch does; "auto" tries for at most 2 s what is faster here (kernels for float32
    products, channels-last, cheaper masks for dropout, bfloat16 for classes) and keeps what passes its checks. What is
    chosen is told, stored in the History and resumed, but another start may choose otherwise and get other bits; a
    SpeedPlan given here, such as `SpeedPlan.parse(history.plan)`, is taken as it is.

    micro_batches: pieces that a batch goes through in, weighted by their rows: the memory of one piece, and, for losses
    that are a mean over rows, the gradients of the whole batch. Batch normalisation sees each piece for itself.

    lengths: the name of the input [B] that says how many steps of each row count. Inputs [B, T, ...] then come cut to
    the longest row of their batch, and rows of like length stand in one batch. A list of arrays [T] or [T, F] as an
    input needs no name: the module gets it filled up with zeros, and its lengths as the next argument.

    augment: changes each batch of the training part before its step, such as `Augmenter(("flip", "crop"))`: a callable
    (batch, step) -> batch of as many rows. Draws from torch's global generators in it are a function of (seed, step).

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
    functions = metric_functions(metrics, is_answered=answer is not None)
    greater = is_greater_better(functions.get(watch)) if greater_is_better is None else greater_is_better
    return Training(
        module, train, validation, loss=loss, optimizer=optimizer, schedule=schedule, objective=objective,
        rates=rates, frozen=frozen, regularize=regularize, augment=augment,
        options=Options(
            epochs, batch_size, seed, patience, functions, watch, greater, answer, sample, budget_s,
            threads, speed, micro_batches, lengths,
        ),
        checkpoints=checkpoints,
    )  # fmt: skip


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
        frozen: Mapping[str, int | None] | None,
        regularize: Regularize | None,
        augment: Change | None,
        options: Options,
        checkpoints: Checkpoints | None,
    ) -> None:
        import torch

        self.freezing = Freezing(module, frozen)
        first = next((p for p in module.parameters() if p.requires_grad), None)
        if first is None:
            raise RecipeError("train.no_parameters", module=type(module).__name__)
        self.module = module
        self.device = first.device
        kind = {"device": first.device, "dtype": first.dtype if first.is_floating_point() else torch.float32}
        self.train = open_part("train", train, **kind, lengths=options.lengths)
        self.options = options = options.with_batch_size_of(self.train.batch_size)
        self.validation = (
            None if validation is None else open_part("validation", validation, **kind, lengths=options.lengths)
        )
        self.sample = self.train.sample(options.sample, options.seed) if isinstance(self.train, Rows) else None
        self.objective = objective or supervised(module, _loss_for(loss, self.train))
        self.optimizers = [
            built_optimizer(p.optimizer or optimizer, p.parameters, rates, self.freezing.later)
            for p in self.objective.phases
        ]
        if len({id(each) for each in self.optimizers}) < len(self.optimizers):
            raise RecipeError("train.optimizer_shared", phases=len(self.optimizers))
        self.num_batches = self.train.num_batches(options.batch_size)
        self.num_steps = options.epochs * self.num_batches
        schedule = Schedule.parse(schedule) if isinstance(schedule, str) else schedule
        self.rates = Rates(self.optimizers, schedule, has_factors=bool(rates), num_steps=self.num_steps)
        self.watch = Watch(module, self.optimizers, self.objective.phases[0].name)
        self.threads = options.threads or min(torch.get_num_threads(), MAX_THREADS)
        self.state = State(module, self.optimizers)
        self.steps = Steps(
            module, self.objective, self.optimizers, self.state, self.device, seed=options.seed, regularize=regularize,
            num_batches=self.num_batches, num_epochs=options.epochs, micro_batches=options.micro_batches,
            augment=augment,
        )  # fmt: skip
        self._precision: Precision | None = None
        self._history: History | None = None
        parts = {"train": self.train, "validation": self.validation} if checkpoints else {}
        identified = identity(module, self.optimizers, options, self.rates, regularize, parts, augment)
        identified |= {"frozen": self.freezing.epochs}
        self.saving = Saving(checkpoints, self.state, self.watch, identity=identified, environment=self._environment)
        self._interrupts = Interrupts(self.saving.save)
        self._events = self._run()

    def __iter__(self) -> "Training":
        return self

    def __next__(self) -> Event:
        self._interrupts.is_inside = True
        try:
            with products(self._precision):
                event = next(self._events)
        finally:
            self._interrupts.is_inside = False
        if self._interrupts.pending:
            self.saving.save()
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

        options, state, steps, position = self.options, self.state, self.steps, self.state.position
        loaded, refused = self.saving.look()
        if loaded is not None and options.threads is None:
            self.threads = loaded.facts["environment"]["threads"]
        with ExitStack() as stack:
            if not isinstance(options.speed, SpeedPlan) or options.speed.keep_memory:
                stack.enter_context(kept_memory())
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(self.threads)
            planned = self._choose_plan(loaded)
            if steps.plan.one_thread:
                self.threads = 1
                torch.set_num_threads(self.threads)
            if options.speed != "exact":
                self._precision = steps.plan.precision
                torch.set_float32_matmul_precision(self._precision)
            stack.enter_context(laid_out(steps.plan, self.module, self.optimizers))
            resumed = Resumed(0, 0, refused) if refused else None
            if loaded is not None:
                resumed = self.saving.take_up(loaded, refused)
            elif planned is not None:
                position.notes.append(planned.record())
            stack.callback(self._interrupts.uninstall)
            stack.callback(self.freezing.undo)
            if self.saving.checkpoints is not None:
                self.saving.checkpoints.start_clock()
                self._interrupts.install()
            yield Started(options.epochs, self.num_steps, _num_parameters(self.module), self.threads, str(self.device))
            if planned is not None:
                yield planned
            if resumed is not None:
                yield resumed

            while position.stopped is None:
                started = time.monotonic() - position.epoch_s
                self.rates.adapt(
                    watched(position, options, "train" if self.validation is None else "validation"),
                    greater_is_better=options.greater_is_better,
                )
                if position.batch == 0:
                    state.keep_good()
                self.module.train()
                self.freezing.set(position.epoch)
                fault = None
                batches = self.train.epoch(
                    options.batch_size, seed=options.seed, epoch=position.epoch, start=position.batch
                )
                for batch in self._timed(batches):
                    self.rates.set(position)
                    fault = steps.step(batch)
                    if fault is not None:
                        break
                    position.epoch_s = time.monotonic() - started
                    if steps.shrunk is not None:
                        position.notes.append(steps.shrunk.record())
                        told, steps.shrunk = steps.shrunk, None
                        yield told
                    yield Step(position.step, position.epoch + 1, position.batch, self.num_batches, steps.loss)
                    yield from self.saving.due(epoch_end=False)
                    if self._is_over_budget(started):
                        break
                fault = fault or self.watch.fault()
                if fault is not None:
                    yield self._go_back(fault)
                    continue

                epoch = self._judge_epoch(started)
                if epoch is None:  # interrupted while judging; the resumed run judges again
                    self.saving.save()
                    raise KeyboardInterrupt
                yield epoch
                yield from self.saving.due(epoch_end=True)

            if state.best or state.average:
                self.module.load_state_dict(state.best or state.average)
            self.module.eval()
            yield self._finished()

    def _choose_plan(self, loaded: Loaded | None) -> Planned | None:
        """The checkpoint's plan, or the caller's; else try on the first batch what is faster here."""
        import torch

        speed = self.options.speed
        if speed == "exact":
            self.steps.plan = SpeedPlan(precision=torch.get_float32_matmul_precision())
        elif loaded is not None:
            self.steps.plan = SpeedPlan.parse(loaded.facts["environment"]["plan"])
        elif isinstance(speed, SpeedPlan):
            self.steps.plan = speed
        elif (batch := self._first_batch()) is not None:
            trial = TrialSteps(self.steps, batch, self.num_steps)
            try:
                choice = choose_plan(trial)
            finally:
                trial.put_back()
            self.steps.plan = choice.plan
            return Planned(
                choice.plan.precision, choice.plan.channels_last, choice.plan.bf16, choice.gain, choice.error,
                choice.bf16_gap, choice.seconds, choice.refused, choice.plan.cheap_dropout, choice.plan.one_thread,
                choice.plan.keep_memory,
            )  # fmt: skip
        return None

    def _timed(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches, with the time that they take to come noted."""
        spent = self.state.position.spent
        while True:
            started = time.perf_counter()
            batch = next(batches, None)
            spent["data"] += time.perf_counter() - started
            if batch is None:
                return
            yield batch

    def _first_batch(self) -> Batch | None:
        """None of batches that can be read only once."""
        if isinstance(self.train, Stream) and isinstance(self.train.batches, Iterator):
            return None
        batches = self.train.epoch(self.options.batch_size, seed=self.options.seed, epoch=0)
        batch = next(batches, None)
        batches.close()
        return batch

    def _judge_epoch(self, started: float) -> Epoch | None:
        """Close the epoch: judge, compare with the best, decide whether to stop. None when interrupted."""
        options, position = self.options, self.state.position
        running_loss = position.loss_sum / position.loss_rows
        is_cut_short = self._is_over_budget(started)
        judging = time.perf_counter()
        with self.state.judged_weights():
            train = {"loss": running_loss} if self.sample is None else self._judged(self.sample)
            validation = {} if self.validation is None else self._judged(self.validation)
        position.spent["judging"] += time.perf_counter() - judging
        if train is None or validation is None:
            return None

        seconds = time.monotonic() - started
        is_best = close_epoch(position, options, validation, seconds=seconds, is_cut=is_cut_short)
        if is_best:
            self.state.keep_best()
        eta_s = 0.0 if position.stopped else (options.epochs - position.epoch) * position.seconds / position.epoch
        event = Epoch(
            position.epoch, options.epochs, position.step, seconds, eta_s, self.optimizers[0].param_groups[0]["lr"],
            running_loss, train, validation, is_best,
        )  # fmt: skip
        position.epochs.append({k: v for k, v in event.record().items() if k not in ("event", "eta_s", "num_epochs")})
        return event

    def _judged(self, part: Rows | Stream) -> dict[str, float] | None:
        options = self.options
        self.module.eval()
        self.steps.reseed("judge", self.state.position.epoch)
        return judge(
            self.objective, part, batch_size=options.batch_size, metrics=options.metrics, answer=options.answer,
            is_interrupted=lambda: self._interrupts.pending,
        )  # fmt: skip

    def _is_over_budget(self, started: float) -> bool:
        budget_s = self.options.budget_s
        return budget_s is not None and self.state.position.seconds + time.monotonic() - started > budget_s

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

    def _environment(self) -> dict[str, Any]:
        import torch

        return {
            "threads": self.threads,
            "torch": torch.__version__,
            "device": str(self.device),
            "plan": self.steps.plan.record(),
        }

    def _finished(self) -> Stopped:
        position = self.state.position
        assert position.stopped is not None, "the loop ends with a reason"
        event = Stopped(
            position.stopped, position.epoch, position.step, position.best_epoch, position.seconds, digest(self.module)
        )
        self._history = History(
            tuple(position.epochs), position.stopped, position.best_epoch, position.step, position.seconds,
            event.digest, tuple(position.notes), self.steps.plan.record(), dict(position.spent),
        )  # fmt: skip
        return event


def _loss_for(loss: Any, train: Rows | Stream) -> Any:
    if loss is None:
        if isinstance(train, Stream):
            raise RecipeError("train.loss_needed")
        loss = MSE() if train.target.is_floating_point() else CrossEntropy()
    return built_loss(loss, train.device)


def _num_parameters(module: "nn.Module") -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
