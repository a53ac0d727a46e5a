"""The speed plan: which of torch's kernels for float32 products this machine is better served by, found by measuring.

On some processors torch's default kernel leaves the vector unit half used, and the setting "medium" leads to another
one that is as exact; on others the same setting rounds to bfloat16. Only measuring tells.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Precision = Literal["highest", "medium"]

MAX_ERROR = 2e-6
"""Of a product of 256 terms, relative to the largest; float32 sums lie near 4e-7, bfloat16 near 4e-3."""
MIN_GAIN = 1.15
"""How many times faster the other kernel has to be; less is within the noise of a busy machine."""
SIZE = 256
REPEATS = 8


@dataclass(frozen=True)
class SpeedPlan:
    """precision: the setting chosen. gain: default time / other time. error: of the other kernel. seconds: spent."""

    precision: Precision
    gain: float
    error: float
    seconds: float


def plan_speed(product: "Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None" = None) -> SpeedPlan:
    """Time and check a product of two 256 x 256 matrices under both settings; some 10 ms of one core.

    product: what is measured; None: `x @ y`. torch's setting is put back.
    """
    import torch

    started = time.monotonic()
    draw = torch.Generator().manual_seed(0)
    x, y = (torch.randn(SIZE, SIZE, generator=draw) for _ in range(2))
    expected = x.double() @ y.double()
    multiply = product or torch.matmul
    before = torch.get_float32_matmul_precision()
    seconds: dict[Precision, float] = {}
    error = 0.0
    settings: tuple[Precision, ...] = ("highest", "medium")
    try:
        for setting in settings:
            torch.set_float32_matmul_precision(setting)
            error = float((multiply(x, y).double() - expected).abs().max() / expected.abs().max())
            seconds[setting] = min(_timed(multiply, x, y) for _ in range(REPEATS))
    finally:
        torch.set_float32_matmul_precision(before)
    gain = seconds["highest"] / max(seconds["medium"], 1e-12)
    chosen: Precision = "medium" if error <= MAX_ERROR and gain >= MIN_GAIN else "highest"
    return SpeedPlan(chosen, gain, error, time.monotonic() - started)


def _timed(
    multiply: "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]", x: "torch.Tensor", y: "torch.Tensor"
) -> float:
    """CPU seconds of one product; wall time would count other processes."""
    started = time.process_time()
    multiply(x, y)
    return time.process_time() - started
