"""Images in arrays: idx files under MNIST's names and npz files; each row becomes an encoded image."""

import io
import re
from pathlib import Path

import numpy as np

from deepwright.core.disk import sha256_file
from deepwright.core.errors import AskError, DataError
from deepwright.core.seal import TEST
from deepwright.data.arrays import Head, array_heads, read_array
from deepwright.data.image_listing import Listing, part_of_name
from deepwright.data.media import row_reference
from deepwright.data.raw import SourceFile

CHANNELS = (1, 3, 4)
DTYPES = ("uint8", "bool", "uint16", "int16", "int32", "float32", "float64")
IMAGES_NAME = re.compile(r"(?P<part>[a-z0-9]+)-images[.-]idx3-ubyte(\.gz)?", re.IGNORECASE)
NPZ_NAME = re.compile(r"(?P<base>.*?)_?(?P<part>train|training|valid|validation|val|test|testing)", re.IGNORECASE)
IMAGE_KEYS, LABEL_KEYS = ("x", "image", "images", "data", "arr_0"), ("y", "label", "labels", "target", "arr_1")


def is_image_array(head: Head) -> bool:
    """Whether an array's shape and numbers are those of images: [N, H, W], or with channels last or first."""
    sides = _sides(head.shape)
    return sides is not None and min(sides) >= 8 and head.dtype.name in DTYPES


def list_idx(folder: Path) -> Listing | None:
    """The pairs of images and labels in a folder, under MNIST's names; t10k is the test part. None: there are none.

    Raises DataError where labels are missing or not as many as images.
    """
    found = sorted(path for path in folder.iterdir() if IMAGES_NAME.fullmatch(path.name))
    pieces = []
    for path in found:
        labels = _labels_beside(path)
        name = IMAGES_NAME.fullmatch(path.name)
        assert name is not None, f"{path.name} was found by this name"
        part = TEST if name["part"].lower() == "t10k" else part_of_name(name["part"])
        pieces.append(_listed(path, "", path, labels, "", part))
    return Listing.joined(str(folder), pieces) if pieces else None


def list_npz(path: Path, image: str | None) -> Listing:
    """The images of an npz file, with the labels beside them: x_train and y_train, x_test and y_test, or x and y.

    Raises AskError where several arrays could be the images.
    """
    heads = array_heads(path)
    keys = [key for key, head in heads.items() if is_image_array(head)]
    bases = {key: _base(key) for key in keys}
    if image is not None:
        keys = [key for key in keys if image in (key, bases[key][0])]
    elif len({base for base, _ in bases.values()}) > 1:
        keys = [key for key in keys if bases[key][0] in IMAGE_KEYS]
    if not keys or len({bases[key][0] for key in keys}) > 1:
        shown = ", ".join(f"{key} {head.shape} {head.dtype}" for key, head in heads.items())
        raise AskError("images.ask_key", path=path, known=shown, key=next(iter(bases or heads)))
    return Listing.joined(str(path), [_of_npz(path, key, heads) for key in keys])


def image_array(path: Path, key: str) -> np.ndarray:
    """The array [N, H, W] or [N, H, W, C] of a file. Raises DataError for one that holds no images."""
    array = read_array(path, key)
    if not is_image_array(Head(array.shape, array.dtype)):
        raise DataError("images.no_images", path=path, key=key, shape=array.shape, dtype=array.dtype)
    return array if array.ndim == 3 or array.shape[-1] in CHANNELS else array.transpose(0, 2, 3, 1)


def encoded_row(image_HWC: np.ndarray) -> bytes:
    """An image as bytes that any decoder reads: PNM for grey and RGB of 8 bits, TIFF for deeper numbers, else PNG."""
    from PIL import Image

    pixels = image_HWC[:, :, 0] if image_HWC.ndim == 3 and image_HWC.shape[2] == 1 else image_HWC
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype == np.uint8 and (pixels.ndim == 2 or pixels.shape[2] == 3):
        height, width = pixels.shape[:2]
        return b"P%d %d %d 255\n" % (5 if pixels.ndim == 2 else 6, width, height) + pixels.tobytes()
    stream = io.BytesIO()
    if pixels.dtype == np.uint8:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    else:
        if pixels.ndim == 3:
            raise DataError("images.deep_colour", dtype=pixels.dtype)
        deep = pixels if pixels.dtype in (np.uint16, np.int32) else pixels.astype(np.float32)
        Image.fromarray(np.ascontiguousarray(deep)).save(stream, "TIFF")
    return stream.getvalue()


def _of_npz(path: Path, key: str, heads: dict[str, Head]) -> Listing:
    part = _base(key)[1]
    beside = [k for k in heads if _base(k) in {(name, part) for name in LABEL_KEYS} and len(heads[k].shape) <= 2]
    return _listed(path, key, path if beside else None, None, beside[0] if beside else "", part_of_name(part))


def _base(key: str) -> tuple[str, str]:
    """`x_train` as (`x`, `train`)."""
    found = NPZ_NAME.fullmatch(key)
    return (found["base"].lower(), found["part"].lower()) if found else (key.lower(), "")


def _labels_beside(path: Path) -> Path:
    """`train-labels-idx1-ubyte.gz` for `train-images-idx3-ubyte.gz`, packed or not."""
    plain = path.name.removesuffix(".gz")
    name = re.sub("idx3", "idx1", re.sub("images", "labels", plain, flags=re.IGNORECASE), flags=re.IGNORECASE)
    for candidate in (path.with_name(name), path.with_name(name + ".gz")):
        if candidate.exists():
            return candidate
    raise DataError("images.no_labels", path=path, labels=path.with_name(name))


def _listed(
    path: Path, key: str, labels_at: Path | None, labels_file: Path | None, labels_key: str, part: int | None
) -> Listing:
    """The rows of one array of images; labels_file: a file of their own."""
    shape = array_heads(path)[key].shape
    columns = {}
    if labels_at is not None:
        where = labels_file or labels_at
        columns["label"] = _label_cells(read_array(where, labels_key), where, shape[0], path)
    references = [row_reference(path, key, row) for row in range(shape[0])]
    name = f"{path}#{key}" if key else str(path)
    sha256 = sha256_file(path) if labels_file is None else f"{sha256_file(path)}{sha256_file(labels_file)}"
    file = SourceFile(name, sha256[:64], shape[0])
    return Listing.of_file(file, references, columns, part)


def _label_cells(labels: np.ndarray, path: Path, num: int, images: Path) -> np.ndarray:
    flat = labels.reshape(-1)
    if len(flat) != num:
        raise DataError("images.labels_count", path=path, found=labels.shape, images=images, num=num)
    cells = np.empty(num, dtype=object)
    cells[:] = [str(value) for value in flat.tolist()]
    return cells


def _sides(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Height and width, where the shape is one of images."""
    if len(shape) == 3:
        return shape[1], shape[2]
    if len(shape) == 4 and shape[3] in CHANNELS:
        return shape[1], shape[2]
    if len(shape) == 4 and shape[1] in CHANNELS:
        return shape[2], shape[3]
    return None
