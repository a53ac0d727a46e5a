"""Decode one image, as strictly as a stranger's file deserves, to uint8 pixels of a fixed size.

Letters: H, W height and width in pixels, C channels.
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from deepwright.core.errors import DataError, RecipeError
from deepwright.core.pixels import DEEP_MODES, FORMATS, eight_bits, num_frames, on_background, opened, pixels_of

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 64_000_000
MAX_BYTES = 256 * 2**20
MIN_SIDE = 8
MAX_ASPECT = 32
GREY_MODES = ("1", "L", "LA", *DEEP_MODES)
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)
"""The EXIF entry that says how an image is to be turned, and its values that exchange the sides."""
LOOK_WIDTH, LOOK_HEIGHT = 9, 8
"""Of the small grey picture by which images that look alike are found; 9 x 8 points have 64 differences."""

Fit = Literal["crop", "pad", "stretch"]


@dataclass(frozen=True)
class Form:
    """What every image becomes. channels: 3 for RGB, 1 for grey. background: grey level put behind what is transparent.

    fit: crop resizes the shorter side and keeps the centre, pad shows the whole image on the background, stretch
    changes its proportions. levels: the values that become black and white where an image has more than 8 bits a
    channel. frame: which frame of several, from 0. Without them such an image is refused.

    Raises RecipeError for a size or a number of channels that no image can have.
    """

    height: int
    width: int
    channels: int = 3
    background: int = 255
    fit: Fit = "crop"
    levels: tuple[float, float] | None = None
    frame: int | None = None

    def __post_init__(self) -> None:
        if not (1 <= self.height <= 4096 and 1 <= self.width <= 4096):
            raise RecipeError("images.size_option", height=self.height, width=self.width)
        if self.channels not in (1, 3):
            raise RecipeError("images.channels_option", found=self.channels)
        if not 0 <= self.background <= 255:
            raise RecipeError("images.background_option", found=self.background)
        if self.levels is not None and not self.levels[0] < self.levels[1]:
            raise RecipeError("images.levels_option", found=self.levels)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    @property
    def num_bytes(self) -> int:
        return self.height * self.width * self.channels


@dataclass(frozen=True)
class Reading:
    """How a source's images are to be taken, where that can be asked; each as in `Form`."""

    background: int = 255
    levels: tuple[float, float] | None = None
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What decoding an image in full showed. width, height: as EXIF turns it. frames: more than one is a choice.

    low, high: the least and the greatest value where it has more than 8 bits a channel, else 0 and 255.
    pixels: a hash of what is to be seen, equal for equal pixels in any lossless format. look: uint8 [8 * 9], the image
    as a small grey picture.
    """

    width: int
    height: int
    mode: str
    format: str
    frames: int
    low: float
    high: float
    pixels: str
    look: bytes

    @property
    def is_deep(self) -> bool:
        return self.mode in DEEP_MODES


def decode_image(encoded: bytes, form: Form) -> np.ndarray:
    """One encoded image as uint8 [H, W, C]: decoded whole, turned as EXIF says, brought to the form's size.

    Raises DataError with the reason when it is cut, broken, too large, too small, too deep or has several frames.
    """
    with _opened(encoded, form.frame) as (image, frames):
        if frames > 1 and form.frame is None:
            raise DataError("images.frames", found=frames)
        if image.mode in DEEP_MODES and form.levels is None:
            raise DataError("images.too_deep", mode=image.mode)
        return pixels_of(image, form)


def image_size(encoded: bytes) -> tuple[int, int, bool]:
    """Width and height as EXIF turns it, and whether it is grey; read from the head of an image that decodes."""
    from PIL import Image

    with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
        width, height = image.size
        if image.getexif().get(ORIENTATION, 1) in TURNED:
            width, height = height, width
        return width, height, image.mode in GREY_MODES


def image_facts(encoded: bytes) -> Facts:
    """What an encoded image is, once it has been decoded in full; of several frames the first.

    Raises DataError with the reason when it is cut, broken, too large or too small.
    """
    from PIL import Image

    with _opened(encoded) as (image, frames):
        low, high = 0.0, 255.0
        grey = image
        if image.mode in DEEP_MODES:
            values = np.asarray(image).astype(np.float64)
            low, high = float(np.nanmin(values)), float(np.nanmax(values))
            seen = values.astype(np.float32).tobytes()
            grey = eight_bits(image, low, max(high, low + 1))
        else:
            plain = image if image.mode == "RGB" else image.convert("RGBA" if image.has_transparency_data else "RGB")
            seen = plain.tobytes()
        name = (
            f"{'deep' if image.mode in DEEP_MODES else 'clear' if image.has_transparency_data else 'RGB'} {image.size}"
        )
        look = on_background(grey, "L", 255).resize((LOOK_WIDTH, LOOK_HEIGHT), Image.Resampling.BOX)
        return Facts(
            width=image.width,
            height=image.height,
            mode=image.mode,
            format=str(image.format or ""),
            frames=frames,
            low=low,
            high=high,
            pixels=hashlib.blake2b(f"{name} {image.size}".encode() + seen, digest_size=16).hexdigest(),
            look=look.tobytes(),
        )


@contextmanager
def _opened(encoded: bytes, frame: int | None = None) -> "Iterator[tuple[Image.Image, int]]":
    """The image, decoded and turned, and how many frames it has; whatever a decoder says becomes a DataError."""
    from PIL import Image, UnidentifiedImageError

    if not encoded:
        raise DataError("images.empty")
    if len(encoded) > MAX_BYTES:
        raise DataError("images.too_many_bytes", found=len(encoded), limit=MAX_BYTES)

    def check(image: "Image.Image") -> None:
        _check_size(*image.size)
        frames = num_frames(image)
        if frame is not None and 1 < frames <= frame:
            raise DataError("images.no_frame", frame=frame, found=frames)

    try:
        with opened(encoded, frame, check) as found:
            yield found
    except UnidentifiedImageError:
        raise DataError("images.unknown_format", start=ascii(encoded[:12]), known=", ".join(FORMATS)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError("images.bomb", limit=MAX_PIXELS) from None
    except DataError:
        raise
    except MemoryError:
        raise DataError("images.memory") from None
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises on a stranger's bytes is the reason
        raise DataError("images.broken", why=str(error) or type(error).__name__) from None


def _check_size(width: int, height: int) -> None:
    """Refuse by the header, before anything is allocated."""
    if width * height > MAX_PIXELS:
        raise DataError("images.too_many_pixels", width=width, height=height, limit=MAX_PIXELS)
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_ASPECT * min(width, height):
        raise DataError("images.too_thin", width=width, height=height, side=MIN_SIDE, aspect=MAX_ASPECT)
