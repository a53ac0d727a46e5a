"""The decoding process: writes that the system cuts short are finished."""

import os
from pathlib import Path

import pytest

from deepwright.data import image_worker


def test_a_write_that_is_cut_short_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "pixels"
    path.write_bytes(b"." * 12)
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda handle, content, offset: whole(handle, content[:3], offset))
    image_worker._write(str(path), 2, memoryview(b"12345678"))
    assert path.read_bytes() == b"..12345678.."
