"""Augmentations that change what pixels hold: colour, blur, erase.

Shapes: B images, H height, W width, C channels.
"""

import math
from typing import TYPE_CHECKING, Literal

from deepwright.core.families import Augment
from deepwright.core.part import option
from deepwright.improve.places import chosen, like, uniform

if TYPE_CHECKING:
    import torch

GREY = (0.299, 0.587, 0.114)
"""What red, green and blue count in brightness (Rec. 601)."""
YIQ = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
"""From red, green, blue to brightness and two numbers of colour, which a change of hue turns."""


class Colour(Augment, kind="colour"):
    """Changes brightness, contrast, saturation and hue of each image by amounts of its own, in one step.

    All four are one linear map of a pixel's channels. Grey images have brightness and contrast alone.

    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> pixels = torch.tensor([100, 200], dtype=torch.uint8).reshape(1, 1, 2, 1)
    >>> Colour(brightness=0.5, contrast=0.0).change(pixels).flatten().tolist()  # times 0.9963
    [100, 199]
    """

    brightness: float = option(0.2, "a factor is drawn between 1 - this and 1 + this", low=0, high=1)
    contrast: float = option(0.2, "the distance from the mean grey; drawn alike", low=0, high=1)
    saturation: float = option(0.2, "the distance from grey; drawn alike", low=0, high=1)
    hue: float = option(0.02, "of the circle of colours, at most, to either side", low=0, high=0.5)

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        import torch

        count, channels = len(images), images.shape[3]
        values = images.reshape(count, -1, channels).float()
        brightness, contrast, saturation = (
            uniform(images, count, 1 - amount, 1 + amount)[:, None, None]
            for amount in (self.brightness, self.contrast, self.saturation)
        )
        angle = 2 * math.pi * uniform(images, count, -self.hue, self.hue)
        grey = values.mean(dim=1, keepdim=True)
        factor = brightness * contrast
        if channels == 3:
            weights = torch.tensor(GREY, device=images.device)
            grey = (grey * weights).sum(dim=2, keepdim=True)
            maps = _colours(saturation, angle) * factor
            changed = torch.baddbmm(brightness * (1 - contrast) * grey.expand(-1, 1, 3), values, maps)
        else:
            changed = values * factor + brightness * (1 - contrast) * grey
        return like(changed.clamp(0, 255).reshape(images.shape), images)


def _colours(saturation: "torch.Tensor", angle: "torch.Tensor") -> "torch.Tensor":
    """[B, 3, 3], for pixels as rows: colours turned by the angle and drawn towards grey; grey stays grey."""
    import torch

    to_yiq = torch.tensor(YIQ, device=angle.device)
    back = torch.linalg.inv(to_yiq)
    cos, sin, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    turned = torch.stack([zero + 1, zero, zero, zero, cos, -sin, zero, sin, cos], dim=1).reshape(-1, 3, 3)
    amount = torch.cat([torch.ones_like(saturation), saturation, saturation], dim=1)
    return (back @ (amount * turned) @ to_yiq).transpose(1, 2)


class Blur(Augment, kind="blur"):
    """Blurs images by a normal kernel, each by a width of its own.

    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> point = torch.tensor([0, 0, 0, 0, 200, 0, 0, 0, 0], dtype=torch.uint8).reshape(1, 3, 3, 1)
    >>> Blur(share=1.0).change(point)[0, :, :, 0].tolist()
    [[15, 40, 15], [40, 106, 40], [15, 40, 15]]
    """

    most: float = option(1.0, "standard deviation of the kernel, at most", unit="pixels", above=0, high=10)
    share: float = option(0.5, "of images that are blurred", low=0, high=1)

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        import torch

        radius = min(math.ceil(2 * self.most), *(size - 1 for size in images.shape[1:3]))
        width = uniform(images, len(images), 0.1, max(self.most, 0.1))
        offsets = torch.arange(-radius, radius + 1, device=images.device)
        weights = torch.exp(-0.5 * (offsets / width[:, None]) ** 2)
        weights = weights / weights.sum(dim=1, keepdim=True)
        values = images.float()
        for axis in (1, 2):
            places = torch.arange(images.shape[axis], device=images.device)
            last = images.shape[axis] - 1
            taken = (
                values.index_select(axis, last - (last - (places + offset).abs()).abs())
                * weights[:, number, None, None, None]
                for number, offset in enumerate(offsets.tolist())
            )
            values = sum(taken, start=torch.zeros((), device=images.device))
        return torch.where(chosen(images, self.share), like(values, images), images)


class Erase(Augment, kind="erase"):
    """Covers a rectangle of each image, so that no single place decides.

    >>> import torch
    >>> _ = torch.manual_seed(1)
    >>> nines = torch.full((1, 3, 4, 1), 9, dtype=torch.uint8)
    >>> Erase(share=1.0, fill="black", least=0.3, most=0.5).change(nines)[0, :, :, 0].tolist()
    [[9, 9, 0, 0], [9, 9, 0, 0], [9, 9, 0, 0]]

    Reference: DeVries and Taylor 2017 (cutout), arXiv 1708.04552; Zhong et al. 2017, arXiv 1708.04896.
    """

    least: float = option(0.02, "share of the area that is covered at least", above=0, below=1)
    most: float = option(0.2, "share of the area that is covered at most", above=0, below=1)
    stretch: float = option(3.0, "ratio of width to height at most, and 1 / that at least", low=1, high=10)
    fill: Literal["mean", "black", "noise"] = option("mean", "what covers it; mean: the image's own mean colour")
    share: float = option(0.5, "of images that are covered", low=0, high=1)

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        import torch

        count, height, width, _ = images.shape
        area = uniform(images, count, min(self.least, self.most), self.most)
        ratio = torch.exp(uniform(images, count, -math.log(self.stretch), math.log(self.stretch)))
        covered = rectangle(images, (area / ratio).sqrt() * height, (area * ratio).sqrt() * width)
        if self.fill == "mean":
            over = like(images.float().mean(dim=(1, 2), keepdim=True), images)
        elif self.fill == "black":
            over = torch.zeros((), dtype=images.dtype, device=images.device)
        else:
            over = torch.randint(0, 256, images.shape, device=images.device).to(images.dtype)
        return torch.where(covered & chosen(images, self.share), over, images)


def rectangle(images: "torch.Tensor", height: "torch.Tensor", width: "torch.Tensor") -> "torch.Tensor":
    """bool [B, H, W, 1]: in each image a rectangle of so many pixels [B], at least one, wholly inside and anywhere."""
    import torch

    inside = []
    for size, wanted in zip(images.shape[1:3], (height, width), strict=True):
        length = wanted.round().clamp(1, size)
        start = (torch.rand(len(images), device=images.device) * (size - length + 1)).floor()
        places = torch.arange(size, device=images.device)
        inside.append((places >= start[:, None]) & (places < (start + length)[:, None]))
    return inside[0][:, :, None, None] & inside[1][:, None, :, None]
