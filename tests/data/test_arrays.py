"""Array files: heads before values, every value exact, nothing unpickled and nothing larger than it says."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deepwright.core.errors import DataError, ResourceError
from deepwright.data.arrays import array_heads, array_of, is_array_file, read_array

PIXELS = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def idx(array: np.ndarray, code: int = 0x08) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def npy(array: np.ndarray) -> bytes:
    sink = io.BytesIO()
    np.save(sink, array, allow_pickle=array.dtype.hasobject)
    return sink.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        PIXELS,
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.array([1.5, np.nan], ">f4"),
        np.array(["a", "文"]),
        np.array(["2024-01-02"], "M8[D]"),
        np.zeros((0, 3)),
    ],
    ids=lambda array: str(array.dtype),
)
def test_an_npy_file_is_read_exactly(tmp_path, array):
    path = tmp_path / "t.npy"
    path.write_bytes(npy(array))
    assert is_array_file(path)
    assert array_heads(path)[""].shape == array.shape
    for found in (read_array(path), array_of(path.read_bytes(), path)):
        assert found.dtype.isnative
        assert np.array_equal(found, array, equal_nan=array.dtype.kind == "f")
        assert not found.flags.writeable


def test_an_npz_file_has_its_arrays_by_name(tmp_path):
    path = tmp_path / "t.npz"
    np.savez_compressed(path, X=PIXELS, y=np.array([0, 1]))
    assert is_array_file(path)
    assert {name: head.shape for name, head in array_heads(path).items()} == {"X": (2, 3, 4), "y": (2,)}
    assert np.array_equal(read_array(path, "X"), PIXELS)
    with pytest.raises(DataError, match=r"no array 'Y'.* X, y"):
        read_array(path, "Y")


@pytest.mark.parametrize("name", ["t-idx3-ubyte", "t-idx3-ubyte.gz"])
def test_an_idx_file_is_read_exactly_gzipped_or_not(tmp_path, name):
    path = tmp_path / name
    data = idx(PIXELS)
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert is_array_file(path)
    assert array_heads(path)[""].shape == (2, 3, 4)
    assert np.array_equal(read_array(path), PIXELS)


def test_idx_numbers_of_several_bytes_are_turned_to_this_machines_order(tmp_path):
    path = tmp_path / "t.idx"
    path.write_bytes(idx(np.array([1, -2, 70_000], ">i4"), 0x0C))
    assert read_array(path).tolist() == [1, -2, 70_000]


def test_a_table_is_no_array_file(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n")
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.npy", npy(PIXELS))
        archive.writestr("a.csv", "a,b\n")
    assert not is_array_file(tmp_path / "t.csv")
    assert not is_array_file(tmp_path / "t.zip")
    with pytest.raises(DataError, match=r"member 'a\.csv' is no array"):
        array_heads(tmp_path / "t.zip")


@pytest.mark.parametrize("name", ["t.npy", "t.npz"])
def test_pickled_objects_are_refused(tmp_path, name):
    path = tmp_path / name
    array = np.array([{"a": 1}], dtype=object)
    path.write_bytes(npy(array)) if name == "t.npy" else np.savez(path, a=array, allow_pickle=True)
    with pytest.raises(DataError, match="holds Python objects"):
        read_array(path, "a" if name == "t.npz" else "")
    with pytest.raises(DataError, match="holds Python objects"):
        array_heads(path)


@pytest.mark.parametrize("array", [np.zeros(2, complex), np.zeros(2, [("a", "f4")]), np.array([b"x"])])
def test_values_that_are_no_cells_are_refused(array):
    with pytest.raises(DataError, match="values of type"):
        array_of(npy(array), "t.npy")


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: data[:20]])
@pytest.mark.parametrize("write", [npy, idx])
def test_a_file_that_is_cut_or_goes_on_is_refused(tmp_path, write, change):
    data = change(write(PIXELS))
    path = tmp_path / "t"
    path.write_bytes(data)
    with pytest.raises(DataError, match="cannot be read"):
        read_array(path)
    with pytest.raises(DataError, match="cannot be read"):
        array_of(data, "t")
    (tmp_path / "t.gz").write_bytes(gzip.compress(data))
    with pytest.raises(DataError, match="cannot be read"):
        read_array(tmp_path / "t.gz")


def test_a_head_that_claims_terabytes_takes_no_memory(tmp_path):
    data = bytes([0, 0, 0x08, 3]) + struct.pack(">3I", 60_000, 60_000, 60_000)
    (tmp_path / "t.gz").write_bytes(gzip.compress(data))
    with pytest.raises(DataError, match="as no honest table does"):
        read_array(tmp_path / "t.gz")


def test_an_array_larger_than_the_free_memory_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(idx(np.random.default_rng(0).integers(0, 255, (100, 1000), np.uint8))))
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 50_000}))
    with pytest.raises(ResourceError, match="takes about"):
        read_array(path)


def test_an_npz_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path: Path = tmp_path / "t.npz"
    np.savez_compressed(path, a=np.zeros(70 << 20, np.uint8))
    assert path.stat().st_size < 200_000
    with pytest.raises(DataError, match="as no honest archive does"):
        array_heads(path)
