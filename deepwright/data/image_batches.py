"""Batches of an image map for training: an iterable of known length that gives (images, target)."""

import random
from collections.abc import Iterator
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING

import numpy as np

from deepwright.core.errors import DataError
from deepwright.data.image_map import ImageMap

if TYPE_CHECKING:
    import torch


class ImageBatches:
    """Images and their targets as uint8 [B, C, h, w] (channels last in memory) and a tensor [B], batch by batch.

    Give it to `deepwright.fit` as `train` (is_training=True: shuffled, crops placed and mirrored at random) or as
    `validation` (False: in order, the centre, the same every time). Normalise in the network's first layer.

    target: one per image of the map, or per image of `rows`. rows: int64, which images; None: all. batch_size: images;
    a last one that would stand alone joins the batch before it.

    Everything drawn in an epoch is a function of (seed, epoch), and an epoch can begin at any batch, so a training that
    is taken up reads nothing twice. A plain `for` takes its seed from Python's global generator.

    Raises DataError when targets and images are not equally many.
    """

    def __init__(
        self,
        images: ImageMap,
        target: np.ndarray,
        *,
        rows: np.ndarray | None = None,
        batch_size: int = 256,
        crop: tuple[int, int] | None = None,
        flip: bool = True,
        is_training: bool = True,
    ) -> None:
        self.images = images
        self.rows = np.arange(len(images)) if rows is None else np.asarray(rows)
        self.target = np.asarray(target)
        if len(self.target) != len(self.rows):
            raise DataError("images.labels", labels=len(self.target), num=len(self.rows))
        if batch_size < 1:
            raise DataError("images.batch_size", found=batch_size)
        self.batch_size = batch_size
        self.crop, self.flip, self.is_training = crop, flip, is_training
        self._firsts = list(range(0, len(self.rows), batch_size))
        if len(self._firsts) > 1 and batch_size > 1 and len(self.rows) - self._firsts[-1] == 1:
            self._firsts.pop()

    def __len__(self) -> int:
        return len(self._firsts)

    def __iter__(self) -> "Iterator[tuple[torch.Tensor, torch.Tensor]]":
        return self.epoch(seed=random.getrandbits(63) if self.is_training else 0, epoch=0)

    def epoch(self, *, seed: int, epoch: int, start: int = 0) -> "Iterator[tuple[torch.Tensor, torch.Tensor]]":
        """The batches of one epoch from number `start` on: a function of (seed, epoch), whatever was drawn before."""
        import torch

        places = np.arange(len(self.rows))
        if self.is_training:
            key = int.from_bytes(blake2b(f"{seed} order {epoch}".encode(), digest_size=8).digest(), "little")
            places = np.random.Generator(np.random.Philox(key=key)).permutation(len(self.rows))
        for low, high in zip(self._firsts[start:], [*self._firsts[start + 1 :], len(places)], strict=True):
            here = places[low:high]
            pixels = self.images.batch(
                self.rows[here], crop=self.crop, seed=seed if self.is_training else None, epoch=epoch, flip=self.flip
            )
            yield torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.from_numpy(self.target[here])

    def fingerprint(self) -> str:
        """SHA-256 over the map's address, which of its images, their targets, and how they are cut; 64 hex digits."""
        digest = sha256(f"{self.images.address} {self.crop} {self.flip} {self.is_training}".encode())
        for array in (self.rows, self.target):
            digest.update(f" {array.dtype} {array.shape} ".encode())
            digest.update(np.ascontiguousarray(array).view(np.uint8))
        return digest.hexdigest()
