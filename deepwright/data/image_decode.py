"""Decode one image, as strictly as a stranger's file deserves, to uint8 pixels of a fixed size.

Letters: H, W height and width in pixels, C channels.
"""

import io
from dataclasses import dataclass

import numpy as np

from deepwright.core.errors import DataError, RecipeError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""By their first bytes, whatever the file is called. EPS and the like would run an interpreter."""
MAX_PIXELS = 64_000_000
MAX_BYTES = 256 * 2**20
MIN_SIDE = 8
MAX_ASPECT = 32
DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True)
class Form:
    """What every image becomes. channels: 3 for RGB, 1 for grey. background: grey level put behind what is transparent.

    Raises RecipeError for a size or a number of channels that no image can have.
    """

    height: int
    width: int
    channels: int = 3
    background: int = 255

    def __post_init__(self) -> None:
        if not (1 <= self.height <= 4096 and 1 <= self.width <= 4096):
            raise RecipeError("images.size_option", height=self.height, width=self.width)
        if self.channels not in (1, 3):
            raise RecipeError("images.channels_option", found=self.channels)
        if not 0 <= self.background <= 255:
            raise RecipeError("images.background_option", found=self.background)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    @property
    def num_bytes(self) -> int:
        return self.height * self.width * self.channels


def decode_image(encoded: bytes, form: Form) -> np.ndarray:
    """One encoded image as uint8 [H, W, C]: decoded whole, turned as EXIF says, shorter side resized, centre kept.

    Raises DataError with the reason when it is cut, broken, too large, too small, too deep or has several frames.
    """
    from PIL import Image

    if not encoded:
        raise DataError("images.empty")
    if len(encoded) > MAX_BYTES:
        raise DataError("images.too_many_bytes", found=len(encoded), limit=MAX_BYTES)
    try:
        with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
            _check(image)
            image.load()
            return _pixels(image, form)
    except Image.UnidentifiedImageError:
        raise DataError("images.unknown_format", start=ascii(encoded[:12]), known=", ".join(FORMATS)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError("images.bomb", limit=MAX_PIXELS) from None
    except DataError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises on a stranger's bytes is the reason
        raise DataError("images.broken", why=str(error) or type(error).__name__) from None


def _check(image: "object") -> None:
    """Refuse by the header, before anything is allocated."""
    width, height = image.size  # type: ignore[attr-defined]
    if width * height > MAX_PIXELS:
        raise DataError("images.too_many_pixels", width=width, height=height, limit=MAX_PIXELS)
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_ASPECT * min(width, height):
        raise DataError("images.too_thin", width=width, height=height, side=MIN_SIDE, aspect=MAX_ASPECT)
    if image.mode in DEEP_MODES:  # type: ignore[attr-defined]
        raise DataError("images.too_deep", mode=image.mode)  # type: ignore[attr-defined]
    frames = getattr(image, "n_frames", 1)
    # Phones put a depth or brightness map behind a JPEG (MPO); the photograph is the first, by the standard.
    if frames > 1 and image.format != "MPO":  # type: ignore[attr-defined]
        raise DataError("images.frames", found=frames)


def _pixels(image: "object", form: Form) -> np.ndarray:
    from PIL import Image, ImageOps

    turned = ImageOps.exif_transpose(image)  # type: ignore[arg-type]
    if turned.has_transparency_data:
        seen = turned.convert("RGBA")
        behind = Image.new("RGBA", seen.size, (form.background,) * 3 + (255,))
        turned = Image.alpha_composite(behind, seen)
    plain = turned.convert("RGB" if form.channels == 3 else "L")
    small = plain.resize((form.width, form.height), Image.Resampling.BILINEAR, box=_centre(plain.size, form))
    return np.asarray(small, np.uint8).reshape(form.shape)


def _centre(size: tuple[int, int], form: Form) -> tuple[float, float, float, float]:
    """The largest middle piece (left, top, right, bottom) of the wanted proportions.

    Resizing this piece is the same as resizing the shorter side and then cutting out the centre, in one pass.
    """
    width, height = size
    scale = min(width / form.width, height / form.height)
    wide, high = scale * form.width, scale * form.height
    left, top = (width - wide) / 2, (height - high) / 2
    return left, top, min(left + wide, width), min(top + high, height)
