"""Decoding processes: an image that hangs, crashes or eats memory is named, and the others are decoded."""

import subprocess
import sys
from pathlib import Path

import pytest

from deepwright.core.errors import ResourceError
from deepwright.data import image_pool
from deepwright.data.image_build import build
from deepwright.data.image_pool import Pool
from tests.data.pictures import pngs

HOSTILE = """
import os, signal, sys
import deepwright.core.image as image
from deepwright.data import image_worker

whole = {"facts": image.image_facts, "decode": image.decode_image}

def hostile(do, encoded, *form):
    if encoded.startswith(b"hang"):
        while True:
            pass
    if encoded.startswith(b"crash"):
        os.abort()
    if encoded.startswith(b"killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    return whole[do](encoded, *form)

image_worker.image_facts = lambda encoded: hostile("facts", encoded)
image_worker.decode_image = lambda encoded, form: hostile("decode", encoded, form)
image_worker.CPU_S, image_worker.WALL_S = 2.0, 60.0
from PIL import PngImagePlugin
load = PngImagePlugin.PngImageFile.load
def eats(self):
    if self.size == (31, 31):
        bytearray(3 << 30)
    return load(self)
PngImagePlugin.PngImageFile.load = eats
image_worker.main()
"""


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes in which some bytes make the decoder hang, crash or take 3 GiB."""
    script = tmp_path / "hostile.py"
    script.write_text(HOSTILE)
    real = subprocess.Popen
    monkeypatch.setattr(
        image_pool.subprocess, "Popen", lambda command, **options: real([sys.executable, str(script)], **options)
    )


def test_each_image_is_answered_and_the_bad_ones_by_their_reason(hostile: None):
    good = pngs(3, 24, 24)
    images = [good[0], b"hang", good[1], b"crash", pngs(1, 31, 31)[0], good[2]]
    with Pool(2) as pool:
        first, second = pool.facts([images, [good[0]]])
    names = [each.get("bad", {}).get("values", {}).get("name") for each in first]
    assert names == [None, "SIGPROF", None, "SIGABRT", None, None]
    assert first[4]["bad"]["key"] == "images.memory"
    assert [each["width"] for each in (first[0], first[2], first[5], second[0])] == [24] * 4


def test_an_image_that_kills_its_decoder_is_set_aside_from_a_map(hostile: None, tmp_path: Path):
    sources = [*pngs(4, 24, 24), b"hang", *pngs(3, 24, 24), b"crash"]
    images = build(sources, tmp_path / "maps", size=8, workers=2, max_set_aside=0.5, say=lambda _: None)
    assert [(bad.number, bad.reason) for bad in images.set_aside] == [
        (4, "decoding it took too long or crashed the decoder (SIGPROF)"),
        (8, "decoding it took too long or crashed the decoder (SIGABRT)"),
    ]
    assert images.pixels[:4].any(axis=(1, 2, 3)).all() and len(images) == 7


def test_an_end_that_no_image_is_to_blame_for_is_an_error(hostile: None):
    with Pool(1) as pool, pytest.raises(ResourceError, match=r"ended from outside \(exit code -9\)"):
        list(pool.facts([[b"killed"]]))


def test_a_real_process_decodes(tmp_path: Path):
    with Pool(1) as pool:
        ((facts, bad),) = pool.facts([[pngs(1, 24, 30)[0], b"no image"]])
    assert (facts["width"], facts["height"], facts["format"]) == (30, 24, "PNG")
    assert bad["bad"]["key"] == "images.unknown_format"
