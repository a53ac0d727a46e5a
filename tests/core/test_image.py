"""Decoding one image: what is refused and why, and what a good one becomes."""

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from deepwright.core.errors import DataError, RecipeError
from deepwright.core.image import Form, decode_image
from tests.data.pictures import encoded, noise

FORM = Form(32, 32)
JPEG = encoded(noise(0), "JPEG")
PNG = encoded(noise(0))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def flipped_bit_in_data() -> bytes:
    place = PNG.index(b"IDAT") + 200
    return PNG[:place] + bytes([PNG[place] ^ 16]) + PNG[place + 1 :]


def text_bomb() -> bytes:
    end = PNG.index(b"IDAT") - 4
    return PNG[:end] + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 80_000_000, 9)) + PNG[end:]


def animated() -> bytes:
    return encoded(noise(0), "GIF", save_all=True, append_images=[noise(1)])


def deep() -> bytes:
    return encoded(Image.fromarray(np.full((20, 20), 40_000, np.uint16)))


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: JPEG[: len(JPEG) // 2], "images.broken"),
        (lambda: JPEG[:-2], "images.broken"),
        (lambda: PNG[: len(PNG) // 2], "images.broken"),
        (flipped_bit_in_data, "images.broken"),
        (lambda: png_claiming(12_000, 12_000), "images.too_many_pixels"),
        (lambda: png_claiming(100_000, 100_000), "images.bomb"),
        (lambda: b"P6 60000 60000 255\n" + b"\0" * 100, "images.bomb"),
        (text_bomb, "images.broken"),
        (deep, "images.too_deep"),
        (lambda: encoded(Image.fromarray(np.ones((20, 20), np.float32)), "TIFF"), "images.too_deep"),
        (animated, "images.frames"),
        (lambda: b"", "images.empty"),
        (lambda: b"<html>not found</html>", "images.unknown_format"),
        (lambda: b'<svg><image href="file:///etc/passwd"/></svg>', "images.unknown_format"),
        (lambda: encoded(noise(0), "EPS"), "images.unknown_format"),
        (lambda: encoded(noise(0, 1, 1)), "images.too_thin"),
        (lambda: encoded(noise(0, 8, 8 * 33)), "images.too_thin"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bad_image_is_refused_with_its_reason(make: Callable[[], bytes], key: str):
    with pytest.raises(DataError) as caught:
        decode_image(make(), FORM)
    assert caught.value.key == key


def test_a_good_image_is_resized_and_its_centre_kept():
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, 20:60] = (10, 200, 30)  # the middle square
    found = decode_image(encoded(Image.fromarray(pixels)), Form(20, 20))
    assert found.shape == (20, 20, 3) and found.dtype == np.uint8
    assert (found[:, 1:-1] == (10, 200, 30)).all()
    assert (found[:, 0] > 0).any(), "the outermost pixels see their neighbours, as when the whole is resized"


def test_resizing_the_centre_equals_resizing_and_then_cutting_it_out():
    image = Image.linear_gradient("L").resize((90, 60)).convert("RGB")
    whole = np.asarray(image.resize((45, 30), Image.Resampling.BILINEAR)).astype(int)
    found = decode_image(encoded(image), Form(30, 29))
    assert np.abs(found.astype(int) - whole[:, 8:37]).max() <= 1


def test_a_photograph_with_a_map_behind_it_is_the_photograph():
    black = Image.new("RGB", (20, 20))
    photograph = encoded(Image.new("RGB", (20, 20), (255,) * 3), "MPO", save_all=True, append_images=[black])
    assert (decode_image(photograph, Form(10, 10)) == 255).all()


def test_an_image_is_turned_as_its_exif_says():
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise: the top comes to the right
    found = decode_image(encoded(Image.fromarray(pixels), exif=exif), Form(40, 40))
    assert (found[:, 20:] == 255).all() and (found[:, :20] == 0).all()


@pytest.mark.parametrize(("background", "expected"), [(255, 255), (0, 0)])
def test_what_is_transparent_shows_the_background(background: int, expected: int):
    clear = Image.new("RGBA", (20, 20), (10, 20, 30, 0))
    found = decode_image(encoded(clear), Form(10, 10, background=background))
    assert (found == expected).all()
    palette = Image.new("L", (20, 20), 3).convert("P")
    assert (decode_image(encoded(palette, transparency=3), Form(10, 10, background=background)) == expected).all()


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("P", "PNG"), ("1", "PNG"), ("L", "PNG"), ("LA", "PNG")])
def test_every_mode_becomes_rgb_or_grey(mode: str, kind: str):
    image = encoded(Image.new("L", (20, 20), 255).convert(mode), kind)
    assert (decode_image(image, Form(10, 10)) >= 254).all()
    assert decode_image(image, Form(10, 10, channels=1)).shape == (10, 10, 1)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"height": 0, "width": 5}, "images.size_option"),
        ({"height": 5, "width": 5, "channels": 4}, "images.channels_option"),
        ({"height": 5, "width": 5, "background": 256}, "images.background_option"),
    ],
)
def test_a_form_that_no_image_has_is_refused(options: dict[str, int], key: str):
    with pytest.raises(RecipeError) as caught:
        Form(**options)
    assert caught.value.key == key


@pytest.mark.parametrize("side", [28, 96, 107])
def test_images_of_any_size_are_cut_to_the_middle(side):
    for width in range(16, 120):
        pixels = decode_image(b"P5 %d 45 255\n" % width + bytes(width * 45), Form(side, side, 1))
        assert pixels.shape == (side, side, 1)
