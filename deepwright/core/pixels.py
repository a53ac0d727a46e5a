"""From an encoded image to pixels of one form, by Pillow and numpy alone: an export carries this file beside its graph.

Letters: H, W height and width in pixels, C channels.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""By their first bytes, whatever the file is called. EPS and the like would run an interpreter."""
DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


class Wanted(Protocol):
    """What the pixels are to be: channels 3 for RGB, 1 for grey; fit `crop`, `pad` or `stretch`; background: the grey
    level behind what is transparent and around what is padded; levels: of more than 8 bits, what is black and white."""

    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def background(self) -> int: ...
    @property
    def fit(self) -> str: ...
    @property
    def levels(self) -> tuple[float, float] | None: ...


@contextmanager
def opened(
    encoded: bytes, frame: int | None = None, check: "Callable[[Image.Image], None]" = lambda image: None
) -> "Iterator[tuple[Image.Image, int]]":
    """The image, decoded and turned as EXIF says, and how many frames it has. check: called before it is decoded."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
        check(image)
        frames = num_frames(image)
        if frame is not None and frames > 1:
            image.seek(frame)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        yield image, frames


def num_frames(image: "Image.Image") -> int:
    """Frames between which one has to choose. Phones put a depth or brightness map behind a JPEG (MPO); the photograph
    is the first, by the standard."""
    return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)


def pixels_of(image: "Image.Image", wanted: Wanted) -> np.ndarray:
    """uint8 [H, W, C] of an image that is open and turned."""
    if image.mode in DEEP_MODES:
        assert wanted.levels is not None, f"an image of mode {image.mode} needs the levels of black and white"
        image = eight_bits(image, *wanted.levels)
    plain = on_background(image, "RGB" if wanted.channels == 3 else "L", wanted.background)
    return np.asarray(_resized(plain, wanted), np.uint8).reshape(wanted.height, wanted.width, wanted.channels)


def eight_bits(image: "Image.Image", low: float, high: float) -> "Image.Image":
    """Deep values as grey levels: low and less are black, high and more are white, what is no number is black."""
    from PIL import Image

    values = np.nan_to_num(np.asarray(image).astype(np.float64), nan=low)
    share = (np.clip(values, low, high) - low) / (high - low)
    return Image.fromarray(np.rint(share * 255).astype(np.uint8))


def on_background(image: "Image.Image", mode: str, background: int) -> "Image.Image":
    """The image as RGB or grey, what is transparent on the background; `convert` alone would drop the alpha."""
    from PIL import Image

    if image.has_transparency_data:
        seen = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", seen.size, (background,) * 3 + (255,)), seen)
    return image if image.mode == mode else image.convert(mode)


def _resized(image: "Image.Image", wanted: Wanted) -> "Image.Image":
    from PIL import Image

    size, bilinear = (wanted.width, wanted.height), Image.Resampling.BILINEAR
    if wanted.fit == "crop":
        return image.resize(size, bilinear, box=_centre(image.size, wanted))
    if wanted.fit == "stretch":
        return image.resize(size, bilinear)
    scale = min(wanted.width / image.width, wanted.height / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    behind = (wanted.background,) * 3 if wanted.channels == 3 else wanted.background
    canvas = Image.new(image.mode, size, behind)
    canvas.paste(image.resize(inner, bilinear), ((wanted.width - inner[0]) // 2, (wanted.height - inner[1]) // 2))
    return canvas


def _centre(size: tuple[int, int], wanted: Wanted) -> tuple[float, float, float, float]:
    """The largest middle piece (left, top, right, bottom) of the wanted proportions.

    Resizing this piece is the same as resizing the shorter side and then cutting out the centre, in one pass.
    """
    width, height = size
    scale = min(width / wanted.width, height / wanted.height)
    wide, high = scale * wanted.width, scale * wanted.height
    # The product of a quotient may exceed what it came from by a rounding, and then the box would begin outside.
    left, top = max(0.0, (width - wide) / 2), max(0.0, (height - high) / 2)
    return left, top, min(left + wide, width), min(top + high, height)
