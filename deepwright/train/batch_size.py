"""The batch-size finder: the largest power of two that fits into memory, and how many rows a second each size does."""

import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepwright.core.errors import RecipeError, ResourceError
from deepwright.core.families import Loss, Optimizer
from deepwright.train.batches import Batch, Rows, open_part
from deepwright.train.judge import built_loss
from deepwright.train.memory import is_out_of_memory
from deepwright.train.objective import supervised
from deepwright.train.optim import built_optimizer
from deepwright.train.randomness import generators, seed_for
from deepwright.train.state import module_tensors

if TYPE_CHECKING:
    import torch
    from torch import nn

MEMORY_SHARE = 0.8
"""Of the memory that is free, unless a limit is given: the rest is for evaluation, checkpoints and other programs."""
ENOUGH = 0.9
"""The recommended size does at least this share of the best rows a second."""
MEASURE_S = 0.15
MIN_STEPS = 2


@dataclass(frozen=True)
class Tried:
    """One size. peak_bytes: most memory in use within a step, weights, gradients and optimizer included; predicted
    from the two sizes before where `is_predicted`. rows_per_s: None where it did not fit."""

    batch_size: int
    peak_bytes: int
    is_predicted: bool
    rows_per_s: float | None


@dataclass(frozen=True)
class BatchSizeSearch:
    """largest: the largest size that fits. recommended: the smallest whose rows a second are within 10 % of the best,
    since smaller batches give more steps for the same work. tried: the curve, from the smallest size up."""

    largest: int
    recommended: int
    limit_bytes: int
    tried: tuple[Tried, ...]


def find_batch_size(
    module: "nn.Module",
    train: Any,
    *,
    loss: "Loss | Callable[..., torch.Tensor] | str" = "cross_entropy",
    optimizer: "Optimizer | str | Callable[..., torch.optim.Optimizer]" = "adamw",
    low: int = 8,
    high: int = 4096,
    memory_limit_bytes: int | None = None,
    seed: int = 0,
) -> BatchSizeSearch:
    """Do a few steps at each power of two from `low` to `high`; the module is then as it was before.

    train: (inputs, target) as `fit` takes them; no size goes beyond its rows. memory_limit_bytes: what a step may use
    at most; None: 80 % of what is free now. A size is tried only where the memory predicted for it from the two before
    is within the limit; then it is measured, and the search ends at the first size that needs more or for which the
    machine refuses memory all the same. Memory is counted by the tensors alive (on a GPU by torch's allocator); what a
    kernel takes for itself within one operation is not seen.

    >>> import torch
    >>> x = torch.randn(64, 10)
    >>> found = find_batch_size(torch.nn.Linear(10, 2), (x, (x[:, 0] > 0).long()))
    >>> found.largest, [each.batch_size for each in found.tried]
    (64, [8, 16, 32, 64])

    Raises RecipeError for an empty range, batches of a loader, or an optimizer that is built already; ResourceError
    when not even `low` rows fit.
    """
    if not 1 <= low <= high:
        raise RecipeError("train.batch_size_range", low=low, high=high)

    import torch

    if isinstance(optimizer, torch.optim.Optimizer):
        raise RecipeError("train.batch_size_optimizer", found=type(optimizer).__name__)
    first = next(module.parameters())
    part = open_part("train", train, device=first.device, dtype=first.dtype)
    if not isinstance(part, Rows):
        raise RecipeError("train.batch_size_of_loader", found=type(train).__name__)
    limit = memory_limit_bytes if memory_limit_bytes is not None else int(MEMORY_SHARE * free_bytes(first.device))
    tried: list[Tried] = []
    with _as_before(module):
        module.train()
        lowered = supervised(module, built_loss(loss, first.device)).phases[0].loss
        steps = Steps(module, part, lowered, built_optimizer(optimizer, module, None), seed)
        for size in sizes(low, min(high, part.num_rows)):
            expected = predicted(tried, size)
            if expected is not None and expected > limit:
                tried.append(Tried(size, expected, True, None))
                break
            peak, rate = None, None
            try:
                peak = steps.peak_bytes(size)
                rate = steps.rows_per_s(size) if peak <= limit else None
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            tried.append(Tried(size, peak or expected or limit, peak is None, rate))
            if rate is None:
                break
    done = [each for each in tried if each.rows_per_s is not None]
    if not done:
        raise ResourceError("train.batch_size_none", rows=tried[0].batch_size, wanted=tried[0].peak_bytes, limit=limit)
    best = max(each.rows_per_s or 0.0 for each in done)
    enough = next(each for each in done if (each.rows_per_s or 0.0) >= ENOUGH * best)
    return BatchSizeSearch(done[-1].batch_size, enough.batch_size, limit, tuple(tried))


def sizes(low: int, high: int) -> list[int]:
    """The powers of two from low to high; where there is none between them, high alone.

    >>> sizes(8, 100), sizes(5, 40), sizes(5, 7)
    ([8, 16, 32, 64], [8, 16, 32], [7])
    """
    powers = [2**power for power in range(low.bit_length() - 1, high.bit_length()) if low <= 2**power <= high]
    return powers or [high]


def predicted(tried: list[Tried], size: int) -> int | None:
    """Bytes for a batch of `size` rows along the straight line through the last two; None before there are two.

    >>> predicted([Tried(8, 1000, False, 1.0), Tried(16, 1800, False, 1.0)], 64)
    6600
    """
    if len(tried) < 2:
        return None
    one, two = tried[-2:]
    per_row = (two.peak_bytes - one.peak_bytes) / (two.batch_size - one.batch_size)
    return round(two.peak_bytes + (size - two.batch_size) * per_row)


def free_bytes(device: "torch.device") -> int:
    """Memory that is free on the device, or on the host."""
    import psutil
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


class Steps:
    """Training steps of any size on the rows of a part."""

    def __init__(
        self,
        module: "nn.Module",
        part: Rows,
        loss: "Callable[..., torch.Tensor]",
        optimizer: "torch.optim.Optimizer",
        seed: int,
    ) -> None:
        self.module, self.part, self.loss, self.optimizer, self.seed = module, part, loss, optimizer, seed
        self.device = part.device

    def peak_bytes(self, size: int) -> int:
        """The most memory that the second of two steps has in use; in the first the optimizer has no state yet."""
        import torch

        batches = self._batches(size)
        self._step(next(batches))
        batch = next(batches)
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
            self._step(batch)
            return int(torch.cuda.max_memory_allocated(self.device))
        standing = [*self.module.parameters(), *self.module.buffers(), *batch.inputs, batch.target]
        standing += [value for state in self.optimizer.state.values() for value in state.values()]
        return live_bytes(lambda: self._step(batch), [each for each in standing if isinstance(each, torch.Tensor)])

    def rows_per_s(self, size: int) -> float:
        """Rows a second of the fastest step after the first, over at least two steps and 0.15 s."""
        import torch

        batches = self._batches(size)
        self._step(next(batches))
        fastest, spent, count = float("inf"), 0.0, 0
        while count < MIN_STEPS or spent < MEASURE_S:
            started = time.perf_counter()
            self._step(next(batches))
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            took = time.perf_counter() - started
            fastest, spent, count = min(fastest, took), spent + took, count + 1
        return size / fastest

    def _step(self, batch: Batch) -> None:
        for parameter in self.module.parameters():
            parameter.grad = None
        for generator in generators(self.device):
            generator.manual_seed(seed_for(self.seed, "step", 0))
        self.loss(batch.inputs, batch.target).backward()
        self.optimizer.step()

    def _batches(self, size: int) -> Iterator[Batch]:
        epoch = 0
        while True:
            for batch in self.part.epoch(size, seed=self.seed, epoch=epoch):
                if len(batch.target) == size:
                    yield batch
            epoch += 1


def live_bytes(work: Callable[[], None], standing: "list[torch.Tensor]") -> int:
    """The most bytes that tensors hold at once while `work` is done, those of `standing` included."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Watch(TorchDispatchMode):
        """Adds up each storage when an operation gives it, and takes it off when it is freed."""

        def __init__(self) -> None:
            super().__init__()
            self.now = self.most = 0
            self.known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = function(*args, **(kwargs or {}))
            for each in tree_leaves(result):
                if isinstance(each, torch.Tensor):
                    self.add(each)
            return result

        def add(self, tensor: torch.Tensor) -> None:
            storage = tensor.untyped_storage()
            if storage in self.known:
                return
            self.known.add(storage)
            size = storage.nbytes()
            self.now += size
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self.drop, size)

        def drop(self, size: int) -> None:
            self.now -= size

    watch = Watch()
    for tensor in standing:
        watch.add(tensor)
    with watch:
        work()
    return watch.most


@contextmanager
def _as_before(module: "nn.Module") -> Iterator[None]:
    """Within it the module may be trained; afterwards weights, buffers and modes are what they were."""
    before = module_tensors(module, copy=True)
    modes = [(layer, layer.training) for layer in module.modules()]
    try:
        yield
    finally:
        module.load_state_dict(before)
        for layer, mode in modes:
            layer.training = mode
        for parameter in module.parameters():
            parameter.grad = None
