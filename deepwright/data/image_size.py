"""Image size: the one form that every image is brought to, chosen from what the training images are."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.image import Reading, image_size
from deepwright.core.operations import DecodeImage, FlattenPixels
from deepwright.core.prepare import Resize
from deepwright.core.report import Finding, finding
from deepwright.core.step import require_part
from deepwright.core.text import text
from deepwright.data.media import Media

LOOKED_AT = 2000
"""Training images whose heads are read, spread evenly over the part."""

FEW_NUMBERS = 256
"""What linear models and nearest neighbours see of an image, at most: more of it makes them slow and hardly better."""


@dataclass(frozen=True)
class Sizes:
    """What the training images are. width, height: of the usual one. is_one_size: all have it. is_grey: all are."""

    width: int
    height: int
    is_one_size: bool
    is_grey: bool
    count: int


def sizes_of(train: Dataset, column: str) -> Sizes:
    """The sizes of the training part's images, by their heads. Raises LeakError on any part but train."""
    require_part(train, "train", "images")
    rows = np.unique(np.linspace(0, len(train) - 1, min(len(train), LOOKED_AT)).astype(int))
    with Media() as media:
        found = [image_size(media.read(str(train.columns[column][row]))) for row in rows]
    sizes = Counter((width, height) for width, height, _ in found)
    is_one = len(sizes) == 1
    middle = next(iter(sizes)) if is_one else tuple(int(np.median([each[side] for each in found])) for side in (0, 1))
    return Sizes(middle[0], middle[1], is_one, all(grey for *_, grey in found), len(found))


def choose_decode(
    train: Dataset, column: str, resize: Resize, reading: Reading | None = None
) -> tuple[DecodeImage, Finding]:
    """How the images of a column are decoded, with the reason.

    Where the size is left open: images of one size keep their proportions, others become squares; the shorter side is
    that of the training images, at most `resize.most`. reading: what the source says; None: nothing.
    """
    reading = reading or Reading()
    sizes = sizes_of(train, column)
    height, width = _sides(sizes, resize)
    decode = DecodeImage(
        column=column, height=height, width=width, channels=resize.channels or (1 if sizes.is_grey else 3),
        background=reading.background, fit=resize.fit, levels=reading.levels or (), frame=reading.frame,
    )  # fmt: skip
    values = {"width": width, "height": height, "kind": text("images.grey" if decode.channels == 1 else "images.rgb")}
    usual = {"usual_width": sizes.width, "usual_height": sizes.height, "count": sizes.count}
    if resize.size:
        found = finding("image_size_asked", "note", column, **values)
    elif (height, width) == (sizes.height, sizes.width):
        found = finding("image_size_kept", "note", column, **values)
    elif sizes.is_one_size:
        found = finding("image_size_one", "note", column, **values, **usual, most=resize.most)
    else:
        found = finding("image_size_square", "note", column, **values, **usual, most=resize.most, fit=resize.fit)
    return decode, found


def flatten(decode: DecodeImage, *, to_one: bool = False) -> FlattenPixels:
    """Decoded pixels as a few numbers: of a grid as fine as 256 numbers allow. to_one: a single field."""
    fields = 1 if to_one else int((FEW_NUMBERS / decode.channels) ** 0.5)
    rows, columns = min(fields, decode.height), min(fields, decode.width)
    return FlattenPixels(column=decode.column, height=decode.height, width=decode.width, rows=rows, columns=columns)


def _sides(sizes: Sizes, resize: Resize) -> tuple[int, int]:
    if resize.size:
        return resize.size[0], resize.size[-1]
    shorter = min(sizes.height, sizes.width)
    side = min(shorter, resize.most)
    if not sizes.is_one_size:
        return side, side
    return round(sizes.height * side / shorter), round(sizes.width * side / shorter)
