"""What stands prepared: listed with its room, removed by name, and nothing else is touched."""

import os
import shutil
from pathlib import Path

import pytest

from deepwright.core.disk import lock
from deepwright.core.errors import ResourceError, UsageError
from deepwright.data.image_build import build
from deepwright.data.prepared import prepared, remove
from deepwright.data.token_store import write_tokens
from tests.data.pictures import pngs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An image map, a token store, a build that was killed, and a folder of someone else's."""
    build(pngs(3), tmp_path, size=64, workers=1, say=lambda _: None)
    write_tokens([[1, 2], [3]], tmp_path / "tokens")
    (tmp_path / ".abc.part").mkdir()
    (tmp_path / ".abc.part" / "pixels.npy").write_bytes(bytes(9000))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    return tmp_path


def test_all_that_is_ours_is_listed_with_the_room_it_takes(folder: Path):
    found = prepared(folder)
    assert sorted(each.kind for each in found) == ["images", "tokens", "unfinished"]
    (images,) = (each for each in found if each.kind == "images")
    assert images.size_bytes >= 3 * 64 * 64 * 3 and images.changed_s > 1e9
    assert prepared(folder / "nowhere") == ()


def test_what_is_named_is_removed_and_nothing_else(folder: Path):
    names = {each.kind: each.name for each in prepared(folder)}
    freed = remove(folder, [names["images"], names["unfinished"], names["images"]])
    assert freed >= 3 * 64 * 64 * 3 and [each.kind for each in prepared(folder)] == ["tokens"]
    assert (folder / "mine" / "notes.txt").read_text() == "keep"


@pytest.mark.parametrize("name", ["mine", "../x", "", ".", "tokenz"])
def test_a_name_that_is_not_listed_removes_nothing(folder: Path, name: str):
    before = prepared(folder)
    with pytest.raises(UsageError, match="is nothing prepared"):
        remove(folder, [before[0].name, name])
    assert prepared(folder) == before


def test_what_is_being_built_stays(folder: Path):
    (unfinished,) = (each for each in prepared(folder) if each.kind == "unfinished")
    with lock(folder / ".abc.lock"), pytest.raises(ResourceError, match=str(os.getpid())):
        remove(folder, [unfinished.name])
    assert unfinished in prepared(folder)


def test_a_removal_that_is_killed_leaves_nothing_that_looks_whole(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (images,) = (each for each in prepared(folder) if each.kind == "images")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            remove(folder, [images.name])
    left = {each.name: each.kind for each in prepared(folder)}
    assert left[f".{images.name}.removed"] == "unfinished" and images.name not in left
    remove(folder, [f".{images.name}.removed"])
    assert len(prepared(folder)) == 2


def test_a_link_is_no_prepared_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    other = tmp_path_factory.mktemp("other")
    write_tokens([[1]], other / "tokens")
    (folder / "link").symlink_to(other / "tokens")
    assert "link" not in {each.name for each in prepared(folder)}
