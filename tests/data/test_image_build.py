"""Building a map: one decoding pass, nothing lost, room known before, taken up after a kill."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError, RecipeError, ResourceError
from deepwright.core.image import Form, decode_image
from deepwright.data import image_build, image_map, image_pool
from deepwright.data.image_build import build
from tests.data.pictures import encoded, noise, pngs

ROW = 24 * 24 * 3
FORM = Form(24, 24)


def quietly(sources: list, folder: Path, **options) -> image_map.ImageMap:
    return build(sources, folder, **{"size": 24, "workers": 1, "say": lambda _: None, **options})


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_map, "CHUNK_BYTES", 4 * ROW)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def parts(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


def test_a_map_holds_what_each_image_decodes_to(small_chunks: None, tmp_path: Path):
    sources: list = pngs(11)
    for number in (2, 9):
        path = tmp_path / f"{number} \udce4.png"  # a name that is no text
        path.write_bytes(sources[number])
        sources[number] = path if number == 2 else str(path)
    images = quietly(sources, tmp_path / "maps", workers=2)
    expected = np.stack([decode_image(each, FORM) for each in pngs(11)])
    assert (images.pixels == expected).all() and images.origin.tolist() == list(range(11))
    assert images.set_aside == () and parts(tmp_path / "maps") == []


def test_bad_images_are_set_aside_with_their_reason_and_the_rest_kept(tmp_path: Path):
    sources = [*pngs(4), b"", encoded(noise(0))[:500], *pngs(2)]
    images = quietly(sources, tmp_path, max_set_aside=0.5)
    assert [(bad.number, bad.reason.split(":")[0]) for bad in images.set_aside] == [
        (4, "the file is empty"), (5, "cut or broken"),
    ]  # fmt: skip
    assert images.origin.tolist() == [0, 1, 2, 3, 6, 7]
    assert len(images) + len(images.set_aside) == len(sources)


def test_too_many_bad_ones_stop_it_and_a_higher_limit_takes_up_what_was_done(tmp_path, monkeypatch):
    sources = [*pngs(3), b""]
    with pytest.raises(DataError, match=r"1 of 4 images are bad.*#3: the file is empty.*raise max_set_aside="):
        quietly(sources, tmp_path)
    with pytest.raises(DataError, match="4 of 4 images are bad"):
        quietly([b"", b"a", b"b", b"c"], tmp_path / "all", max_set_aside=1.0)
    monkeypatch.setattr(image_build, "Pool", lambda _: pytest.fail("decoded again"))
    assert len(quietly(sources, tmp_path, max_set_aside=0.25)) == 3


def test_the_same_sources_and_options_are_decoded_once(tmp_path, monkeypatch):
    first = quietly(pngs(3), tmp_path)
    others = [
        quietly(pngs(2), tmp_path), quietly(pngs(3)[::-1], tmp_path), quietly(pngs(3), tmp_path, size=25),
        quietly(pngs(3), tmp_path, channels=1), quietly(pngs(3), tmp_path, background=0),
    ]  # fmt: skip
    assert len({first.address, *(each.address for each in others)}) == 6
    monkeypatch.setattr(image_build, "Pool", lambda _: pytest.fail("decoded again"))
    again = quietly(pngs(3), tmp_path)
    assert again.address == first.address and (again.pixels == first.pixels).all()


def test_the_size_is_said_before_anything_is_written(tmp_path: Path):
    said: list[tuple[str, list[Path]]] = []
    quietly(pngs(3), tmp_path, say=lambda sentence: said.append((sentence, parts(tmp_path))))
    ((sentence, written),) = said
    assert f"a map of 3 images takes {(3 * ROW + 128) / 2**20:.1f} MiB" in sentence and written == []


def test_the_size_is_said_on_standard_error_by_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    build(pngs(1), tmp_path, size=24, workers=1)
    assert "a map of 1 images takes 0.0 MiB" in capsys.readouterr().err


def test_a_disk_without_room_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**6, 10**6 - 5000, 5000))
    with pytest.raises(ResourceError, match=rf"takes {3 * ROW + 128} bytes more and 5000 are free"):
        quietly(pngs(3), tmp_path)
    assert parts(tmp_path) == []
    assert len(quietly(pngs(2)[:1], tmp_path)) == 1  # 1,856 bytes fit


def test_a_file_size_limit_met_while_writing_is_a_resource_error(tmp_path: Path):
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from deepwright.core.errors import ResourceError\n"
        "from tests.data.test_image_build import *\n"
        "try:\n    quietly(pngs(2), Path(sys.argv[1]))\nexcept ResourceError as error:\n    print(error.key)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "disk.full", done.stderr


ROOT = Path(__file__).parents[2]
BUILDER = """
import sys
from pathlib import Path
from deepwright.data import image_map
from tests.data.test_image_build import ROW, pngs, quietly
image_map.CHUNK_BYTES = ROW
quietly(pngs(120), Path(sys.argv[1]), workers=2)
"""  # without a guard for __main__: a worker never imports the user's script


def test_a_killed_build_is_taken_up_where_it_stood_and_ends_in_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(image_map, "CHUNK_BYTES", ROW)
    started = subprocess.Popen([sys.executable, "-c", BUILDER, str(tmp_path)], cwd=ROOT)
    lines = wait_for_lines(tmp_path, 10)
    started.send_signal(signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL and 10 <= lines < 120
    (part,) = parts(tmp_path)
    journal = (part / image_build.JOURNAL).read_bytes().splitlines(keepends=True)
    # A torn last line, and a chunk whose rows did not reach the disk, are done again.
    (part / image_build.JOURNAL).write_bytes(b"".join(journal) + b'{"chunk": 119, "sha')
    with (part / "pixels.npy").open("r+b") as pixels:
        pixels.seek(128)
        pixels.write(b"\0" * 100)
    asked: list[int] = []
    whole = image_build._Job._request
    monkeypatch.setattr(image_build._Job, "_request", lambda job, n: (asked.append(n), whole(job, n))[1])
    images = quietly(pngs(120), tmp_path, workers=2)
    assert len(asked) == 120 - len(journal) + 1 and 0 in asked
    monkeypatch.undo()
    monkeypatch.setattr(image_map, "CHUNK_BYTES", ROW)
    fresh = quietly(pngs(120), tmp_path / "fresh", workers=2)
    assert (images.folder / "pixels.npy").read_bytes() == (fresh.folder / "pixels.npy").read_bytes()
    assert (images.folder / "map.json").read_bytes() == (fresh.folder / "map.json").read_bytes()
    assert parts(tmp_path) == [] and names(images.folder) == ["map.json", "pixels.npy"]


def wait_for_lines(folder: Path, wanted: int) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = [part / image_build.JOURNAL for part in parts(folder)]
        if found and found[0].exists() and (lines := found[0].read_bytes().count(b"\n")) >= wanted:
            return lines
        os.sched_yield()
    raise AssertionError("nothing was decoded within 30 s")


def test_an_unfinished_folder_of_another_shape_is_begun_anew(tmp_path: Path):
    place = quietly(pngs(2), tmp_path).folder
    shutil.rmtree(place)
    part = tmp_path / f".{place.name}.part"
    part.mkdir()
    (part / "pixels.npy").write_bytes(b"junk")
    (part / "stray").write_bytes(b"junk")
    assert names(quietly(pngs(2), tmp_path).folder) == ["map.json", "pixels.npy"]


def test_a_process_that_is_killed_is_told_and_what_was_done_is_kept(tmp_path, monkeypatch, small_chunks):
    real = image_pool._Process.ask

    def deadly(process, request, blobs, lines):
        if blobs[0] == pngs(9)[8]:
            process._process.kill()
        return real(process, request, blobs, lines)

    with monkeypatch.context() as patch:
        patch.setattr(image_pool._Process, "ask", deadly)
        with pytest.raises(ResourceError, match=r"ended from outside \(exit code -9\).*is kept"):
            quietly(pngs(9), tmp_path)
    (part,) = parts(tmp_path)
    assert len((part / image_build.JOURNAL).read_bytes().splitlines()) == 2
    assert len(quietly(pngs(9), tmp_path)) == 9


def test_a_source_that_changes_while_it_is_decoded_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(pngs(1)[0])
    hashed = image_build._address

    def changing(*given):
        path.write_bytes(pngs(2)[1])
        return hashed(*given)

    monkeypatch.setattr(image_build, "_address", changing)
    with pytest.raises(DataError, match=r"a\.png changed while the images were being decoded"):
        quietly([path], tmp_path / "maps")


def test_a_pipe_a_folder_and_a_missing_file_are_refused_without_hanging(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, words in [
        ("pipe.jpg", "no regular file"),
        (".", "no regular file"),
        ("no.jpg", "cannot be read: No such"),
    ]:
        with pytest.raises(DataError, match=words):
            quietly([tmp_path / name], tmp_path / "maps")


def test_names_that_differ_in_case_are_two_images(tmp_path: Path):
    for name, content in zip(("a.jpg", "A.JPG"), pngs(2), strict=True):
        (tmp_path / name).write_bytes(content)
    images = quietly([tmp_path / "a.jpg", tmp_path / "A.JPG"], tmp_path / "maps")
    assert (images.pixels[0] != images.pixels[1]).any()


def test_no_images_and_no_workers_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match="There are no images"):
        quietly([], tmp_path)
    with pytest.raises(RecipeError, match="workers=0: takes 1 or more"):
        quietly(pngs(1), tmp_path, workers=0)
