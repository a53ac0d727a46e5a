"""Images as a source: every form in which they come, with labels and parts, and what can be read in two ways."""

import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError, RecipeError
from deepwright.data.detect import source_for
from deepwright.data.images import Images, claims
from deepwright.data.media import read_bytes
from deepwright.data.raw import Raw
from tests.data.pictures import InProcess, encoded, noise, pngs

TRAIN, VALIDATION, TEST = 0, 1, 2


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("deepwright.data.image_inspect.Pool", InProcess)


def put(root: Path, *names: str, first: int = 0) -> Path:
    """Different images under these names."""
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(noise(first + number, 24, 24)))
    return root


def read(path: Path | str, **options: Any) -> Raw:
    return Images(path=str(path), **options).read(None)


def labels(raw: Raw) -> list[str]:
    return raw.cells["label"].tolist()


def test_a_folder_per_class_gives_the_labels(tmp_path: Path):
    raw = read(put(tmp_path / "p", "cats/1.png", "cats/2.PNG", "dogs/1.png"))
    assert raw.names == ("image", "label") and raw.forms == {"image": "image"}
    assert labels(raw) == ["cats", "cats", "dogs"] and raw.part is None and raw.file_of is None
    assert raw.origin.tolist() == [1, 2, 3] and raw.files[0].rows == 3
    assert read_bytes(raw.cells["image"][2]) == (tmp_path / "p/dogs/1.png").read_bytes()


def test_folders_of_parts_above_the_classes_give_the_parts(tmp_path: Path):
    names = ("Train/a/1.png", "Train/b/1.png", "val/a/1.png", "test/b/1.png")
    raw = read(put(tmp_path / "p", *names))
    assert dict(zip(labels(raw), "abba", strict=False)) and raw.part is not None
    found = {cell.split("/p/")[1]: part for cell, part in zip(raw.cells["image"], raw.part.tolist(), strict=True)}
    assert found == dict(zip(names, (TRAIN, TRAIN, VALIDATION, TEST), strict=True))


def test_a_folder_that_holds_everything_is_passed_over(tmp_path: Path):
    assert labels(read(put(tmp_path / "p", "all/data/a/1.png", "all/data/b/1.png"))) == ["a", "b"]


def test_a_flat_folder_has_no_labels(tmp_path: Path):
    raw = read(put(tmp_path / "p", "1.png", "2.png"))
    assert raw.names == ("image",)
    assert read(put(tmp_path / "q", "a/1.png", "b/2.png"), layout="flat").names == ("image",)


@pytest.mark.parametrize(
    ("names", "words", "answers"),
    [
        (
            ("train/a/1.png", "extra/b/1.png"),
            ["--source.layout classes", "'extra'"],
            {"classes": ["extra/b", "train/a"]},
        ),
        (("a/x/1.png", "b/y/1.png"), ["--source.nested first"], {"first": ["a", "b"], "path": ["a/x", "b/y"]}),
    ],
)
def test_folders_that_can_be_read_in_two_ways_are_asked_about(tmp_path, names, words, answers):
    root = put(tmp_path / "p", *names)
    with pytest.raises(AskError) as caught:
        read(root)
    assert all(word in str(caught.value) for word in words)
    for answer, expected in answers.items():
        options = {"layout": answer, "nested": "path"} if answer == "classes" else {"nested": answer}
        assert labels(read(root, **options)) == expected


def test_a_folder_that_is_no_part_is_refused_where_parts_are_asked_for(tmp_path: Path):
    with pytest.raises(DataError, match=r"'extra' is no name of a part"):
        read(put(tmp_path / "p", "train/a/1.png", "extra/b/1.png"), layout="parts")


def test_what_is_no_image_is_left_out_and_counted(tmp_path: Path):
    root = put(tmp_path / "p", "a/1.png", "b/1.png", "a/.ipynb_checkpoints/1.png", "b/Thumbs.db", "b/noending")
    (root / "README.txt").write_text("by hand")
    raw = read(root)
    assert labels(raw) == ["a", "b", "b"], "an image without an ending is known by its first bytes"
    (note,) = (note for note in raw.notes if note.rule == "images_ignored")
    assert "3 files" in note.text and "README.txt" in note.text
    with pytest.raises(DataError, match=r"no images here .* and 1 other files"):
        (tmp_path / "none").mkdir()
        (tmp_path / "none" / "a.txt").write_text("a")
        read(tmp_path / "none")


def test_a_link_within_the_folder_is_followed_to_its_file(tmp_path: Path):
    root = put(tmp_path / "p", "a/1.png", "b/1.png")
    (root / "b" / "2.png").symlink_to("1.png")
    assert labels(read(root)) == ["a", "b", "b"]
    (root / "b" / "3.png").symlink_to("gone.png")
    with pytest.raises(DataError, match=r"3\.png is a link to .*gone\.png, which is missing or outside"):
        read(root)


def test_names_of_any_bytes_stand_as_text(tmp_path: Path):
    root = tmp_path / "p"
    for name, content in zip((b"a/1#2!3%.png", b"a/\xe9.png", b"b/1.png"), pngs(3, 24, 24), strict=True):
        path = root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    raw = read(root)
    for reference, content in zip(raw.cells["image"], pngs(3, 24, 24), strict=True):
        reference.encode("utf-8")
        assert read_bytes(reference) == content


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_is_as_the_folder_in_it(tmp_path: Path, kind: str):
    root = put(tmp_path / "p", "train/a/1.png", "train/b/1.png", "val/a/1.png")
    path = tmp_path / f"p.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(root.rglob("*.png")):
                archive.write(file, file.relative_to(root))
            archive.writestr("__MACOSX/train/a/._1.png", b"junk")
    else:
        with tarfile.open(path, "w:gz" if kind.endswith("gz") else "w") as archive:
            archive.add(root, arcname=".")
    raw, folder = read(path), read(root)
    assert labels(raw) == labels(folder) == ["a", "b", "a"]
    assert raw.part.tolist() == folder.part.tolist()
    assert raw.digests["image"].tolist() == folder.digests["image"].tolist()
    assert claims(path) == {"kind": "images", "path": str(path)}


def test_a_manifest_names_files_and_what_is_known_of_them(tmp_path: Path):
    root = put(tmp_path / "p", "1.png", "x/2.png")
    (root / "m.csv").write_text("file,label,age,set\n1.png,cat,3,train\nx/2.png,dog,4,test\n")
    raw = Images(manifest=str(root / "m.csv"), part="set").read("label")
    assert raw.names == ("file", "label", "age") and raw.forms["file"] == "image"
    assert labels(raw) == ["cat", "dog"] and raw.part.tolist() == [TRAIN, TEST]
    assert raw.cells["age"].tolist() == ["3", "4"]


def test_rows_of_a_manifest_that_cannot_be_read_are_counted(tmp_path: Path):
    root = put(tmp_path / "p", "1.png", "2.png", "3.png")
    (root / "m.csv").write_text("file,label\n1.png,cat\n2.png\n3.png,dog\n")
    raw = Images(manifest=str(root / "m.csv")).read("label")
    assert raw.rows_in == 3 and len(raw) == 2 and raw.origin.tolist() == [1, 3]
    assert [entry.rows for entry in raw.set_aside] == [(2,)] and raw.files[0].rows == 3


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "x/../../secret.png", "C:\\\\a.png"])
def test_a_manifest_leads_nowhere_else(tmp_path: Path, name: str):
    root = put(tmp_path / "p", "1.png")
    put(tmp_path, "secret.png")
    (root / "m.csv").write_text(f"file,label\n1.png,cat\n{name},dog\n")
    with pytest.raises(DataError, match=r"m\.csv, row 2: .* leads out of"):
        Images(manifest=str(root / "m.csv"), image="file").read("label")


def test_a_manifest_with_two_columns_of_names_is_asked_about_and_missing_files_are_set_aside(tmp_path: Path):
    root = put(tmp_path / "p", "1.png", "2.png")
    (root / "m.csv").write_text("left,right,label\n1.png,2.png,cat\n2.png,gone.png,dog\n")
    with pytest.raises(AskError, match=r"--source\.image left"):
        Images(manifest=str(root / "m.csv")).read("label")
    raw = Images(manifest=str(root / "m.csv"), image="right").read("label")
    assert len(raw) == 1 and raw.set_aside[0].rows == (2,) and "No such file" in raw.set_aside[0].reason
    (root / "n.csv").write_text("file,label,set\n1.png,cat,sometimes\n")
    with pytest.raises(DataError, match="holds 'sometimes'"):
        Images(manifest=str(root / "n.csv"), part="set").read("label")


def parquet(path: Path, rows: list[bytes | None], nested: bool = False, **columns: Any) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = [{"bytes": row, "path": "x"} for row in rows] if nested else rows
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"image": values, **columns}), path, row_group_size=2)
    return path


@pytest.mark.parametrize("nested", [False, True])
def test_images_inside_parquet_stay_references_with_their_columns(tmp_path: Path, nested: bool):
    images = pngs(5, 24, 24)
    parquet(tmp_path / "p/train.parquet", images[:3], nested, label=[0, 1, 0])
    parquet(tmp_path / "p/test.parquet", images[3:], nested, label=[1, 0])
    raw = read(tmp_path / "p")
    assert raw.part.tolist() == [TEST, TEST, TRAIN, TRAIN, TRAIN] and raw.file_of.tolist() == [0, 0, 1, 1, 1]
    assert raw.origin.tolist() == [1, 2, 1, 2, 3] and labels(raw) == ["1", "0", "0", "1", "0"]
    assert [read_bytes(reference) for reference in raw.cells["image"]] == [*images[3:], *images[:3]]
    typed = read(tmp_path / "p", types=("label=category",), missing=("1",))
    assert typed.options.types == ("label=category",) and typed.options.missing == ("1",)
    assert [file.rows for file in raw.files] == [2, 3] and raw.forms["label"] == "number"
    assert source_for(str(tmp_path / "p"))["kind"] == "images"


def test_an_empty_value_in_parquet_is_set_aside_and_two_columns_are_asked_about(tmp_path: Path):
    raw = read(parquet(tmp_path / "a.parquet", [pngs(1, 24, 24)[0], None]))
    assert len(raw) == 1 and raw.set_aside[0].reason.startswith("the file is empty")
    two = parquet(tmp_path / "b.parquet", pngs(2, 24, 24), mask=pngs(2, 24, 24)[::-1])
    with pytest.raises(AskError, match=r"image, mask\. Add --source\.image image"):
        read(two)
    assert "mask" in next(note.text for note in read(two, image="image").notes if note.rule == "images_other_column")
    parquet(tmp_path / "d/x.parquet", pngs(1, 24, 24), label=[1])
    parquet(tmp_path / "d/y.parquet", pngs(1, 24, 24), other=[1])
    with pytest.raises(DataError, match=r"y\.parquet: columns other beside the images, and .*x\.parquet has label"):
        read(tmp_path / "d")


def idx(path: Path, array: np.ndarray) -> None:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = head + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def pixels(num: int, *shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (num, *shape), dtype=np.uint8)


def test_idx_pairs_under_their_usual_names_are_the_two_parts(tmp_path: Path):
    train, test = pixels(3, 28, 28), pixels(2, 28, 28, seed=1)
    idx(tmp_path / "train-images-idx3-ubyte.gz", train)
    idx(tmp_path / "train-labels-idx1-ubyte.gz", np.array([7, 1, 7], np.uint8))
    idx(tmp_path / "t10k-images-idx3-ubyte", test)
    idx(tmp_path / "t10k-labels-idx1-ubyte", np.array([1, 7], np.uint8))
    raw = read(tmp_path)
    assert raw.part.tolist() == [TEST] * 2 + [TRAIN] * 3 and labels(raw) == ["1", "7", "7", "1", "7"]
    assert read_bytes(raw.cells["image"][2]) == b"P5 28 28 255\n" + train[0].tobytes()
    idx(tmp_path / "t10k-labels-idx1-ubyte", np.array([1], np.uint8))
    with pytest.raises(DataError, match=r"labels of shape \(1,\), and .*t10k-images-idx3-ubyte holds 2 images"):
        read(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="its labels are not beside it"):
        read(tmp_path)


@pytest.mark.parametrize("shape", [(12, 10), (12, 10, 1), (12, 10, 3), (12, 10, 4), (3, 12, 10)])
def test_arrays_of_any_channels_decode_to_their_pixels(tmp_path: Path, shape: tuple[int, ...]):
    from PIL import Image

    array = pixels(4, *shape)
    np.savez(tmp_path / "a.npz", x_train=array[:3], y_train=np.array([0, 1, 1]), x_test=array[3:], y_test=[[0]])
    raw = read(tmp_path / "a.npz")
    assert raw.part.tolist() == [TRAIN] * 3 + [TEST] and labels(raw) == ["0", "1", "1", "0"]
    last = array if shape[0] == 12 else array.transpose(0, 2, 3, 1)
    for reference, expected in zip(raw.cells["image"], last, strict=True):
        found = np.asarray(Image.open(io.BytesIO(read_bytes(reference))))
        assert (found.reshape(expected.shape) == expected).all()


def test_arrays_that_may_all_be_images_are_asked_about_and_deep_ones_too(tmp_path: Path):
    np.savez(tmp_path / "a.npz", left=pixels(2, 12, 12), right=pixels(2, 12, 12, seed=1))
    with pytest.raises(AskError, match=r"--source\.image left"):
        read(tmp_path / "a.npz")
    assert len(read(tmp_path / "a.npz", image="right")) == 2
    np.savez(tmp_path / "b.npz", x=np.linspace(0, 1, 288).reshape(2, 12, 12), y=[0, 1])
    with pytest.raises(AskError, match=r"go from 0 to 1\. .*--source\.levels 0,1"):
        read(tmp_path / "b.npz")
    assert len(read(tmp_path / "b.npz", levels=(0, 1))) == 2
    with pytest.raises(RecipeError, match="takes two numbers that rise"):
        Images(path="a", levels=(1, 0))


def test_parts_of_ones_own_are_joined_as_such(tmp_path: Path):
    put(tmp_path / "p", "a/1.png", "b/1.png")
    put(tmp_path / "t", "a/1.png", "b/1.png", first=9)
    put(tmp_path / "v", "a/1.png", first=19)
    raw = read(tmp_path / "p", test=str(tmp_path / "t"), validation=str(tmp_path / "v"))
    assert raw.part.tolist() == [-1, -1, VALIDATION, TEST, TEST] and labels(raw) == ["a", "b", "a", "a", "b"]
    assert len({file.sha256 for file in raw.files}) == 3 and raw.origin.tolist() == [1, 2, 1, 1, 2]


def test_a_folder_of_tables_or_texts_is_not_claimed(tmp_path: Path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert claims(tmp_path) is None and claims(tmp_path / "a.csv") is None
    parquet(tmp_path / "q" / "t.parquet", [b"no image"])
    assert claims(tmp_path / "q" / "t.parquet") is None and claims(tmp_path / "missing") is None
