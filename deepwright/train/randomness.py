"""Randomness as a pure function of (seed, purpose, place), so that no generator's state has to be saved."""

import hashlib
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import torch

Purpose = Literal["order", "buckets", "step", "fetch", "judge", "sample", "noise", "augment"]


def seed_for(seed: int, purpose: Purpose, *place: int) -> int:
    """A 64-bit seed for one purpose at one place, such as step 7 or batch 3 of epoch 2.

    >>> seed_for(0, "step", 7) == seed_for(0, "step", 7), seed_for(0, "step", 7) == seed_for(0, "step", 8)
    (True, False)
    """
    name = f"{seed} {purpose} {place}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")


def permutation(seed: int, purpose: Purpose, place: int, num_rows: int) -> np.ndarray:
    """The numbers 0 to num_rows - 1 in the order that (seed, purpose, place) decides; int64 [num_rows]."""
    draw = np.random.Generator(np.random.Philox(key=seed_for(seed, purpose, place)))
    return draw.permutation(num_rows)


def generators(device: "torch.device") -> "tuple[torch.Generator, ...]":
    """The generators that layers on `device` draw from; `manual_seed` on them takes 1 us, `torch.manual_seed` 74."""
    import torch

    if device.type == "cuda":
        return torch.default_generator, torch.cuda.default_generators[device.index or 0]
    if device.type == "mps":
        return torch.default_generator, torch.mps._get_default_mps_generator()
    return (torch.default_generator,)
