"""The store of series: what goes in comes out, and a changed bit is refused."""

from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError, ResourceError
from deepwright.data import series_store
from deepwright.data.series_store import open_series, prepared_series, store_bytes, write_series
from deepwright.data.windows import windows

SERIES = [np.array([[1.5, 2.0], [np.nan, 3.0]]), np.zeros((0, 2)), np.array([[4.0, 1e300]])]


def test_series_come_back_with_their_lengths_and_names(tmp_path: Path):
    store = write_series(iter(SERIES), tmp_path / "s", ("load", "price"))
    assert (len(store), store.lengths.tolist(), store.names) == (3, [2, 0, 1], ("load", "price"))
    np.testing.assert_array_equal(store[0], SERIES[0].astype(np.float32))
    assert store[2].tolist() == [[4.0, np.float32(3e38)]] and store[1].shape == (0, 2)
    assert isinstance(store.values, np.memmap) and not store.values.flags.writeable


def test_windows_are_views_of_the_file(tmp_path: Path):
    store = write_series([np.arange(20.0).reshape(10, 2)], tmp_path / "s", ("a", "b"))
    assert np.shares_memory(windows(store.values, store.offsets, length=3).view, store.values)


@pytest.mark.parametrize("name", ["values.f32", "offsets.i64", "series.json"])
def test_any_changed_bit_is_refused(tmp_path: Path, name: str):
    write_series(SERIES, tmp_path / "s", ("a", "b"))
    content = bytearray((tmp_path / "s" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "s" / name).write_bytes(content)
    with pytest.raises(DataError, match="is not as it was written"):
        open_series(tmp_path / "s")


@pytest.mark.parametrize(
    ("series", "says"),
    [
        ([], "nothing to write"),
        ([np.zeros((3, 1))], "moments by 2 dimensions"),
        ([np.zeros(3)], "numbers of two axes"),
        ([np.array([["x", "y"]])], "numbers of two axes"),
        ([np.array([[1.0, np.inf]])], "series 0 holds infinity"),
    ],
)
def test_what_is_no_series_is_refused_and_nothing_stays(tmp_path: Path, series: list, says: str):
    with pytest.raises(DataError, match=says):
        write_series(series, tmp_path / "s", ("a", "b"))
    assert list(tmp_path.iterdir()) == []


def prepare(root: Path, made_of: object = ("sha", 1), said: list | None = None, made: list | None = None):
    def make():
        if made is not None:
            made.append(1)
        return SERIES

    say = (said if said is not None else []).append
    return prepared_series(root, list(made_of), lengths=[2, 0, 1], names=("a", "b"), make=make, say=say)  # type: ignore[call-overload]


def test_equal_data_are_prepared_once_under_one_address_and_the_size_is_said_first(tmp_path: Path):
    said: list[str] = []
    made: list[int] = []
    first = prepare(tmp_path, said=said, made=made)
    again = prepare(tmp_path, said=said, made=made)
    assert again.folder == first.folder and made == [1]
    assert len(said) == 1 and "3 series" in said[0] and "MB" in said[0]
    assert prepare(tmp_path, ("sha", 2)).folder != first.folder
    assert sum(file.stat().st_size for file in first.folder.iterdir() if file.suffix != ".json") == store_bytes(3, 2, 3)


def test_a_disk_without_room_is_told_before_anything_is_written(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(series_store.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(ResourceError):
        prepare(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_written_anew(tmp_path: Path):
    (tmp_path / ".s.part").mkdir()
    (tmp_path / ".s.part" / "values.f32").write_bytes(b"torn")
    assert len(write_series(SERIES, tmp_path / "s", ("a", "b"))) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
