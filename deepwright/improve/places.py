"""Augmentations that move pixels: flip, crop, resized_crop, translate, scale, rotate.

Shapes: B images, H height, W width, C channels.
"""

import math
from typing import TYPE_CHECKING, Literal

from deepwright.core.errors import RecipeError
from deepwright.core.families import Augment
from deepwright.core.part import option

if TYPE_CHECKING:
    import torch

Fill = Literal["reflect", "edge", "black"]
_FILL = option("reflect", "what stands where no pixel was; reflect: the image mirrored; edge: its outermost pixels")


class Flip(Augment, kind="flip"):
    """Mirrors images, each with the same probability.

    >>> import torch
    >>> Flip(share=1.0).change(torch.tensor([1, 2, 3], dtype=torch.uint8).reshape(1, 1, 3, 1)).flatten().tolist()
    [3, 2, 1]
    """

    axis: Literal["horizontal", "vertical", "both"] = option(
        "horizontal", "horizontal: left and right change places; vertical: top and bottom; both: either by itself"
    )
    share: float = option(0.5, "of images that are mirrored", low=0, high=1)

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        import torch

        for axis in (2,) if self.axis == "horizontal" else (1,) if self.axis == "vertical" else (2, 1):
            images = torch.where(chosen(images, self.share), images.flip(axis), images)
        return images

    @property
    def jumps(self) -> bool:
        return True

    def checked(self) -> tuple[Augment, ...]:
        if self.axis == "both":
            return Flip(axis="horizontal", share=1.0), Flip(axis="vertical", share=1.0)
        return (self.replace(share=1.0),)


class Crop(Augment, kind="crop"):
    """Pads every side and cuts an image of the old size out of it at random, so that what it shows moves a little.

    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> Crop(pad=0.34, fill="black").change(torch.arange(1, 10).reshape(1, 3, 3, 1))[0, :, :, 0].tolist()
    [[0, 4, 5], [0, 7, 8], [0, 0, 0]]

    Reference: He et al. 2015 (4 pixels of 32), arXiv 1512.03385.
    """

    pad: float = option(0.125, "share of each side that is added to both its ends", above=0, high=0.5)
    fill: Fill = _FILL

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        height, width = images.shape[1:3]
        return shifted(images, round(self.pad * height), round(self.pad * width), self.fill)


class ResizedCrop(Augment, kind="resized_crop"):
    """Cuts a part of random size and shape out of each image and brings it to the image's size.

    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> row = torch.tensor([10, 20, 30, 40, 50], dtype=torch.uint8).reshape(1, 1, 5, 1)
    >>> ResizedCrop(least=0.3).change(row).flatten().tolist()
    [10, 19, 27, 36, 45]

    Reference: Szegedy et al. 2014, arXiv 1409.4842; 0.08 there, for photographs of which a part still tells the class.
    """

    least: float = option(0.5, "share of the image's area that is kept at least", above=0, high=1)
    stretch: float = option(4 / 3, "ratio of width to height at most, and 1 / that at least", low=1, high=10)

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        import torch

        count = len(images)
        area = uniform(images, count, self.least, 1.0)
        ratio = torch.exp(uniform(images, count, -math.log(self.stretch), math.log(self.stretch)))
        x_scale, y_scale = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
        zero = torch.zeros_like(area)
        x_free, y_free = (images.shape[2] * (1 - x_scale) / 2, images.shape[1] * (1 - y_scale) / 2)
        x_shift, y_shift = (free * uniform(images, count, -1.0, 1.0) for free in (x_free, y_free))
        return warped(images, matrices(x_scale, zero, x_shift, zero, y_scale, y_shift), "edge")


class Translate(Augment, kind="translate"):
    """Shifts images by whole pixels, along their width and their height each by its own share.

    >>> import torch
    >>> _ = torch.manual_seed(1)
    >>> row = torch.arange(1, 9).reshape(1, 1, 8, 1)
    >>> Translate(horizontal=0.25, vertical=0.0, fill="edge").change(row).flatten().tolist()
    [3, 4, 5, 6, 7, 8, 8, 8]
    """

    horizontal: float = option(0.1, "of the width, at most, to either side", low=0, high=1)
    vertical: float = option(0.1, "of the height, at most, up or down", low=0, high=1)
    fill: Fill = _FILL

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        height, width = images.shape[1:3]
        return shifted(images, round(self.vertical * height), round(self.horizontal * width), self.fill)


class Scale(Augment, kind="scale"):
    """Enlarges or shrinks images about their middle, each by a factor of its own.

    >>> import torch
    >>> _ = torch.manual_seed(3)
    >>> row = torch.tensor([10, 20, 30, 40, 50], dtype=torch.uint8).reshape(1, 1, 5, 1)
    >>> Scale(factor=2.0, fill="black").change(row).flatten().tolist()
    [20, 25, 30, 35, 40]
    """

    factor: float = option(1.2, "at most; at least 1 / that", low=1, high=10)
    fill: Fill = _FILL

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        import torch

        bound = math.log(self.factor)
        by = torch.exp(uniform(images, len(images), -bound, bound))
        zero = torch.zeros_like(by)
        return warped(images, matrices(by, zero, zero, zero, by, zero), self.fill)


class Rotate(Augment, kind="rotate"):
    """Turns images about their middle, each by an angle of its own; or by quarter turns, which lose nothing.

    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> square = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).reshape(1, 2, 2, 1)
    >>> Rotate(quarters=True).change(square)[0, :, :, 0].tolist()
    [[1, 2], [3, 4]]
    """

    degrees: float = option(15.0, "the angle to either side, at most", unit="degrees", above=0, high=180)
    quarters: bool = option(False, "by 0, 90, 180 or 270 degrees instead, all alike; of square images")
    fill: Fill = _FILL

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        import torch

        if self.quarters:
            return self._turned(images)
        angle = uniform(images, len(images), -self.degrees, self.degrees) * (math.pi / 180)
        zero = torch.zeros_like(angle)
        cos, sin = torch.cos(angle), torch.sin(angle)
        return warped(images, matrices(cos, -sin, zero, sin, cos, zero), self.fill)

    @property
    def jumps(self) -> bool:
        return self.quarters

    def _turned(self, images: "torch.Tensor") -> "torch.Tensor":
        import torch

        if images.shape[1] != images.shape[2]:
            raise RecipeError("augment.not_square", height=images.shape[1], width=images.shape[2])
        turns = torch.randint(0, 4, (len(images), 1, 1, 1), device=images.device)
        return torch.stack([images.rot90(number, (1, 2)) for number in range(4)]).gather(
            0, turns[None].expand(1, *images.shape)
        )[0]


def chosen(images: "torch.Tensor", share: float) -> "torch.Tensor":
    """bool [B, 1, 1, 1]: the images that a change falls on, each with the probability `share`."""
    import torch

    return torch.rand((len(images), 1, 1, 1), device=images.device) < share


def uniform(images: "torch.Tensor", count: int, low: float, high: float) -> "torch.Tensor":
    """float32 [count], evenly between the bounds, where the images are."""
    import torch

    return torch.rand(count, device=images.device) * (high - low) + low


def shifted(images: "torch.Tensor", most_down: int, most_right: int, fill: Fill) -> "torch.Tensor":
    """Each image moved by whole pixels of its own, at most so many to either side."""
    import torch

    count, height, width, channels = images.shape
    rows, row_inside = _moved(images, height, most_down, fill)
    columns, column_inside = _moved(images, width, most_right, fill)
    base = torch.arange(count, device=images.device)[:, None] * height
    places = ((base + rows)[:, :, None] * width + columns[:, None, :]).reshape(-1)
    moved = images.reshape(-1, channels).index_select(0, places).reshape(images.shape)
    if fill != "black":
        return moved
    inside = row_inside[:, :, None, None] & column_inside[:, None, :, None]
    return moved * inside.to(images.dtype)


def _moved(images: "torch.Tensor", size: int, most: int, fill: Fill) -> "tuple[torch.Tensor, torch.Tensor]":
    """int64 [B, size]: where each pixel of an axis is taken from; bool [B, size]: whether it lay inside."""
    import torch

    shift = torch.randint(-most, most + 1, (len(images), 1), device=images.device)
    place = torch.arange(size, device=images.device) + shift
    inside = (place >= 0) & (place < size)
    if fill == "reflect" and size > 1:
        period = 2 * (size - 1)
        place = place.remainder(period)
        place = torch.minimum(place, period - place)
    return place.clamp(0, size - 1), inside


def matrices(*entries: "torch.Tensor") -> "torch.Tensor":
    """Six tensors [B] as float32 [B, 2, 3]: where a pixel is taken from, in pixels from the middle, x before y."""
    import torch

    return torch.stack(entries, dim=1).reshape(-1, 2, 3)


def warped(images: "torch.Tensor", matrix_B23: "torch.Tensor", fill: Fill) -> "torch.Tensor":
    """Each image with its pixels taken from where the matrix says, between pixels by the four around."""
    import torch

    height, width = images.shape[1:3]
    device = images.device
    x = torch.arange(width, device=device) - (width - 1) / 2
    y = torch.arange(height, device=device) - (height - 1) / 2
    points = torch.stack(
        [x.expand(height, width), y[:, None].expand(height, width), torch.ones(height, width, device=device)], dim=-1
    )
    grid = points.reshape(1, -1, 3) @ matrix_B23.transpose(1, 2)
    grid = (grid * torch.tensor([2 / width, 2 / height], device=device)).reshape(-1, height, width, 2)
    padding = {"reflect": "reflection", "edge": "border", "black": "zeros"}[fill]
    taken = torch.nn.functional.grid_sample(
        images.permute(0, 3, 1, 2).float(), grid, mode="bilinear", padding_mode=padding, align_corners=False
    )
    return like(taken.permute(0, 2, 3, 1), images)


def like(values: "torch.Tensor", images: "torch.Tensor") -> "torch.Tensor":
    """Values as the images' type, bytes rounded and within 0 to 255."""
    import torch

    if images.dtype == torch.uint8:
        values = values.round().clamp(0, 255)
    return values.to(images.dtype)
