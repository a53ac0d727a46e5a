"""A small classifier of images: how like random patches their places are, pooled, and a ridge regression on that.

Shapes: B images, H height, W width, C channels, K patches, F numbers of an image.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

SIDE = 32
"""Pixels of the longer side at most; larger images are brought down to it."""
PATCHES, PATCH = 128, 5
PLACES = 12
"""About how many places along each axis the patches are laid on."""
CELLS = 3
"""Cells of the pooled grid along each axis."""
RIDGE = 0.1
"""Of the mean variance of a number."""
BLOCK = 256


@dataclass(frozen=True)
class PatchClassifier:
    """filters: [K, C, P, P], each with mean 0 and length 1. mean, sd: [F]. weights: [F + 1, L].

    Brightness and contrast fall out of how like a place is, and what moves within a cell of the grid changes little.

    Reference: Coates, Lee and Ng 2011 (single-layer networks), AISTATS 15.
    """

    filters: "torch.Tensor"
    mean: "torch.Tensor"
    sd: "torch.Tensor"
    weights: "torch.Tensor"

    @classmethod
    def fit(cls, images: "torch.Tensor", target: "torch.Tensor", seed: int) -> "PatchClassifier":
        """images: uint8 [N, H, W, C]; target: float32 [N, L], what each output is to be."""
        import torch

        draw = torch.Generator().manual_seed(seed)
        filters = _filters(_small(images), draw)
        numbers = _numbers(images, filters)
        mean, sd = numbers.mean(dim=0), numbers.std(dim=0, correction=0) + 1e-6
        x = torch.cat([(numbers - mean) / sd, torch.ones(len(numbers), 1)], dim=1).double()
        penalty = torch.full((x.shape[1],), RIDGE * len(x), dtype=torch.float64)
        penalty[-1] = 1e-6
        weights = torch.linalg.solve(x.T @ x + penalty.diag(), x.T @ target.double())
        return cls(filters, mean, sd, weights.float())

    def scores(self, images: "torch.Tensor") -> "torch.Tensor":
        """float32 [B, L]."""
        numbers = (_numbers(images, self.filters) - self.mean) / self.sd
        return numbers @ self.weights[:-1] + self.weights[-1]


def _small(images: "torch.Tensor") -> "torch.Tensor":
    """float32 [B, C, H, W] with sides of at most 32."""
    import torch

    values = images.permute(0, 3, 1, 2).float()
    longer = max(values.shape[2:])
    if longer <= SIDE:
        return values
    size = [max(PATCH, round(side * SIDE / longer)) for side in values.shape[2:]]
    return torch.nn.functional.interpolate(values, size=size, mode="area")


def _filters(values: "torch.Tensor", draw: "torch.Generator") -> "torch.Tensor":
    """Patches of the images at random places, without their mean and of length 1; flat ones are drawn last."""
    import torch

    _, channels, height, width = values.shape
    side = min(PATCH, height, width)
    drawn = 4 * PATCHES
    rows = torch.randint(0, len(values), (drawn,), generator=draw)
    tops = torch.randint(0, height - side + 1, (drawn,), generator=draw)
    lefts = torch.randint(0, width - side + 1, (drawn,), generator=draw)
    step = torch.arange(side)
    patches = values[
        rows[:, None, None, None], torch.arange(channels)[:, None, None],
        (tops[:, None] + step)[:, None, :, None], (lefts[:, None] + step)[:, None, None, :],
    ]  # fmt: skip
    patches = patches - patches.mean(dim=(1, 2, 3), keepdim=True)
    length = patches.flatten(1).norm(dim=1)
    kept = length.argsort(descending=True, stable=True)[: drawn // 2][:: drawn // 2 // PATCHES]
    return patches[kept] / (length[kept][:, None, None, None] + 1e-6)


def _numbers(images: "torch.Tensor", filters: "torch.Tensor") -> "torch.Tensor":
    """float32 [B, F]: for each patch and cell, how like it the places of the cell are; and each cell's mean colour."""
    import torch

    pad = filters.shape[2] // 2
    size = filters[0].numel()
    found = []
    for low in range(0, len(images), BLOCK):
        values = torch.nn.functional.pad(_small(images[low : low + BLOCK]), (pad,) * 4, mode="replicate")
        stride = max(1, max(values.shape[2:]) // PLACES)
        alike = torch.nn.functional.conv2d(values, filters, stride=stride)
        flat = values.mean(dim=1, keepdim=True), values.square().mean(dim=1, keepdim=True)
        mean, square = (torch.nn.functional.avg_pool2d(each, filters.shape[2:], stride=stride) for each in flat)
        spread = (size * (square - mean.square()).clamp(min=0) + 100.0 * size).sqrt()
        near = (alike / spread - 0.1).clamp(min=0)
        pooled = (torch.nn.functional.adaptive_avg_pool2d(each, CELLS).flatten(1) for each in (near, values))
        found.append(torch.cat(list(pooled), dim=1))
    return torch.cat(found)
