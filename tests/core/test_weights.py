"""Weights: what safetensors itself writes passes; what it would take silently is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepwright.core.weights import check_weights


def packed(header: Any, content: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


def entry(kind: str, shape: list[Any], start: int, stop: int) -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, stop]}


def test_what_safetensors_writes_passes(tmp_path: Path):
    from safetensors.numpy import save

    tensors = {
        "block.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "count": np.array(3, np.int64),
        "empty": np.zeros((0, 4), np.float64),
        "mask": np.array([True, False]),
        "half": np.array([-np.inf, 1], np.float16),
    }
    (tmp_path / "w").write_bytes(save(tensors, metadata={"format": "np"}))
    check_weights(tmp_path / "w")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no header"),
        (b"\x80\x04\x95" + bytes(40), "no header"),
        (packed(b"[]", b""), "no object"),
        (packed(b'{"a": 1, "a": 2}', b""), "the key 'a' stands twice"),
        (packed({"../../etc/x": entry("U8", [1], 0, 1)}, b"1"), "is no name of a tensor"),
        (packed({"a\0": entry("U8", [1], 0, 1)}, b"1"), "is no name of a tensor"),
        (packed({"a": 3}, b""), "no type, shape and place"),
        (packed({"a": entry("F128", [1], 0, 16)}, bytes(16)), "of type 'F128'"),
        (packed({"a": entry("U8", [-1, -1], 0, 1)}, b"1"), "other things than counts"),
        (packed({"a": entry("U8", [True], 0, 1)}, b"1"), "other things than counts"),
        (packed({"a": entry("F32", [2], 0, 4)}, bytes(4)), "does not fit its shape"),
        (packed({"a": entry("U8", [1], 1, 2)}, b"12"), "begins at byte 1 where 0 is due"),
        (packed({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 1, 3)}, b"123"), "begins at byte 1 where 2"),
        (packed({"a": entry("U8", [2], 0, 2)}, b"1"), "end at byte"),
        (packed({"a": entry("U8", [1], 0, 1)}, b"1junk"), "end at byte"),
        (packed({"a": entry("BOOL", [1], 0, 1)}, b"\x07"), "no truth value"),
        (packed({"a": entry("F32", [1], 0, 4)}, np.float32("nan").tobytes()), "not a number"),
        (packed({"a": entry("F64", [1], 0, 8)}, np.float64("nan").tobytes()), "not a number"),
        (packed({"a": entry("F16", [1], 0, 2)}, np.float16("nan").tobytes()), "not a number"),
        (packed({"a": entry("BF16", [1], 0, 2)}, b"\xc0\x7f"), "not a number"),
    ],
)  # fmt: skip
def test_what_is_no_sound_file_of_weights_is_refused(tmp_path: Path, content: bytes, says: str):
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        check_weights(tmp_path / "w")
