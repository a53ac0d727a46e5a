"""Batches that somebody else makes: a DataLoader, any sized iterable, or batches that can begin anywhere."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from deepwright.core.errors import DataError
from deepwright.train.batch import Batch, as_tensor
from deepwright.train.randomness import generators, seed_for

if TYPE_CHECKING:
    import torch


@runtime_checkable
class Seekable(Protocol):
    """Batches that are a function of (seed, epoch) and can begin at any of them, such as `ImageBatches`.

    batch_size: rows of each. fingerprint: changes with anything that a batch may hold.
    """

    batch_size: int

    def __len__(self) -> int: ...

    def epoch(self, *, seed: int, epoch: int, start: int = 0) -> Iterator[Any]: ...

    def fingerprint(self) -> str: ...


class Stream:
    """A user's own DataLoader, or any iterable of known length that gives (inputs..., target).

    Before each batch is fetched every global generator (torch, numpy, random) is seeded from (seed, epoch, batch), so
    shuffling and augmentation in the main process can be repeated; a resumed epoch reads the skipped batches again.
    """

    def __init__(self, part: str, batches: Iterable[Any], *, device: "torch.device", dtype: "torch.dtype") -> None:
        if not hasattr(batches, "__len__"):
            raise DataError("train.stream_length_unknown", part=part, found=type(batches).__name__)
        self.part = part
        self.batches = batches
        self.device, self.dtype = device, dtype
        own = getattr(batches, "batch_size", None)
        self.batch_size: int | None = own if isinstance(own, int) else None

    def num_batches(self, batch_size: int) -> int:
        return len(self.batches)  # type: ignore[arg-type]

    def epoch(self, batch_size: int, *, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        count = 0
        _seed_everything(seed_for(seed, "fetch", epoch, 0), self.device)
        iterator = iter(self.batches)
        while True:
            _seed_everything(seed_for(seed, "fetch", epoch, count + 1), self.device)
            try:
                given = next(iterator)
            except StopIteration:
                break
            if count >= start:
                yield self._batch(given)
            count += 1
        if count != self.num_batches(batch_size):
            raise DataError("train.stream_length", part=self.part, said=self.num_batches(batch_size), found=count)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        yield from self.epoch(batch_size, seed=0, epoch=0)

    def fingerprint(self) -> str | None:
        """None: what an iterable will give is not known before it has been read."""
        return None

    def _batch(self, given: Any) -> Batch:
        if not isinstance(given, list | tuple) or len(given) < 2:
            raise DataError("train.stream_item", part=self.part, found=type(given).__name__)
        *inputs, target = given
        place = (self.device, self.dtype)
        return Batch(
            tuple(as_tensor(self.part, f"input {i}", value, *place) for i, value in enumerate(inputs)),
            as_tensor(self.part, "target", target, *place),
        )


class SeekableStream(Stream):
    """Batches that place themselves by (seed, epoch): nothing is seeded for them, and nothing is read to be skipped."""

    batches: Seekable

    def epoch(self, batch_size: int, *, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        for given in self.batches.epoch(seed=seed, epoch=epoch, start=start):
            yield self._batch(given)

    def fingerprint(self) -> str:
        return self.batches.fingerprint()


def _seed_everything(seed: int, device: "torch.device") -> None:
    import random

    random.seed(seed)
    np.random.seed(seed % 2**32)
    for generator in generators(device):
        generator.manual_seed(seed)
