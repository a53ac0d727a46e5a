"""How many CPU threads a training takes: as many as its steps can feed."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

MAX_THREADS = 8
PRODUCTS_PER_THREAD = 100_000_000
"""Multiplications of a step below which a further thread is not worth its waiting: on two cores a 78,000-weight step of
256 rows gains a fifth from the second thread, and takes ten times as long when another program wants that core
(docs/log.md, 2026-11-21)."""

SPINS = "10000"
"""Turns that a thread waits for the others with its core in hand, some tens of microseconds, before it gives the core
away; GNU OpenMP's own number is thousands of times that. On two quiet cores a step of a small ResNet takes as long as
with its own number, and beside two other programs a half to a fifth of that (docs/log.md, 2026-11-22)."""


def bound_waiting() -> None:
    """Bound how long threads keep their cores while they wait; call it before torch is imported. A number that the user
    has set stays."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def thread_count(module: "nn.Module", batch_size: int, *, uses: int = 1) -> int:
    """Threads for steps of `batch_size` rows, a function of the network and the cores alone, so that reruns agree.

    Counts `uses` multiplications per weight and row: 1 is exact for dense layers and too few for convolutions.
    """
    cores = min(MAX_THREADS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    products = batch_size * uses * sum(parameter.numel() for parameter in module.parameters())
    return max(1, min(cores, products // PRODUCTS_PER_THREAD))
