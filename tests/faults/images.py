"""The cases of images: I."""

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.pictures import encoded, noise
from tests.faults.case import Case

JPEG = encoded(noise(500), "JPEG")
PNG = encoded(noise(501))


@dataclass(frozen=True, kw_only=True)
class ImageCase(Case):
    """files: path below the folder of images > content. place: puts there what is no plain file.

    answers: flags that settle an ASK. finding: a rule that must be told. pixels: flags of `Form` and the grey level
    that the middle of the first file must have then.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    place: Callable[[Path], object] | None = None
    answers: tuple[tuple[str, ...], ...] = ()
    finding: str | None = None
    pixels: tuple[tuple[dict[str, object], int], ...] = ()
    num_aside: int = 1


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_claiming(width: int, height: int) -> bytes:
    """A small file whose header says so many grey pixels, all of them black."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(width + 1)) for _ in range(min(height, 12_000)))
    body = png_chunk(b"IDAT", rows + packer.flush())
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + body + png_chunk(b"IEND", b"")


def png_bit_flipped() -> bytes:
    place = PNG.index(b"IDAT") + 200
    return PNG[:place] + bytes([PNG[place] ^ 16]) + PNG[place + 1 :]


def text_bomb() -> bytes:
    end = PNG.index(b"IDAT") - 4
    return PNG[:end] + png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000), 9)) + PNG[end:]


def jpeg_byte_flipped() -> bytes:
    """Another image that decodes as well as the first: nothing in it says so."""
    place = JPEG.index(b"\xff\xda") + 300
    return JPEG[:place] + bytes([JPEG[place] ^ 1]) + JPEG[place + 1 :]


def deep() -> bytes:
    return encoded(Image.fromarray(np.full((20, 20), 40_000, np.uint16)))


def floating() -> bytes:
    return encoded(Image.fromarray(np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)), "TIFF")


def turned() -> bytes:
    """White on the right once it is turned; stored with white at the top."""
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.fromarray(pixels), exif=exif)


def frames(kind: str) -> bytes:
    return encoded(noise(510), kind, save_all=True, append_images=[noise(511)])


def white(mode: str, kind: str = "PNG") -> bytes:
    return encoded(Image.new("L", (24, 24), 255).convert(mode), kind)


def outside(folder: Path) -> None:
    target = folder.parent / "secret.jpg"
    target.write_bytes(JPEG)
    (folder / "a" / "x.jpg").symlink_to(target)


def case(row: str, what: str, outcome: str, *says: str, **options: object) -> ImageCase:
    return ImageCase(row=row, what=what, outcome=outcome, says=says, **options)  # type: ignore[arg-type]


def bad(row: str, what: str, content: bytes, *says: str, name: str = "a/x.jpg", outcome: str = "QUAR") -> ImageCase:
    return case(row, what, outcome, *says, files={name: content})


GREY = {"height": 24, "width": 24, "channels": 1}
CLEAR = encoded(Image.new("RGBA", (24, 24), (10, 20, 30, 0)))

IMAGES = [
    bad("I1", "a JPEG cut at half", JPEG[: len(JPEG) // 2], "cut or broken"),
    bad("I2", "a JPEG without its last 2 bytes", JPEG[:-2], "cut or broken"),
    bad("I3", "a PNG cut at half", PNG[: len(PNG) // 2], "cut or broken"),
    bad("I4", "a PNG with one bit flipped", png_bit_flipped(), "cut or broken"),
    case(
        "I5", "a JPEG with one byte flipped that decodes", "ACCEPT",
        files={"a/x.jpg": jpeg_byte_flipped()}, num_aside=0,
    ),
    bad("I6", "a PNG of 144 million pixels", png_claiming(12_000, 12_000), "12000 x 12000 pixels", outcome="LIMIT"),
    bad("I7", "a header of 100,000 x 100,000", png_claiming(100_000, 100_000), "64000000 pixels", outcome="LIMIT"),
    bad("I7", "a PPM of 60,000 x 60,000", b"P6 60000 60000 255\n" + bytes(100), "64000000 pixels", outcome="LIMIT"),
    bad("I8", "a text of 80 MB packed into a PNG", text_bomb(), "cut or broken", "too large"),
    case(
        "I9", "a PNG of 16 bits", "ASK", "photos", "a/x.png (mode I;16)", "--source.levels 0,65535",
        files={"a/x.png": deep()}, answers=(("--source.levels", "0,65535"),), num_aside=0,
        pixels=(({"levels": (0.0, 65535.0)}, 156),),
    ),
    case(
        "I9", "a TIFF of floats", "ASK", "photos", "go from 0 to 1", "--source.levels 0,1",
        files={"a/x.tiff": floating()}, answers=(("--source.levels", "0,1"),), num_aside=0,
    ),
    case(
        "I10", "a photograph that is to be turned", "REPAIR", "turned as EXIF says",
        files={"a/x.png": turned()}, num_aside=0, pixels=(({}, 255),),
    ),
    case(
        "I11", "all of it transparent", "REPAIR", "on the declared background",
        files={"a/x.png": CLEAR}, num_aside=0, pixels=(({}, 255), ({"background": 7}, 7)),
    ),
    *(
        case(
            "I12", f"mode {mode}", "REPAIR", "brought to one mode", files={f"a/x.{kind.lower()}": white(mode, kind)},
            finding="images_odd_kind", num_aside=0, pixels=(({}, 255),),
        )
        for mode, kind in (("CMYK", "JPEG"), ("P", "PNG"), ("1", "PNG"), ("L", "PNG"))
    ),
    case(
        "I13", "a GIF that moves", "ASK", "photos", "a/x.gif with 2", "--source.frame 0",
        files={"a/x.gif": frames("GIF")}, answers=(("--source.frame", "0"),), num_aside=0,
    ),
    case(
        "I13", "a TIFF of two pages", "ASK", "photos", "a/x.tiff with 2", "--source.frame 0",
        files={"a/x.tiff": frames("TIFF")}, answers=(("--source.frame", "0"),), num_aside=0,
    ),
    case(
        "I14", "a pipe", "REFUSE", "photos/a/x.jpg is no regular file",
        place=lambda folder: os.mkfifo(folder / "a" / "x.jpg"),
    ),
    case(
        "I14", "a link to a device", "REFUSE", "photos/a/x.jpg is a link to /dev/zero",
        place=lambda folder: (folder / "a" / "x.jpg").symlink_to("/dev/zero"),
    ),
    case("I14", "a link that leaves the folder", "REFUSE", "photos/a/x.jpg is a link to", "secret.jpg", place=outside),
    bad("I15", "an empty file", b"", "the file is empty"),
    bad("I15", "HTML named .jpg", b"<html>404</html>", "no image of a known format"),
    bad("I15", "SVG named .jpg", b'<svg><image href="file:///etc/passwd"/></svg>', "no image of a known format"),
    bad("I15", "EPS named .jpg", encoded(noise(512), "EPS"), "no image of a known format"),
    bad("I16", "an image of 1 x 1", encoded(noise(513, 1, 1)), "1 x 1 pixels"),
    bad("I16", "an image of 65,000 x 1", encoded(Image.new("L", (65_000, 1))), "65000 x 1 pixels"),
    case(
        "I17", "the same image in two classes", "QUAR", "conflicting label", "a/x.png (a)", "b/y.png (b)",
        files={"a/x.png": PNG, "b/y.png": PNG}, num_aside=2,
    ),
    case(
        "I17", "the same pixels packed in two ways, in two classes", "QUAR", "conflicting label",
        files={"a/x.png": PNG, "b/y.bmp": encoded(noise(501), "BMP")}, num_aside=2,
    ),
    case(
        "I18", "two names that differ in case", "ACCEPT", files={"a/x.jpg": JPEG, "a/X.JPG": PNG}, num_aside=0,
    ),
]  # fmt: skip
