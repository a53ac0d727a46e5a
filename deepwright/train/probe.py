"""Choosing the speed plan: each faster way is timed on whole passes of this training and checked against torch's own.

Timing decides, so two starts may choose differently; what was chosen is therefore recorded and taken up again.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from deepwright.train.events import Left
from deepwright.train.speed import Precision, SpeedPlan

if TYPE_CHECKING:
    import torch
    from torch import nn

MAX_SECONDS, LONG_S = 8.0, 2.0
"""For choosing, at most: enough for passes of a whole batch, since of few rows bfloat16 and threads gain little
(docs/log.md, 2026-11-22); and from which on a training is a long one."""
SHARE = 0.05
"""Of the training's time that choosing may take, within 0.1 s and the bound above."""
MAX_ERROR = 2e-6
"""Of a product of 256 terms, relative to the largest; float32 sums lie near 4e-7, bfloat16 near 4e-3."""
MAX_LOSS_GAP = 1e-4
"""Between the losses of one pass in two float32 ways, relative to the loss."""
MAX_BF16_GAP = 0.01
"""Between the losses after `GATE_STEPS` steps in bfloat16 and in float32, relative to the loss before them."""
GATE_STEPS = 8
MIN_GAIN = 1.03
"""How many times faster a way has to be on whole passes; less is within the noise."""
PASSES = 64
"""How many passes of the trial batch are to fit into the time there is: half of them for the comparisons, the rest for
finding the rows and for the gate of bfloat16."""
COMPARISON_SHARE = 1 / 6
MAX_ROUNDS = 30
THREAD_PASS_S, THREAD_ROUNDS = 0.1, 3
"""Seconds of a pass from which on it tells of whole steps how threads share them, and how often each way is timed."""


class Trial(Protocol):
    """What the probe may do with a training: all of it on some rows of its first batch, and put back afterwards."""

    has_convolutions: bool
    has_dropout: bool
    may_round: bool
    num_steps: int
    num_threads: int
    rows: int
    max_rows: int

    def timed(self, plan: SpeedPlan) -> tuple[float, float]:
        """One forward and backward pass of `rows` rows under a plan: its loss and its seconds."""

    def learned(self, plan: SpeedPlan | None, steps: int) -> float:
        """The float32 loss in evaluation mode after `steps` steps under a plan, from the weights as they are now."""


@dataclass(frozen=True)
class Choice:
    """gain: time of a pass in torch's own way / under the plan. error: of float32 products under it. bf16_gap: what
    the gate found, relative to the loss before; None: not tried. refused: ways that were left, with the reason."""

    plan: SpeedPlan
    gain: float
    error: float
    bf16_gap: float | None
    seconds: float
    refused: tuple[Left, ...]


def choose_plan(trial: Trial, multiply: "Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None" = None) -> Choice:
    """Try one thread, channels-last, cheap masks, float32 kernels and bfloat16, each on top of what was kept before it.

    For a short training bfloat16, which gains most, comes before the kernels, and the threads stay as they are.

    multiply: the product whose error is looked at; None: torch's.
    """
    started = time.monotonic()
    exact = plan = SpeedPlan()
    budget_s = _budget_s(trial, plan)
    refused: list[Left] = []
    gain, gap = 1.0, None
    if budget_s >= LONG_S and trial.num_threads > 1:
        plan, gain = _with_threads(trial, refused)
        budget_s = _budget_s(trial, plan)
    since = time.monotonic()
    errors = product_errors(multiply)
    products = ("precision", "bf16") if budget_s >= LONG_S else ("bf16", "precision")
    for name in ("channels_last", "cheap_dropout", *products):
        is_last_call = time.monotonic() - since > budget_s * 0.75
        tried = _next(name, plan, trial, errors, refused)
        if tried is None:
            continue
        if is_last_call:
            refused.append(Left(name, "train.left.no_time"))
            continue
        faster, why = _compare(name, trial, plan, tried, budget_s * COMPARISON_SHARE)
        if why is None and name == "bf16":
            gap = _bf16_gap(trial, replace(tried, bf16=False), tried)
            if not gap <= MAX_BF16_GAP:
                why = Left(name, "train.left.gate", f"{gap:.1e}")
        if why is not None:
            refused.append(why)
        else:
            plan, gain = tried, gain * faster
    assert plan == exact or gain >= MIN_GAIN, "only faster ways are kept"
    return Choice(plan, gain, errors[plan.precision], gap, time.monotonic() - started, tuple(refused))


def product_errors(
    multiply: "Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None" = None,
) -> dict[Precision, float]:
    """Error of a product of two 256 x 256 matrices under each of torch's settings, relative to the largest value."""
    import torch

    draw = torch.Generator().manual_seed(0)
    x, y = (torch.randn(256, 256, generator=draw) for _ in range(2))
    expected = x.double() @ y.double()
    before = torch.get_float32_matmul_precision()
    errors: dict[Precision, float] = {}
    settings: tuple[Precision, ...] = ("highest", "high", "medium")
    try:
        for setting in settings:
            torch.set_float32_matmul_precision(setting)
            found = (multiply or torch.matmul)(x, y).double()
            errors[setting] = float((found - expected).abs().max() / expected.abs().max())
    finally:
        torch.set_float32_matmul_precision(before)
    return errors


def has_bf16(device: "torch.device") -> bool:
    """Whether products of bfloat16 numbers are the device's own, not made of float32 ones."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    known = torch.backends.cpu.get_cpu_capability().startswith("AVX512") or torch.cpu._is_amx_tile_supported()
    return bool(known and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()))


def has_convolutions(module: "nn.Module") -> bool:
    from torch import nn

    return any(isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) for layer in module.modules())


def _budget_s(trial: Trial, plan: SpeedPlan) -> float:
    """Seconds for the choice among kernels and formats; sets the trial's rows to the most that fit into them.

    By doubling: a pass of few rows is mostly overhead and says little about a pass of many.
    """
    trial.rows = min(trial.max_rows, 2)
    trial.timed(plan)
    while True:
        seconds = max(min(trial.timed(plan)[1] for _ in range(2)), 1e-6)
        budget_s = min(MAX_SECONDS, max(0.1, SHARE * trial.num_steps * seconds * trial.max_rows / trial.rows))
        if trial.rows == trial.max_rows or 2 * seconds > budget_s / PASSES:
            return budget_s
        trial.rows = min(trial.max_rows, 2 * trial.rows)


def _with_threads(trial: Trial, refused: list[Left]) -> tuple[SpeedPlan, float]:
    """All threads or one, and how many times faster that is. Where another program wants a core, threads that wait for
    each other take several times as long as one alone."""
    rows, several, one = trial.rows, SpeedPlan(), SpeedPlan(one_thread=True)
    while trial.rows < trial.max_rows and trial.timed(several)[1] < THREAD_PASS_S:
        trial.rows = min(trial.max_rows, 2 * trial.rows)
    best = {several: math.inf, one: math.inf}
    for _ in range(THREAD_ROUNDS):
        for plan in best:
            best[plan] = min(best[plan], trial.timed(plan)[1])
    trial.rows = rows
    gain = best[several] / max(best[one], 1e-12)
    if gain >= MIN_GAIN:
        return one, gain
    refused.append(Left("one_thread", "train.left.not_faster", f"{gain:.2f}"))
    return several, 1.0


def _next(
    name: str, plan: SpeedPlan, trial: Trial, errors: dict[Precision, float], refused: list[Left]
) -> SpeedPlan | None:
    """The plan with one more thing to try, or None where it does not come into question."""
    if name == "channels_last":
        return replace(plan, channels_last=True) if trial.has_convolutions else None
    if name == "cheap_dropout":
        return replace(plan, cheap_dropout=True) if trial.has_dropout else None
    if name == "bf16":
        return replace(plan, bf16=True) if trial.may_round else None
    settings: tuple[Precision, ...] = ("medium", "high")
    for setting in settings:
        if errors[setting] <= MAX_ERROR:
            return replace(plan, precision=setting)
        refused.append(Left(setting, "train.left.error", f"{errors[setting]:.1e}"))
    return None


def _compare(name: str, trial: Trial, kept: SpeedPlan, tried: SpeedPlan, budget_s: float) -> tuple[float, Left | None]:
    """How many times faster a pass is under `tried`, and why it is not to be taken, if so."""
    best: dict[SpeedPlan, float] = {}
    losses: dict[SpeedPlan, float] = {}
    started = time.monotonic()
    for number in range(1 + MAX_ROUNDS):
        for plan in (kept, tried):
            try:
                losses[plan], seconds = trial.timed(plan)
            except RuntimeError as error:  # such as a view() that channels-last memory does not allow
                if plan is kept:
                    raise
                return 0.0, Left(name, "train.left.impossible", str(error).splitlines()[0])
            best[plan] = min(best[plan], seconds) if number else float("inf")
        if number and time.monotonic() - started > budget_s:
            break
    gain = best[kept] / max(best[tried], 1e-12)
    if tried.cheap_dropout != kept.cheap_dropout:  # other masks give another loss
        gap = 0.0 if math.isfinite(losses[tried]) else math.nan
    else:
        gap = abs(losses[tried] - losses[kept]) / max(abs(losses[kept]), 1e-12)
    if not tried.bf16 and not gap <= MAX_LOSS_GAP:
        return gain, Left(name, "train.left.loss", f"{gap:.1e}")
    return gain, None if gain >= MIN_GAIN else Left(name, "train.left.not_faster", f"{gain:.2f}")


def _bf16_gap(trial: Trial, exact: SpeedPlan, rounded: SpeedPlan) -> float:
    before = trial.learned(None, 0)
    return abs(trial.learned(rounded, GATE_STEPS) - trial.learned(exact, GATE_STEPS)) / max(abs(before), 1e-12)
