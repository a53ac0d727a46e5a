"""Weights: a safetensors file, strictly checked before anything uses it.

safetensors' own loader keeps the last of two equal names and takes any byte as a truth value, any text as a name and
NaN as a weight; a bundle's weights are refused for each of these.

References: safetensors, "Format" (github.com/huggingface/safetensors, README).
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core import strict_json

HEADER_LIMIT_BYTES = 64 << 20
PIECE_BYTES = 1 << 24
ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
FLOATS: dict[str, np.dtype[Any]] = {"F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2")}


def check_weights(path: Path) -> None:
    """Read the file once, in pieces.

    Raises ValueError saying what is wrong: the header, a name, a type, the place of a tensor, a byte that is no truth
    value, a weight that is NaN.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, HEADER_LIMIT_BYTES):
            raise ValueError("it has no header of safetensors")
        tensors = sorted(_tensors(strict_json.loads(file.read(length))).items(), key=lambda item: item[1][1:])
        end = 0
        for name, (_, start, stop) in tensors:
            if start != end:
                raise ValueError(f"tensor {name!r} begins at byte {start} where {end} is due")
            end = stop
        if 8 + length + end != size:
            raise ValueError(f"its tensors end at byte {8 + length + end} and the file at {size}")
        for name, (kind, start, stop) in tensors:
            for place in range(start, stop, PIECE_BYTES):
                _check_values(name, kind, file.read(min(PIECE_BYTES, stop - place)))


def _tensors(header: Any) -> dict[str, tuple[str, int, int]]:
    """Type, first and last byte of each tensor by its name."""
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if not name or len(name) > 1000 or not name.isprintable() or set(name) & set("/\\") or ".." in name:
            raise ValueError(f"{name!r} is no name of a tensor")
        if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"tensor {name!r} has no type, shape and place")
        kind, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
        if kind not in ITEM_BYTES:
            raise ValueError(f"tensor {name!r} is of type {kind!r}")
        if not (_are_counts(shape) and _are_counts(place) and len(place) == 2):
            raise ValueError(f"tensor {name!r} has a shape or a place of other things than counts")
        if place[1] - place[0] != math.prod(shape) * ITEM_BYTES[kind]:
            raise ValueError(f"tensor {name!r} has a place that does not fit its shape")
        found[name] = (kind, place[0], place[1])
    return found


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(number) is int and number >= 0 for number in value)


def _check_values(name: str, kind: str, content: bytes) -> None:
    if kind == "BOOL" and content.translate(None, b"\0\1"):
        raise ValueError(f"tensor {name!r} holds a byte that is no truth value")
    if kind == "BF16":
        wide = np.frombuffer(content, "<u2").astype("<u4") << 16
        is_bad = bool(np.isnan(wide.view("<f4")).any())
    else:
        is_bad = kind in FLOATS and bool(np.isnan(np.frombuffer(content, FLOATS[kind])).any())
    if is_bad:
        raise ValueError(f"tensor {name!r} holds a weight that is not a number")
