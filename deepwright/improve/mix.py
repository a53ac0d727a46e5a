"""Augmentations that mix images with others of their batch: mixup, cutmix."""

from typing import TYPE_CHECKING

from deepwright.core.families import Mixing
from deepwright.core.part import option
from deepwright.improve.colour import rectangle
from deepwright.improve.places import like

if TYPE_CHECKING:
    import torch

_CONCENTRATION = option(
    1.0, "of the beta distribution of the share that is kept; 1: any share alike; below: mostly near 0 or 1",
    above=0, high=100,
)  # fmt: skip


class MixUp(Mixing, kind="mixup"):
    """The weighted mean of each image and another one, with the same weights for their targets.

    >>> import torch
    >>> _ = torch.manual_seed(3)
    >>> pair = torch.tensor([0, 200], dtype=torch.uint8).reshape(2, 1, 1, 1)
    >>> images, other, kept = MixUp().mix(pair)
    >>> images.flatten().tolist(), other.tolist(), round(kept, 3)
    ([45, 155], [1, 0], 0.777)

    Reference: Zhang et al. 2017, arXiv 1710.09412.
    """

    concentration: float = _CONCENTRATION

    def mix(self, images: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor, float]":
        other, kept = others(images), kept_share(self.concentration)
        mixed = images.float().lerp(images[other].float(), 1 - kept)
        return like(mixed, images), other, kept


class CutMix(Mixing, kind="cutmix"):
    """A rectangle of each image is another's; their targets count by the areas.

    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> pair = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.uint8).reshape(2, 1, 4, 1)
    >>> images, other, kept = CutMix().mix(pair)
    >>> images.flatten(1).tolist(), other.tolist(), kept
    ([[1, 1, 1, 0], [0, 0, 0, 1]], [1, 0], 0.25)

    Reference: Yun et al. 2019, arXiv 1905.04899.
    """

    concentration: float = _CONCENTRATION

    def mix(self, images: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor, float]":
        import torch

        other, kept = others(images), kept_share(self.concentration)
        height, width = images.shape[1:3]
        side = (1 - kept) ** 0.5
        lengths = [max(1, min(size, round(size * side))) for size in (height, width)]
        ones = torch.ones(len(images), device=images.device)
        covered = rectangle(images, ones * lengths[0], ones * lengths[1])
        mixed = torch.where(covered, images[other], images)
        return mixed, other, 1 - lengths[0] * lengths[1] / (height * width)


def others(images: "torch.Tensor") -> "torch.Tensor":
    """int64 [B]: for each image another one; each is once another's."""
    import torch

    order = torch.randperm(len(images), device=images.device)
    other = torch.empty_like(order)
    other[order] = order.roll(1)
    return other


def kept_share(concentration: float) -> float:
    """One draw for the whole batch, on the CPU."""
    import torch

    return float(torch.distributions.Beta(concentration, concentration).sample())
