"""Token stores are built once per texts and operation, to the same bytes, and no changed bit is let through."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError, ResourceError
from deepwright.core.operations import BytePairTokens, ByteTokens
from deepwright.data import token_build
from deepwright.data.token_build import build_tokens

TEXTS = np.array(["abc", None, "", "数据"], object)
BYTES = ByteTokens(column="t", length=2)


def quiet(sentence: str) -> None:
    assert "MiB" in sentence


def test_texts_stand_uncut_one_behind_the_other(tmp_path: Path):
    store = build_tokens(TEXTS, BYTES, tmp_path, say=quiet)
    assert [store[place].tolist() for place in range(4)] == [
        [98, 99, 100], [], [], [byte + 1 for byte in "数据".encode()],
    ]  # fmt: skip


def test_the_size_is_said_before_and_a_store_that_stands_is_opened(tmp_path: Path, monkeypatch):
    said: list[str] = []
    first = build_tokens(TEXTS, BYTES, tmp_path, say=said.append)
    assert len(said) == 1 and "4 texts" in said[0]
    monkeypatch.setattr(token_build, "write_tokens", lambda *_: pytest.fail("it stands already"))
    assert build_tokens(TEXTS, BYTES, tmp_path, say=said.append).folder == first.folder
    assert len(said) == 1


def test_other_texts_and_other_operations_get_stores_of_their_own(tmp_path: Path):
    pairs = BytePairTokens(column="t", merges=((98, 99),))
    other = np.array(["abc", "", None, "数据"], object)
    folders = {
        build_tokens(texts, one, tmp_path, say=quiet).folder
        for texts, one in ((TEXTS, BYTES), (TEXTS, pairs), (other, BYTES))
    }
    assert len(folders) == 3


def test_what_a_killed_process_left_is_written_anew_to_the_same_bytes(tmp_path: Path):
    whole = build_tokens(TEXTS, BYTES, tmp_path / "a", say=quiet).folder
    (tmp_path / "b").mkdir()
    shutil.copytree(whole, tmp_path / "b" / f".{whole.name}.part")
    (tmp_path / "b" / f".{whole.name}.part" / "tokens.i32").write_bytes(b"torn")
    again = build_tokens(TEXTS, BYTES, tmp_path / "b", say=quiet).folder
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in whole.iterdir()
    }


def test_a_changed_bit_is_refused(tmp_path: Path):
    place = build_tokens(TEXTS, BYTES, tmp_path, say=quiet).folder / "tokens.i32"
    content = bytearray(place.read_bytes())
    content[3] ^= 1
    place.chmod(0o644)
    place.write_bytes(content)
    with pytest.raises(DataError, match=r"tokens\.i32"):
        build_tokens(TEXTS, BYTES, tmp_path, say=quiet)


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(token_build.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ResourceError, match="10 are free"):
        build_tokens(TEXTS, BYTES, tmp_path, say=quiet)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []
