"""I: every bad image in a folder of good ones, through `deepwright check` and through what decodes it for a model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from deepwright.core import image as decoding
from deepwright.core import pixels
from deepwright.core.errors import DataError
from deepwright.core.image import Form, decode_image
from deepwright.data import image_findings, image_folders, images
from tests.data.pictures import InProcess, pngs
from tests.faults.case import Outcomes, call
from tests.faults.images import GREY, IMAGES, JPEG, ImageCase

GOOD = pngs(44, 24, 24)
KEPT = ("QUAR", "LIMIT", "REPAIR", "ACCEPT")
BAD = [case for case in IMAGES if case.outcome in ("QUAR", "LIMIT") and len(case.files) == 1]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with forty-four good images in two classes below `photos`, decoded in this process: what the
    decoding processes are for has tests of its own."""
    work = tmp_path / "work"
    for number, content in enumerate(GOOD):
        place = work / "photos" / "ab"[number % 2] / f"{number:02d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    monkeypatch.chdir(work)
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("deepwright.data.image_inspect.Pool", InProcess)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500_000_000)  # a warning of Pillow's alone would be an error here
    return work


def checked(case: ImageCase, folder: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> Outcomes:
    for name, content in case.files.items():
        (folder / "photos" / name).write_bytes(content)
    if case.place is not None:
        case.place(folder / "photos")
    return call(capsys, folder, "check", "photos", "--json", *flags)


def check_case(case: ImageCase, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The outcome, what is said, and what goes on."""
    found = checked(case, folder, capsys, *(["--max-set-aside", "0.1"] if case.outcome in KEPT else []))
    if case.outcome in ("REFUSE", "ASK"):
        assert found.code == case.exit and found.written == []
        assert all(words in found.sentence for words in case.says), found.sentence
        for answer in case.answers:
            assert call(capsys, folder, "check", "photos", *answer).code == 0
    else:
        assert found.code == 0, found.err
        told = json.loads(found.out.splitlines()[-1])
        assert sum(entry["count"] for entry in told["set_aside"]) == case.num_aside
        assert told["rows"] == len(GOOD) + len(case.files) == told["kept"] + case.num_aside
        if case.num_aside:
            (entry,) = told["set_aside"]
            assert all(words in entry["reason"] for words in case.says), entry["reason"]
            assert "a/x" in entry["reason"]
        assert case.finding in {None, *(each["rule"] for each in told["findings"])}
    for options, grey in case.pixels:
        encoded = next(iter(case.files.values()))
        pixels = decode_image(encoded, Form(**{**GREY, **options}))  # type: ignore[arg-type]
        middle = pixels[pixels.shape[0] // 2, pixels.shape[1] // 2 + 1]
        assert abs(int(middle[0]) - grey) <= 1


@pytest.mark.parametrize("case", IMAGES, ids=lambda case: case.id)
def test_a_bad_image_has_its_outcome(case: ImageCase, folder: Path, capsys: pytest.CaptureFixture[str]):
    check_case(case, folder, capsys)


def test_more_than_one_in_a_hundred_stop_it_with_the_reasons(folder: Path, capsys: pytest.CaptureFixture[str]):
    for number, case in enumerate(BAD):
        (content,) = case.files.values()
        (folder / "photos" / "a" / f"x{number:02d}.jpg").write_bytes(content)
    found = call(capsys, folder, "check", "photos")
    assert found.code == 3 and found.written == []
    assert f"{len(BAD)} of {len(GOOD) + len(BAD)} rows" in found.sentence and "cut or broken" in found.sentence


PEAK = """
import json, resource, sys, time
from deepwright.core.errors import DataError
from deepwright.core.image import Form, decode_image, image_facts
from PIL import Image, PngImagePlugin
image_facts(open(sys.argv[1], "rb").read())
for path in sys.argv[2:]:
    encoded = open(path, "rb").read()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    for decode in (image_facts, lambda encoded: decode_image(encoded, Form(24, 24))):
        try:
            decode(encoded)
        except DataError as error:
            print(error.key, end=" ")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print((peak - before) // 1024, time.process_time() - started)
"""


def test_what_is_too_large_is_refused_before_memory_is_taken(folder: Path):
    cases = [case for case in IMAGES if case.outcome == "LIMIT" or case.row == "I8"]
    paths = []
    for number, case in enumerate(cases):
        paths.append(folder / str(number))
        paths[-1].write_bytes(next(iter(case.files.values())))
    command = [sys.executable, "-W", "ignore", "-c", PEAK, "photos/a/00.png", *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=environment)
    for line, case in zip(done.stdout.splitlines(), cases, strict=True):
        one, other, megabytes, seconds = line.split()
        assert one == other and one.startswith("images."), case.id
        assert float(seconds) <= 2 and int(megabytes) < 256, line


def test_a_change_after_the_first_look_is_found_by_hash(folder: Path):
    (folder / "photos" / "a" / "x.jpg").write_bytes(JPEG)
    first = images.Images(path="photos").read(None)
    (case,) = (case for case in IMAGES if case.row == "I5")
    (folder / "photos" / "a" / "x.jpg").write_bytes(case.files["a/x.jpg"])
    second = images.Images(path="photos").read(None)
    assert first.sha256 != second.sha256 and first.files[0].sha256 != second.files[0].sha256
    assert sum(a != b for a, b in zip(first.digests["image"], second.digests["image"], strict=True)) == 1


CONTROLS = {
    "I1 a JPEG cut at half": (ImageFile, "LOAD_TRUNCATED_IMAGES", True),
    "I3 a PNG cut at half": (ImageFile, "LOAD_TRUNCATED_IMAGES", True),
    "I16 an image of 1 x 1": (decoding, "_check_size", lambda *_: None),
    "I9 a PNG of 16 bits": (images.Images, "_refuse_open_questions", lambda *_: None),
    "I10 a photograph that is to be turned": (ImageOps, "exif_transpose", lambda *_, **__: None),
    "I11 all of it transparent": (pixels, "on_background", lambda image, mode, _: image.convert(mode)),
    "I13 a GIF that moves": (images.Images, "_refuse_open_questions", lambda *_: None),
    "I14 a link to a device": (
        image_folders, "walk", lambda root: sorted(str(p.relative_to(root)) for p in root.rglob("*.png")),
    ),
    "I14 a pipe": (
        image_folders, "walk", lambda root: sorted(str(p.relative_to(root)) for p in root.rglob("*.png")),
    ),
    "I15 EPS named .jpg": (pixels, "FORMATS", None),
    "I17 the same image in two classes": (
        image_findings, "conflicting", lambda facts, *_: np.zeros(len(facts), bool),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTROLS)
def test_without_its_protection_the_case_fails(name: str, folder: Path, capsys, monkeypatch):
    (case,) = (case for case in IMAGES if case.id == name)
    module, attribute, nothing = CONTROLS[name]
    if nothing is None:
        monkeypatch.setattr(module, attribute, (*pixels.FORMATS, "EPS"))
    else:
        monkeypatch.setattr(module, attribute, nothing)
    with pytest.raises((AssertionError, pytest.fail.Exception, DataError)):
        check_case(case, folder, capsys)
