"""Files of weights: tensors come out, nothing in a file is run, and what is damaged is refused with what is wrong."""

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from deepwright.core.errors import DataError
from deepwright.model import weight_reader
from deepwright.model.weight_file import read_weights

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.float16)}


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (os.mkdir, (self.path,))


def test_safetensors_give_float32_a_hash_and_a_licence(tmp_path: Path):
    path = tmp_path / "w.safetensors"
    save_file({**TENSORS, "bn.num_batches_tracked": torch.tensor(3)}, path, metadata={"License": "BSD-3-Clause"})
    found = read_weights(path)
    assert found.tensors.keys() == TENSORS.keys() and found.tensors["b"].dtype is torch.float32
    assert torch.equal(found.tensors["a.weight"], TENSORS["a.weight"])
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() and found.licence == "BSD-3-Clause"


@pytest.mark.parametrize("zipped", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["zip", "legacy"])
def test_a_file_of_torch_is_read_in_a_process_of_its_own(tmp_path: Path, zipped: bool):
    path = tmp_path / "w.pth"
    shared = torch.arange(4.0)
    torch.save(
        {"epoch": 3, "state_dict": {**TENSORS, "c": shared, "d": shared}}, path, _use_new_zipfile_serialization=zipped
    )
    found = read_weights(path)
    assert found.tensors.keys() == {*TENSORS, "c", "d"} and torch.equal(found.tensors["d"], shared)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() and found.licence is None


def test_nothing_in_a_strangers_file_is_run(tmp_path: Path):
    path, made = tmp_path / "w.pth", tmp_path / "made"
    torch.save({"a": Evil(made), "b": torch.zeros(2)}, path)
    with pytest.raises(DataError) as caught:
        read_weights(path)
    assert str(caught.value).startswith(
        f"--from {path}: the weights cannot be read safely: UnpicklingError: Weights only load failed."
    )
    assert str(caught.value).endswith(
        "Nothing in the file was run. Get the file anew from its publisher, best as .safetensors."
    )
    assert not made.exists()
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        content = next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))

    class Unrestricted(pickle.Unpickler):
        def persistent_load(self, saved: object) -> object:
            return saved

    with pytest.raises(AttributeError):  # tensors are not rebuilt of what stands for them here
        Unrestricted(io.BytesIO(content)).load()
    assert made.exists(), "the control: a plain reader does run it"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": torch.zeros(2), "lr": 0.1}, "entry 'lr' is no tensor"),
        ({}, "it is empty"),
        ([torch.zeros(2)], "it holds a list, no mapping of names to tensors"),
        ({"model": {"a": {"b": torch.zeros(1)}}}, "entry 'a' is no tensor"),
    ],
)
def test_anything_but_named_tensors_is_refused(value: object, words: str):
    with pytest.raises(ValueError, match=f"^{words}$"):
        weight_reader.tensors_of(value)


def test_a_compressed_file_is_refused_before_it_is_read(tmp_path: Path):
    plain, packed = tmp_path / "a.pth", tmp_path / "w.pth"
    torch.save({"a": torch.zeros(1_000_000)}, plain)
    with zipfile.ZipFile(plain) as archive, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        for name in archive.namelist():
            bomb.writestr(name, archive.read(name))
    assert packed.stat().st_size < 20_000
    with pytest.raises(ValueError, match="is compressed"):
        weight_reader._require_stored(packed.read_bytes())
    weight_reader._require_stored(plain.read_bytes())


def test_the_process_may_not_write_without_bound(tmp_path: Path):
    code = (
        "import resource; from deepwright.model.weight_reader import _limit; _limit(1000); "
        "print([resource.getrlimit(r)[0] for r in (resource.RLIMIT_FSIZE, resource.RLIMIT_CPU)], "
        "resource.getrlimit(resource.RLIMIT_DATA)[0] < 1 << 36)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"[{2000 + (1 << 20)}, 600] True"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it has no header"),
        (b"\x08\0\0\0\0\0\0\0{}      x", "its tensors end at byte"),
        (b"PK\x03\x04" * 9, "it has no header"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_weights(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, bad: float):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.tensor([1.0, bad])}, path)
    with pytest.raises(DataError, match=r"tensor 'a' holds a(n infinite weight| weight that is not a number)"):
        read_weights(path)


def test_what_is_no_file_of_weights_is_refused(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        read_weights(tmp_path / "w.onnx")
    assert str(caught.value) == (
        f"--from {tmp_path / 'w.onnx'}: neither a bundle nor a run, and no file of weights by its name; "
        "files may end in .safetensors .pth .pt."
    )
    os.mkfifo(tmp_path / "w.pth")
    for name in ("w.pth", "gone.pth"):
        with pytest.raises(DataError, match="there is no bundle, no run and no regular file of that name"):
            read_weights(tmp_path / name)


def test_an_error_without_words_is_told_by_its_kind(tmp_path, monkeypatch, capsys):
    def fails(loaded):
        raise MemoryError

    source = tmp_path / "a.pth"
    torch.save({"w": torch.ones(2)}, source)
    monkeypatch.setattr(weight_reader, "tensors_of", fails)
    monkeypatch.setattr(weight_reader, "_limit", lambda num_bytes: None)  # of this very process
    monkeypatch.setattr("sys.argv", ["weight_reader", str(source), str(tmp_path / "b.safetensors")])
    assert weight_reader.main() == 3
    assert json.loads(capsys.readouterr().out) == {"why": "MemoryError"}
