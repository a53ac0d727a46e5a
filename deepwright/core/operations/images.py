"""Operations on images: encoded bytes to pixels on the host, which ONNX cannot do, then cut and scaled.

Letters: N rows, H, W height and width in pixels, C channels.
"""

import binascii
from base64 import b64decode
from functools import cached_property
from typing import ClassVar

import numpy as np
from pydantic import model_validator

from deepwright.core.errors import DataError, RecipeError
from deepwright.core.image import Fit, Form, decode_image
from deepwright.core.operations.graph import Graph
from deepwright.core.operations.operation import Operation
from deepwright.core.part import option
from deepwright.core.schema import Columns


class DecodeImage(Operation, kind="decode_image"):
    """An encoded image to pixels uint8 [N, H, W, C]: turned as EXIF says, resized, cut to the middle, in one mode.

    In the column stands the image file itself, as bytes or as base64 text (so JSON carries it); or pixels that were
    decoded in this form before.

    >>> import numpy as np
    >>> grey = b"P5 8 8 255 " + bytes(range(0, 64))
    >>> one = DecodeImage(column="photo", height=2, width=2, channels=1)
    >>> one.apply({"photo": np.array([grey], object)})["photo"].reshape(-1).tolist()
    [17, 20, 43, 46]
    """

    has_graph: ClassVar[bool] = False

    column: str = option(help="an image column; the pixels take its place")
    height: int = option(224, "pixels", unit="pixels", low=1, high=4096)
    width: int = option(224, "pixels", unit="pixels", low=1, high=4096)
    channels: int = option(3, "3: RGB, 1: grey", low=1, high=3)
    background: int = option(255, "grey level behind what is transparent, 0 (black) to 255 (white)", low=0, high=255)
    fit: Fit = option("crop", "crop: shorter side resized, centre kept; pad: all of it on the background; stretch")
    levels: tuple[float, ...] = option((), "values that become black and white where a channel has more than 8 bits")
    frame: int | None = option(None, "which frame of several, from 0; none: such an image is refused", low=0)

    @model_validator(mode="after")
    def _is_a_form(self) -> "DecodeImage":
        if self.levels and (len(self.levels) != 2 or not self.levels[0] < self.levels[1]):
            raise RecipeError("images.levels_option", found=self.levels)
        assert self.form.channels == self.channels, "a form that no image has is refused"
        return self

    @cached_property
    def form(self) -> Form:
        levels = (self.levels[0], self.levels[1]) if self.levels else None
        return Form(self.height, self.width, self.channels, self.background, self.fit, levels, self.frame)

    def apply(self, columns: Columns) -> Columns:
        """Raises DataError naming row (from 0) and column for what is no image."""
        images = columns[self.column]
        if images.dtype == np.uint8:  # decoded before, in this very form
            if images.shape[1:] != self.form.shape:
                raise DataError("images.other_form", field=self.column, found=images.shape[1:], due=self.form.shape)
            return dict(columns)
        pixels = np.empty((len(images), *self.form.shape), np.uint8)
        for row, image in enumerate(images):
            try:
                pixels[row] = decode_image(_bytes(image), self.form)
            except DataError as error:
                raise DataError("images.bad_row", row=row, field=self.column, why=str(error)) from None
        return {**columns, self.column: pixels}


class CentreCrop(Operation, kind="centre_crop"):
    """The middle of images uint8 [N, H, W, C], as validation and answering see what training cuts at random.

    >>> import numpy as np
    >>> CentreCrop(column="photo", height=1, width=2).apply({"photo": np.arange(12).reshape(1, 3, 4, 1)})[
    ...     "photo"
    ... ].reshape(-1).tolist()
    [5, 6]
    """

    column: str = option(help="pixels")
    height: int = option(help="pixels, at most as many as there are", low=1)
    width: int = option(help="pixels, at most as many as there are", low=1)

    def apply(self, columns: Columns) -> Columns:
        pixels = columns[self.column]
        room = pixels.shape[1] - self.height, pixels.shape[2] - self.width
        if min(room) < 0:
            raise DataError("images.crop", h=self.height, w=self.width, height=pixels.shape[1], width=pixels.shape[2])
        top, left = room[0] // 2, room[1] // 2
        return {**columns, self.column: pixels[:, top : top + self.height, left : left + self.width]}

    def graph(self, graph: Graph) -> None:
        pixels = graph.values[self.column]
        sides = graph.add("Slice", graph.add("Shape", pixels), *(graph.constant([i], np.int64) for i in (1, 3)))
        wanted = graph.constant([self.height, self.width], np.int64)
        first = graph.add("Div", graph.add("Sub", sides, wanted), graph.constant([2], np.int64))
        axes = graph.constant([1, 2], np.int64)
        graph.values[self.column] = graph.add("Slice", pixels, first, graph.add("Add", first, wanted), axes)


class FlattenPixels(Operation, kind="flatten_pixels"):
    """Pixels uint8 [N, H, W, C] to `x` float32 [N, rows * columns * C]: the mean of each field of a grid, 0 to 1.

    What linear models and nearest neighbours see of an image.

    >>> import numpy as np
    >>> one = FlattenPixels(column="photo", height=2, width=4, rows=1, columns=2)
    >>> one.apply({"photo": np.array([[[[0], [255], [0], [0]], [[0], [255], [0], [0]]]], np.uint8)})["x"].tolist()
    [[0.5, 0.0]]
    """

    column: str = option(help="pixels")
    height: int = option(help="pixels of each image", low=1)
    width: int = option(help="pixels of each image", low=1)
    rows: int = option(help="fields of the grid from top to bottom, at most as many as pixels", low=1)
    columns: int = option(help="fields of the grid from left to right, at most as many as pixels", low=1)

    @model_validator(mode="after")
    def _grid_fits(self) -> "FlattenPixels":
        if self.rows > self.height or self.columns > self.width:
            raise RecipeError("images.grid", rows=self.rows, columns=self.columns, height=self.height, width=self.width)
        return self

    def apply(self, columns: Columns) -> Columns:
        pixels = columns[self.column]
        x = np.empty((len(pixels), self.rows * self.columns * pixels.shape[3]), np.float32)
        tops, lefts = _edges(self.height, self.rows), _edges(self.width, self.columns)
        area = (np.diff(tops)[:, None] * np.diff(lefts) * 255)[:, :, None]
        for low in range(0, len(pixels), FEW):
            sums = np.add.reduceat(pixels[low : low + FEW].astype(np.int64), tops[:-1], axis=1)
            means = np.add.reduceat(sums, lefts[:-1], axis=2) / area
            x[low : low + FEW] = means.reshape(len(means), -1)
        return {**columns, "x": x}

    def graph(self, graph: Graph) -> None:
        pixels = graph.add("Transpose", graph.add("Cast", graph.values[self.column], to=1), perm=[0, 3, 1, 2])
        down = graph.constant(_means(self.height, self.rows) / 255, np.float32)
        along = graph.constant(_means(self.width, self.columns).T, np.float32)
        means = graph.add("MatMul", graph.add("MatMul", down, pixels), along)
        graph.values["x"] = graph.add("Flatten", graph.add("Transpose", means, perm=[0, 2, 3, 1]))


FEW = 256
"""Images whose pixels are held as whole numbers at once."""


def _edges(size: int, pieces: int) -> np.ndarray:
    """int64 [pieces + 1]: where each of so many nearly equal pieces begins, and the end."""
    return np.arange(pieces + 1) * size // pieces


def _means(size: int, pieces: int) -> np.ndarray:
    """[pieces, size]: the matrix that takes the mean of each piece."""
    edges = _edges(size, pieces)
    place = np.arange(size)
    inside = (place >= edges[:-1, None]) & (place < edges[1:, None])
    return inside / np.diff(edges)[:, None]


class ScalePixels(Operation, kind="scale_pixels"):
    """Pixels uint8 [N, H, W, C] to float32 [N, C, H, W]: (x - mean) / sd for each channel.

    >>> import numpy as np
    >>> one = ScalePixels(column="photo", means=[100.0], sds=[50.0])
    >>> one.apply({"photo": np.array([[[[100], [200]]]], np.uint8)})["photo"].tolist()
    [[[[0.0, 2.0]]]]
    """

    column: str = option(help="pixels")
    means: tuple[float, ...] = option(help="one per channel, in grey levels from 0 to 255")
    sds: tuple[float, ...] = option(help="one per channel, above 0, in grey levels")

    @model_validator(mode="after")
    def _fit_together(self) -> "ScalePixels":
        if len(self.means) != len(self.sds) or not self.means or min(self.sds) <= 0:
            raise RecipeError("images.normalise_option", mean=self.means, sd=self.sds)
        return self

    def apply(self, columns: Columns) -> Columns:
        means, sds = (np.array(each, np.float32) for each in (self.means, self.sds))
        scaled = (columns[self.column].astype(np.float32) - means) / sds
        return {**columns, self.column: np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))}

    def graph(self, graph: Graph) -> None:
        pixels = graph.add("Cast", graph.values[self.column], to=1)  # 1: float
        centred = graph.add("Sub", pixels, graph.constant(self.means, np.float32))
        scaled = graph.add("Div", centred, graph.constant(self.sds, np.float32))
        graph.values[self.column] = graph.add("Transpose", scaled, perm=[0, 3, 1, 2])


def _bytes(image: object) -> bytes:
    """Raises DataError for what is neither bytes nor base64."""
    if isinstance(image, bytes):
        return image
    if image is None:
        raise DataError("images.missing")
    try:
        return b64decode(str(image), validate=True)
    except (binascii.Error, ValueError):
        raise DataError("images.base64", start=ascii(str(image)[:12])) from None
