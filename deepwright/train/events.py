"""Events: what a training tells while it runs, each a plain record."""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Scores = dict[str, float]


class Event:
    """One thing that happened."""

    __slots__ = ()

    def record(self) -> dict[str, Any]:
        """This event as a plain mapping for JSON; undefined numbers become None.

        >>> Step(step=1, epoch=1, batch=1, num_batches=4, loss=float("nan")).record()
        {'event': 'step', 'step': 1, 'epoch': 1, 'batch': 1, 'num_batches': 4, 'loss': None}
        """
        values = {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]
        return {"event": type(self).__name__.lower(), **_plain(values)}


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The first event. num_steps: optimizer steps if every epoch is done."""

    num_epochs: int
    num_steps: int
    num_parameters: int
    threads: int
    device: str


@dataclass(frozen=True, slots=True)
class Left:
    """A way to be faster that was tried or looked at, and left.

    why: the catalogue's key of the reason; found: the number, or the words of a library, that belong to it.
    """

    way: str
    why: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """The speed plan of `speed="auto"`; see `speed.SpeedPlan` and `probe.Choice`.

    gain: how many times faster a pass is under it than in torch's own way. error: of float32 products under it,
    relative to the largest value. bf16_gap: between the losses with and without bfloat16 after a few steps, relative
    to the loss before; None: not tried. refused: what was left, with the reason. cheap_dropout, one_thread,
    keep_memory: the plan's other three.
    """

    precision: str
    channels_last: bool
    bf16: bool
    gain: float
    error: float
    bf16_gap: float | None
    seconds: float
    refused: tuple[Left, ...] = ()
    cheap_dropout: bool = False
    one_thread: bool = False
    keep_memory: bool = True


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    """A checkpoint was taken up. refused: damaged ones that were passed over. changes: what is not as it was, so that
    the bits may differ from an uninterrupted run (torch version, threads, device)."""

    epoch: int
    step: int
    refused: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step(Event):
    """One step is done. step counts from 1 over the run, batch from 1 in its epoch; loss is this batch's mean."""

    step: int
    epoch: int
    batch: int
    num_batches: int
    loss: float


@dataclass(frozen=True, slots=True)
class Epoch(Event):
    """One epoch is done. epoch counts from 1.

    train: loss and metrics of the fixed sample of the training part, in evaluation mode. validation: the same of the
    whole validation part; empty without one. running_loss: mean loss of the epoch's steps, in training mode.
    lr: the rate of its last step. eta_s: seconds left if every epoch is done.
    """

    epoch: int
    num_epochs: int
    step: int
    seconds: float
    eta_s: float
    lr: float
    running_loss: float
    train: Scores
    validation: Scores
    is_best: bool


@dataclass(frozen=True, slots=True)
class Saved(Event):
    """A checkpoint was written."""

    step: int
    path: str
    num_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class NonFinite(Event):
    """A NaN or an infinity was met before it reached the weights; the epoch starts again with a lower rate.

    step: the step that would have been done. what: where it showed (output, loss, gradient, weight); layer: the first
    layer concerned. rows: the first training rows concerned, from 0. attempt counts from 1; lr_scale: factor on the
    rate from here on.
    """

    step: int
    epoch: int
    phase: str
    what: str
    layer: str
    rows: tuple[int, ...]
    attempt: int
    lr_scale: float


@dataclass(frozen=True, slots=True)
class Shrunk(Event):
    """Memory did not suffice for a whole batch: from here on `micro_batch` rows go through the module at once, and
    the gradients are those of the whole batch."""

    step: int
    micro_batch: int


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """The last event. best_epoch: the one whose weights the module holds now, from 1; None: the last step's weights.

    digest: SHA-256 of these weights.
    """

    reason: Literal["epochs", "patience", "budget"]
    epochs: int
    steps: int
    best_epoch: int | None
    seconds: float
    digest: str


@dataclass(frozen=True)
class History:
    """What a training came to. epochs: one mapping per epoch (epoch, seconds, lr, running_loss, train, validation,
    is_best). stopped, best_epoch, steps, seconds, digest: see `Stopped`."""

    epochs: tuple[dict[str, Any], ...] = ()
    stopped: str = ""
    best_epoch: int | None = None
    steps: int = 0
    seconds: float = 0.0
    digest: str = ""
    notes: tuple[dict[str, Any], ...] = ()
    """Records of the events that a reader of the result should know: planned, resumed, nonfinite."""
    plan: dict[str, Any] = field(default_factory=dict)
    """The speed plan the steps ran under; `SpeedPlan.parse` reads it."""
    spent: Scores = field(default_factory=dict)
    """Seconds by phase: data, forward, backward, update, judging, checkpoints; over all resumes."""

    def best(self, part: Literal["train", "validation"] = "validation") -> Scores:
        """Loss and metrics of the epoch whose weights were kept."""
        return dict(self.epochs[(self.best_epoch or len(self.epochs)) - 1][part])


def _plain(value: Any) -> Any:
    if isinstance(value, Left):
        return asdict(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
