"""Inspecting: every image is decoded once, what was found is kept by the hash of its bytes, and checked."""

from pathlib import Path

import pytest

from deepwright.data import image_inspect
from deepwright.data.image_inspect import inspect
from tests.data.pictures import InProcess, pngs


@pytest.fixture
def decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each group that was decoded had."""
    counts: list[int] = []

    class Counting(InProcess):
        def facts(self, groups):
            return super().facts(counts.append(len(group)) or group for group in groups)

    monkeypatch.setenv("DEEPWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(image_inspect, "Pool", Counting)
    monkeypatch.setattr(image_inspect, "KEPT_FROM", 3)
    monkeypatch.setattr(image_inspect, "GROUP_IMAGES", 2)
    return counts


def put(folder: Path, contents: list[bytes]) -> list[str]:
    for number, content in enumerate(contents):
        (folder / f"{number}.png").write_bytes(content)
    return [str(folder / f"{number}.png") for number in range(len(contents))]


def test_equal_bytes_are_decoded_once_and_every_image_is_answered(tmp_path: Path, decoded: list[int]):
    one, two, three = pngs(3, 24, 24)
    references = [*put(tmp_path, [one, two, one, b"bad", three]), str(tmp_path / "gone.png")]
    found = inspect(references)
    assert sum(decoded) == 4 and [each.facts is None for each in found] == [False, False, False, True, False, True]
    assert found[0] == found[2] and found[0].facts != found[1].facts
    assert [each.fault and each.fault.key for each in found[3:]] == ["images.unknown_format", None, "images.unreadable"]


def test_a_second_look_decodes_nothing_and_tells_the_same(tmp_path: Path, decoded: list[int]):
    references = put(tmp_path, [*pngs(4, 24, 24), b"bad"])
    first = inspect(references)
    decoded.clear()
    assert inspect(references) == first and decoded == []
    (tmp_path / "9.png").write_bytes(pngs(10, 24, 24)[9])
    assert len(inspect([*references, str(tmp_path / "9.png")])) == 6 and decoded == [1]


def test_a_kept_file_that_was_changed_is_as_good_as_none(tmp_path: Path, decoded: list[int]):
    references = put(tmp_path, pngs(4, 24, 24))
    first = inspect(references)
    for path in (tmp_path / "home" / "images").rglob("*.jsonl"):
        path.write_bytes(path.read_bytes().replace(b'"width": 24', b'"width": 25'))
    decoded.clear()
    assert inspect(references) == first and sum(decoded) == 4


def test_a_few_images_leave_no_file(tmp_path: Path, decoded: list[int]):
    inspect(put(tmp_path, pngs(2, 24, 24)))
    assert not (tmp_path / "home").exists()


def test_what_was_found_before_a_kill_is_kept(tmp_path: Path, decoded: list[int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(image_inspect, "SAVED_EVERY_S", -1.0)
    references = put(tmp_path, pngs(6, 24, 24))
    whole = InProcess.facts

    def dies(self, groups):
        for number, answers in enumerate(whole(self, groups)):
            if number == 2:
                raise KeyboardInterrupt
            yield answers

    with monkeypatch.context() as patch:
        patch.setattr(InProcess, "facts", dies)
        with pytest.raises(KeyboardInterrupt):
            inspect(references)
    decoded.clear()
    assert len(inspect(references)) == 6 and sum(decoded) == 2
