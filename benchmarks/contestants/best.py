"""The fastest loop that we can write by hand for each workload: the floor that our engine is held to.

Rows are permuted as a whole once an epoch and a batch is a view; rows of unequal length are batched by length within
shuffled pools; AdamW is fused; convolutions are channels-last; float32 products take the kernel that a check of a few
milliseconds finds as exact; freed memory stays in the process; dropout draws cheap masks.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.contestants.job import Job
from benchmarks.contestants.memory import keep_memory
from benchmarks.workloads import LR, WEIGHT_DECAY

if TYPE_CHECKING:
    import torch

POOL_BATCHES = 32
"""Batches whose rows are sorted by length among themselves."""
MAX_ERROR = 2e-6
"""Of a float32 product's elements, relative to the largest one; rounding to bfloat16 gives 2e-3."""


def run(job: Job) -> float:
    import torch

    masks: AbstractContextManager[object] = nullcontext()
    if job.device == "cpu":
        choose_precision()
        keep_memory()
        if job.workload.has_dropout:
            from benchmarks.contestants.dropout import CheapMasks

            masks = CheapMasks()
    network = job.network()
    if job.workload.images:
        network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, fused=True)
    criterion = torch.nn.CrossEntropyLoss()
    forward = torch.compile(network) if job.compiled else network
    network.train()
    steps = epochs_of(job)
    total = torch.zeros((), device=job.device)
    for epoch in range(job.epochs):
        total.zero_()
        count = 0
        for inputs, target in steps(epoch):
            with masks, torch.autocast(job.device, torch.bfloat16) if job.bf16 else nullcontext():
                loss = criterion(forward(*inputs), target)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.detach()
            count += 1
        print(f"epoch {epoch + 1}: loss {total.item() / count:.4f}", file=sys.stderr)
        job.clock.lap(count)
    return job.judged(network)


def choose_precision() -> str:
    """Let float32 products go to the other kernel if that is no slower here and as exact; gives the choice."""
    import torch

    draw = torch.Generator().manual_seed(0)
    a = torch.randn(256, 256, generator=draw)
    b = torch.randn(256, 256, generator=draw)
    exact = a.double() @ b.double()
    seconds, errors = {}, {}
    for precision in ("medium", "highest"):
        torch.set_float32_matmul_precision(precision)
        errors[precision] = ((a @ b).double() - exact).abs().max().item() / exact.abs().max().item()
        seconds[precision] = min(_timed(lambda: a @ b) for _ in range(20))
    is_better = errors["medium"] <= MAX_ERROR and seconds["medium"] < seconds["highest"]
    torch.set_float32_matmul_precision("medium" if is_better else "highest")
    print(f"float32 products: {seconds} s, relative errors {errors}", file=sys.stderr)
    return torch.get_float32_matmul_precision()


def epochs_of(job: Job) -> "Callable[[int], Iterator[tuple[list[torch.Tensor], torch.Tensor]]]":
    """A function that gives the batches (inputs, target) of an epoch by its number."""
    import torch

    given, target = job.tensors()
    inputs = [each.to(job.device) for each in given.values()]
    target = target.to(job.device)
    if job.workload.images:
        inputs = [each.contiguous(memory_format=torch.channels_last) for each in inputs]
    lengths = job.inputs[job.workload.length] if job.workload.length else None
    size = job.workload.batch_size

    def batches(epoch: int) -> "Iterator[tuple[list[torch.Tensor], torch.Tensor]]":
        order = np.random.default_rng((0, epoch)).permutation(job.num_rows)
        if lengths is None:
            rows = torch.from_numpy(order).to(job.device)
            pieces = [tensor[rows].split(size) for tensor in (*inputs, target)]
            for *xs, y in zip(*pieces, strict=True):
                yield xs, y
            return
        for rows_here in buckets(order, lengths, size):
            rows = torch.from_numpy(rows_here).to(job.device)
            longest = int(lengths[rows_here].max())
            yield [inputs[0][:, :longest][rows], inputs[1][rows]], target[rows]

    return batches


def buckets(order: np.ndarray, lengths: np.ndarray, size: int) -> list[np.ndarray]:
    """Batches of rows of similar length, in the random order of their pools.

    >>> [len(rows) for rows in buckets(np.arange(5), np.array([3, 1, 2, 9, 8]), 2)]
    [2, 2, 1]
    """
    found: list[np.ndarray] = []
    for low in range(0, len(order), size * POOL_BATCHES):
        pool = order[low : low + size * POOL_BATCHES]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        found += [pool[first : first + size] for first in range(0, len(pool), size)]
    draw = np.random.default_rng(int(order[0]))
    return [found[i] for i in draw.permutation(len(found))] if len(found) > 3 else found


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
