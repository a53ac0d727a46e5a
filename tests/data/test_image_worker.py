"""The decoding process: writes that the system cuts short are finished, and its memory is bounded."""

import os
import subprocess
import sys
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


@pytest.mark.skipif(sys.platform != "linux", reason="NOT RUN: data are bounded on Linux alone")
def test_the_bound_on_memory_does_not_grow_with_the_process_that_started_it():
    script = (
        "import resource; from deepwright.data import image_worker as worker; worker._limit_memory(); "
        "print(resource.getrlimit(resource.RLIMIT_DATA)[0] - worker.MEMORY_BYTES)"
    )
    parent = (
        "import subprocess, sys; held = bytearray(b'x' * 700_000_000); "
        f"subprocess.run([sys.executable, '-c', {script!r}], check=True)"
    )
    done = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 500_000_000
