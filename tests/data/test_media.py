"""References: each form is read, and what is there no more, or never was, is told."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError
from deepwright.data import media
from deepwright.data.media import Media, escaped, member_reference, read_bytes, row_reference, unescaped


@pytest.mark.parametrize(
    "name", ["plain.jpg", "a!b#c%d.jpg", "caf\u00e9 \u6570.jpg", os.fsdecode(b"\xff\xe9"), "a\x07b"]
)
def test_a_name_comes_back_from_its_reference(name: str):
    assert unescaped(escaped(name)) == name
    assert not set("!#") & set(escaped(name)) and escaped(name).encode("utf-8")


def test_members_of_two_archives_are_read_in_turn(tmp_path: Path):
    for name in ("a!1.zip", "b.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("x#1.jpg", name)
    references = [member_reference(tmp_path / name, "x#1.jpg") for name in ("a!1.zip", "b.zip", "a!1.zip")]
    with Media() as opened:
        assert [opened.read(reference) for reference in references] == [b"a!1.zip", b"b.zip", b"a!1.zip"]
    with pytest.raises(DataError, match="gone"):
        read_bytes(member_reference(tmp_path / "b.zip", "gone"))


def test_rows_of_any_group_are_read_and_one_that_is_not_there_is_told(tmp_path: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = [bytes([65 + row]) for row in range(7)]
    pq.write_table(pa.table({"a#b": values}), tmp_path / "t.parquet", row_group_size=3)
    with Media() as opened:
        for row in (0, 6, 2, 3):
            assert opened.read(row_reference(tmp_path / "t.parquet", "a#b", row)) == values[row]
    with pytest.raises(DataError, match=r"t\.parquet#a%23b#7: the file has no such row"):
        read_bytes(row_reference(tmp_path / "t.parquet", "a#b", 7))
    np.save(tmp_path / "a.npy", np.zeros((2, 9, 9), np.uint8))
    with pytest.raises(DataError, match="has no such row"):
        read_bytes(row_reference(tmp_path / "a.npy", "", 2))


@pytest.mark.parametrize("reference", ["a%zz.jpg", "t.parquet#image", "t.parquet#image#x", "a#b#c#1", "100%.jpg"])
def test_what_is_no_reference_is_refused(reference: str):
    with pytest.raises(DataError, match="no reference to an image or a series"):
        read_bytes(reference)


def test_a_pipe_a_folder_a_missing_and_a_huge_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_bytes(b"12345")
    monkeypatch.setattr(media, "MAX_BYTES", 4)
    for name, words in (
        ("pipe", "no regular file"), (".", "no regular file"), ("gone", "cannot be read"), ("huge", "at most 4"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=words):
            read_bytes(str(tmp_path / name))
