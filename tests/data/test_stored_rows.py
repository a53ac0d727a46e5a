"""Stored rows: written once, whole or not at all, and every epoch has every row once."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError, ResourceError
from deepwright.data import stored_rows
from deepwright.data.stored_rows import StoredRows, open_rows, store_rows

ROWS = 203


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_rows, "BLOCK_ROWS", 16)
    monkeypatch.setattr(stored_rows, "POOL_BLOCKS", 4)


def parts(rows: int = ROWS):
    numbers = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    for start in range(0, rows, 50):
        here = slice(start, start + 50)
        yield {"numbers": numbers[here], "codes": np.arange(rows)[here, None]}, np.arange(rows)[here]


def stored(folder: Path) -> StoredRows:
    return store_rows(parts(), folder / "tensors", num_rows=ROWS)


def drawn(rows: StoredRows, **place: int) -> list[list[int]]:
    found = []
    for numbers, codes, target in rows.batches(10).epoch(**place):
        assert (numbers[:, 0] == 2 * target).all() and (codes[:, 0] == target).all()
        found.append(target.tolist())
    return found


def flat(epoch: list[list[int]]) -> list[int]:
    return [row for batch in epoch for row in batch]


def test_every_epoch_has_every_row_once_in_an_order_of_its_own(tmp_path: Path):
    rows = stored(tmp_path)
    first, again, second = drawn(rows, seed=0, epoch=1), drawn(rows, seed=0, epoch=1), drawn(rows, seed=0, epoch=2)
    assert first == again != second
    assert drawn(rows, seed=1, epoch=1) != first
    for epoch in (first, second):
        assert sorted(flat(epoch)) == list(range(ROWS))
        assert len(epoch) == len(rows.batches(10))
        assert min(map(len, epoch)) > 1
    assert np.corrcoef(flat(first), np.arange(ROWS))[0, 1] < 0.5  # the control: in order it is 1


def test_an_epoch_can_begin_at_any_batch(tmp_path: Path):
    rows = stored(tmp_path)
    whole = drawn(rows, seed=3, epoch=0)
    for start in (1, 7, len(whole) - 1):
        assert drawn(rows, seed=3, epoch=0, start=start) == whole[start:]


def test_what_stands_whole_is_opened_and_not_written_again(tmp_path: Path):
    (tmp_path / ".tensors.part").mkdir()
    (tmp_path / ".tensors.part" / "0.bin").write_bytes(b"what a killed process left")
    first = stored(tmp_path)
    again = store_rows(iter(()), tmp_path / "tensors", num_rows=ROWS)
    assert again.batches(10).fingerprint() == first.batches(10).fingerprint() != first.batches(11).fingerprint()
    assert not (tmp_path / ".tensors.part").exists()
    assert len(first) == ROWS and first.inputs["numbers"].shape == (ROWS, 2)


def test_a_killed_writing_leaves_nothing_that_is_taken_for_whole(tmp_path: Path):
    def dying():
        yield next(parts())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_rows(dying(), tmp_path / "tensors", num_rows=ROWS)
    assert not (tmp_path / "tensors").exists()
    assert len(stored(tmp_path)) == ROWS


def test_a_changed_byte_is_refused(tmp_path: Path):
    stored(tmp_path)
    path = tmp_path / "tensors" / "0.bin"
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"0\.bin: its bytes are not those that were written"):
        open_rows(tmp_path / "tensors")


def test_a_disk_that_is_too_small_is_told_after_the_first_part(tmp_path: Path):
    with pytest.raises(ResourceError, match="the disk is full"):
        store_rows(parts(), tmp_path / "tensors", num_rows=10**15)
    assert not (tmp_path / "tensors").exists()


def test_no_rows_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match="no training row is left"):
        store_rows(iter(()), tmp_path / "tensors", num_rows=0)
