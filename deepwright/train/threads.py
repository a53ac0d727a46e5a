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


def thread_count(module: "nn.Module", batch_size: int, *, uses: int = 1) -> int:
    """Threads for steps of `batch_size` rows, a function of the network and the cores alone, so that reruns agree.

    Counts `uses` multiplications per weight and row: 1 is exact for dense layers and too few for convolutions.
    """
    cores = min(MAX_THREADS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    products = batch_size * uses * sum(parameter.numel() for parameter in module.parameters())
    return max(1, min(cores, products // PRODUCTS_PER_THREAD))
