"""What a collection of images shows: each finding names its images, and a clean collection has none to look at."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deepwright.data.images import Images
from tests.data.pictures import InProcess, encoded, noise
from tests.data.test_image_alike import scene


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("deepwright.data.image_inspect.Pool", InProcess)


def told(tmp_path: Path, more: dict[str, bytes], target: str | None = None, parts: bool = False) -> dict[str, Any]:
    """rule > finding of twenty scenes and these further files."""
    root = tmp_path / "p"
    files = {f"{'train/' if parts else ''}{'ab'[seed % 2]}/{seed:02d}.png": encoded(scene(seed)) for seed in range(20)}
    for name, content in {**files, **more}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return {note.rule: note for note in Images(path=str(root)).read(target).notes}


def test_a_clean_collection_has_notes_alone(tmp_path: Path):
    found = told(tmp_path, {})
    assert set(found) == {"images_one_size"}
    assert found["images_one_size"].text == "All 20 images are 160 x 120 pixels."


def test_giants_among_small_images_are_named(tmp_path: Path):
    found = told(tmp_path, {"a/giant.png": encoded(scene(50).resize((600, 600)))})
    assert found["images_far_size"].severity == "warning"
    assert (
        "1 of 21 images" in found["images_far_size"].text and "a/giant.png (600 x 600)" in found["images_far_size"].text
    )


def test_an_image_somewhat_larger_is_not_named(tmp_path: Path):
    found = told(tmp_path, {"a/large.png": encoded(scene(50).resize((240, 180)))})
    assert "images_far_size" not in found and "160 to 240 pixels wide" in found["images_sizes"].text


def test_a_placeholder_of_another_kind_is_named(tmp_path: Path):
    found = told(tmp_path, {"a/not_found.gif": encoded(scene(50).convert("P"), "GIF")})
    assert "a/not_found.gif (GIF, P)" in found["images_odd_kind"].text


def test_an_image_of_one_colour_is_named(tmp_path: Path):
    found = told(tmp_path, {"a/blank.png": encoded(Image.new("RGB", (160, 120), (9, 9, 9)))})
    assert (
        "1 images show one colour" in found["images_one_colour"].text
        and "a/blank.png" in found["images_one_colour"].text
    )


def test_repeated_images_are_named_with_their_copies(tmp_path: Path):
    found = told(tmp_path, {"a/copy.bmp": encoded(scene(4), "BMP")})
    assert "a/04.png = a/copy.bmp" in found["images_repeated"].text and "images_in_two_parts" not in found


def test_copies_and_near_copies_in_two_parts_are_told(tmp_path: Path):
    more = {"test/a/1.png": encoded(scene(4)), "test/b/2.png": encoded(scene(5).resize((80, 60)))}
    found = told(tmp_path, more, parts=True)
    assert "train/a/04.png (train) = test/a/1.png (test)" in found["images_in_two_parts"].text
    assert "1 of them stand in two parts: train/b/05.png (train) = test/b/2.png (test)" in found["images_near"].text


@pytest.mark.parametrize(("copies", "is_test"), [(1, True), (2, False)])
def test_a_test_part_of_copies_is_no_test(tmp_path: Path, copies: int, is_test: bool):
    more = {f"test/a/{n}.png": encoded(scene(n if n < copies else 100 + n)) for n in range(5)}
    found = told(tmp_path, more, parts=True)
    assert ("overlap" not in found) is is_test
    if not is_test:
        assert found["overlap"].severity == "blocking" and "2 of 5" in found["overlap"].text


def test_rows_of_a_file_are_named_by_file_and_number(tmp_path: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    images = [encoded(scene(seed)) for seed in (1, 2, 1)]
    pq.write_table(pa.table({"image": images}), tmp_path / "t.parquet")
    (note,) = (n for n in Images(path=str(tmp_path / "t.parquet")).read(None).notes if n.rule == "images_repeated")
    assert "t.parquet#0 = t.parquet#2" in note.text


def test_of_a_test_part_no_label_is_looked_at(tmp_path: Path):
    root = tmp_path / "p"
    told(tmp_path, {"test/b/1.png": encoded(scene(4))}, parts=True)
    raw = Images(path=str(root)).read(None)
    assert raw.set_aside == () and len(raw) == 21


def test_conflicts_are_of_the_column_that_is_predicted(tmp_path: Path):
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(encoded(noise(1)))
    (tmp_path / "m.csv").write_text("file,label,other\n0.png,a,x\n1.png,b,x\n")
    source = Images(manifest=str(tmp_path / "m.csv"))
    assert len(source.read("other")) == 2 and len(source.read("label")) == 0
    assert "conflicting label" in source.read("label").set_aside[0].reason


def test_images_that_all_look_alike_are_not_told_apart(tmp_path: Path):
    pieces = {f"a/n{n}.png": encoded(scene(99).resize((100 + n, 90))) for n in range(200)}
    found = told(tmp_path, pieces)
    assert "images_near" not in found and "The 220 images are too much alike" in found["images_alike"].text


def test_the_same_labels_in_another_order_are_no_conflict(tmp_path: Path):
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(encoded(noise(1 + number // 2)))
    (tmp_path / "m.csv").write_text("file,label\n0.png,red|blue\n1.png,blue | red\n2.png,red\n")
    assert len(Images(manifest=str(tmp_path / "m.csv")).read("label")) == 3
