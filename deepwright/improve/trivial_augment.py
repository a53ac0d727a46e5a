"""TrivialAugment: for each image one change, drawn with its strength; nothing to tune.

Shapes: B images, H height, W width, C channels.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from deepwright.core.families import Augment
from deepwright.core.part import option
from deepwright.improve.colour import GREY
from deepwright.improve.places import like, matrices, warped

if TYPE_CHECKING:
    import torch

LEVELS = 31
"""Strengths from 0 to `most`, evenly."""

Change = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""Images [B, H, W, C] and each one's strength from -1 to 1 [B] to images; those without direction take its size."""


class TrivialAugment(Augment, kind="trivial_augment"):
    """One of fourteen changes of place, colour or contrast for each image, each as likely, with a strength by chance.

    Every change in a batch is done at once on all images that drew it.

    >>> import torch
    >>> _ = torch.manual_seed(2)
    >>> rows = torch.tensor([10, 20, 30, 40, 50], dtype=torch.uint8).reshape(1, 1, 5, 1).expand(3, 1, 5, 1)
    >>> TrivialAugment().change(rows).flatten(1).tolist()  # equalize, rotate, shear_y
    [[0, 64, 128, 191, 255], [0, 7, 30, 12, 0], [3, 13, 30, 25, 14]]

    Reference: Müller and Hutter 2021, arXiv 2103.10158; the ranges are those of its "wide" space at `strength` 1.
    """

    strength: float = option(0.5, "of the widest changes: 1 turns by 135 degrees, 0.25 by 34", above=0, high=1)

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        import torch

        # On the CPU, so that the numbers of images are known without waiting for a device.
        which = torch.randint(0, len(CHANGES), (len(images),))
        level = torch.randint(0, LEVELS, (len(images),)) / (LEVELS - 1) * self.strength
        level = level * (1 - 2 * torch.randint(0, 2, (len(images),)))
        changed = images.clone()
        for number, change in enumerate(CHANGES):
            rows = (which == number).nonzero()[:, 0]
            if len(rows) and change is not None:
                here = rows.to(images.device)
                changed[here] = change(images[here], level[rows].to(images.device))
        return changed


def rotate(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    import torch

    angle = level * (135 / 180 * math.pi)
    zero = torch.zeros_like(level)
    return warped(images, matrices(angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero), "black")


def shear_x(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    zero, one = level * 0, level * 0 + 1
    return warped(images, matrices(one, level * 0.99, zero, zero, one, zero), "black")


def shear_y(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    zero, one = level * 0, level * 0 + 1
    return warped(images, matrices(one, zero, zero, level * 0.99, one, zero), "black")


def translate_x(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    """By a whole width at most: 32 pixels of the 32 that the paper's images have."""
    zero, one = level * 0, level * 0 + 1
    return warped(images, matrices(one, zero, level * images.shape[2], zero, one, zero), "black")


def translate_y(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    zero, one = level * 0, level * 0 + 1
    return warped(images, matrices(one, zero, zero, zero, one, level * images.shape[1]), "black")


def brightness(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    return blended(images, images.float() * 0, level)


def colour(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    return blended(images, grey_of(images), level)


def contrast(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    return blended(images, grey_of(images).mean(dim=(1, 2), keepdim=True), level)


def sharpness(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    """Away from, or towards, the mean of the nine pixels around, in which the middle one counts five times."""
    import torch

    values = images.float().permute(0, 3, 1, 2)
    around = torch.nn.functional.avg_pool2d(
        torch.nn.functional.pad(values, (1, 1, 1, 1), mode="replicate"), kernel_size=3, stride=1
    )
    smooth = (9 * around + 4 * values) / 13
    return blended(images, smooth.permute(0, 2, 3, 1), level)


def posterize(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    """To 8 bits of brightness, down to 2."""
    step = 2 ** (level.abs() * 6).round()[:, None, None, None]
    return like((images.float() / step).floor() * step, images)


def solarize(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    """The pixels above a limit, which falls from 255 to 0, are inverted."""
    import torch

    limit = (255 * (1 - level.abs()))[:, None, None, None]
    return torch.where(images > limit, 255 - images, images)


def auto_contrast(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    """Each channel of an image spread over 0 to 255."""
    values = images.float()
    low, high = values.amin(dim=(1, 2), keepdim=True), values.amax(dim=(1, 2), keepdim=True)
    spread = (high - low).clamp(min=1)
    return like((values - low) * (255 / spread) * (high > low) + values * (high <= low), images)


def equalize(images: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    """Each channel of an image with its grey levels as evenly used as can be."""
    import torch

    count, height, width, channels = images.shape
    levels = images.permute(0, 3, 1, 2).reshape(count * channels, -1).round().clamp(0, 255).long()
    used = torch.zeros(count * channels, 256, device=images.device)
    used.scatter_add_(1, levels, torch.ones_like(levels, dtype=torch.float32))
    below = used.cumsum(dim=1)
    first = below.masked_fill(used == 0, math.inf).amin(dim=1, keepdim=True)
    span = (height * width - first).clamp(min=1)
    table = ((below - first) * (255 / span)).clamp(0, 255)
    table = torch.where(first == height * width, torch.arange(256.0, device=images.device), table)
    even = table.gather(1, levels).reshape(count, channels, height, width).permute(0, 2, 3, 1)
    return like(even, images)


def grey_of(images: "torch.Tensor") -> "torch.Tensor":
    """float32 [B, H, W, 1]."""
    import torch

    values = images.float()
    if values.shape[3] != 3:
        return values.mean(dim=3, keepdim=True)
    return (values * torch.tensor(GREY, device=images.device)).sum(dim=3, keepdim=True)


def blended(images: "torch.Tensor", towards: "torch.Tensor", level: "torch.Tensor") -> "torch.Tensor":
    """1 + 0.99 * level of the image, the rest of what it is blended with."""
    factor = (1 + 0.99 * level)[:, None, None, None]
    return like((images.float() * factor + towards * (1 - factor)).clamp(0, 255), images)


CHANGES: tuple[Change | None, ...] = (
    None, auto_contrast, equalize, rotate, solarize, colour, posterize, contrast, brightness, sharpness, shear_x,
    shear_y, translate_x, translate_y,
)  # fmt: skip
