"""Augmenting: a batch's images changed at random, for the training loop."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from deepwright.core.errors import RecipeError
from deepwright.core.families import Augment, Mixing
from deepwright.improve import colour, mix, places, trivial_augment  # noqa: F401 - the kinds that a name may mean

if TYPE_CHECKING:
    import torch


class Augmenter:
    """Changes for the images of a batch, one after the other; of several that mix, one is drawn for each batch.

    Give it to `fit` as `augment=`. Images are the inputs of four axes, [B, H, W, C], as bytes or floats from 0 to 255.

    changes: parts or their kinds. levels: classes of a target of class numbers [B], which become shares [B, levels]
    where images are mixed; with weights beside it, [B, 3] becomes [B, levels + 2]. None: targets are numbers, and are
    mixed themselves.

    >>> import torch
    >>> Augmenter(("flip", "mixup"), levels=2).soft(torch.tensor([0, 1])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, changes: Sequence[Augment | str], *, levels: int | None = None) -> None:
        parts = [Augment.parse(change) if isinstance(change, str) else change for change in changes]
        self.changes = tuple(part for part in parts if not isinstance(part, Mixing))
        self.mixing = tuple(part for part in parts if isinstance(part, Mixing))
        self.levels = levels

    @property
    def fingerprint(self) -> str:
        """Changes with anything that decides a draw, as 64 hex digits."""
        import hashlib

        hashes = " ".join([*(part.hash for part in (*self.changes, *self.mixing)), str(self.levels)])
        return hashlib.sha256(hashes.encode()).hexdigest()

    def __call__(self, batch: Any, step: int) -> Any:
        """The batch with its images changed; draws come from torch's global generators."""
        inputs = list(batch.inputs)
        with_images = [place for place, tensor in enumerate(inputs) if tensor.ndim == 4]
        if len(with_images) != 1:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in inputs)
            raise RecipeError("augment.no_images", found=shapes)
        (place,) = with_images
        for change in self.changes:
            inputs[place] = change.change(inputs[place])
        target = batch.target
        if self.mixing and len(target) > 1:
            import torch

            drawn = self.mixing[int(torch.randint(0, len(self.mixing), ()))]
            inputs[place], other, kept = drawn.mix(inputs[place])
            soft = self.soft(target)
            target = soft.lerp(soft[other], 1 - kept)
        return dataclasses.replace(batch, inputs=tuple(inputs), target=target)

    def soft(self, target: "torch.Tensor") -> "torch.Tensor":
        """The target as floats that can be mixed: class numbers as shares of all classes."""
        import torch

        if self.levels is None:
            return target.float()
        numbers = target if target.ndim == 1 else target[:, 0]
        shares = torch.nn.functional.one_hot(numbers.long(), self.levels).float()
        return shares if target.ndim == 1 else torch.cat([shares, target[:, 1:].float()], dim=1)
