"""An exported image model: the graph takes pixels, and what is exported makes them of files as the bundle does."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from deepwright.core.bundle import Bundle
from deepwright.core.errors import RuleError
from deepwright.deploy.targets import onnx as target
from deepwright.deploy.targets.onnx import Onnx, onnx_model
from deepwright.deploy.targets.onnx_client import Model
from tests.data.pictures import encoded, noise
from tests.deploy.test_images import bundle


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(noise(3), "JPEG", exif=exif)


def files() -> list[bytes]:
    clear = noise(4).convert("RGBA")
    clear.putalpha(noise(5).convert("L"))
    wide = noise(6).resize((90, 31))
    return [encoded(noise(0), "JPEG"), turned(), encoded(clear), encoded(wide), encoded(noise(2).convert("L"), "BMP")]


@pytest.mark.parametrize("in_graph", [False, True])
def test_the_exported_folder_alone_answers_files_as_the_bundle_does(tmp_path: Path, in_graph: bool):
    model = bundle(tmp_path / "bundle", in_graph)
    exported = Onnx().export(model, tmp_path / "out")
    assert [file.name for file in exported] == ["model.onnx", "client.py", "README.md", "pixels.py"]
    rows = [{"photo": b64encode(file).decode()} for file in files()]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    command = [sys.executable, "-W", "error", "-I", tmp_path / "out" / "client.py", tmp_path / "rows.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert not any("deepwright." in file.read_text("utf-8") for file in exported if file.suffix == ".py")
    expected = model.predict(rows)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["label"] for answer in answers] == expected.label.tolist()
    found = np.array([list(answer["probability"].values()) for answer in answers])
    np.testing.assert_allclose(found, expected.probability, atol=1e-6)
    as_bytes = Model(exported[0]).predict([{"photo": file} for file in files()])
    assert [list(answer["probability"].values()) for answer in as_bytes] == found.tolist()


def test_the_graph_begins_at_pixels_and_the_page_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = bundle(tmp_path / "bundle", in_graph=True)
    (given,) = onnx_model(model).graph.input
    assert given.name == "photo" and given.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    files = Onnx().export(model, tmp_path / "out")
    printed, page = capsys.readouterr().out, files[2].read_text(encoding="utf-8")
    assert "images as pixels" in printed and printed.strip() in page
    assert "- `photo`: uint8 [N, 12, 12, 3]" in page and "pip install numpy onnxruntime pillow" in page
    assert "On 64 rows" in page


def test_other_pixels_than_the_bundles_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model = bundle(tmp_path / "bundle", in_graph=True)
    sound = target.onnx_model

    def faulty(given: Bundle) -> onnx.ModelProto:
        """The mean of a channel is a grey level off."""
        made = sound(given)
        for constant in made.graph.initializer:
            value = onnx.numpy_helper.to_array(constant)
            if value.dtype == np.float32 and 124.0 in value:
                constant.CopyFrom(onnx.numpy_helper.from_array(value + np.float32(1), constant.name))
        return made

    monkeypatch.setattr(target, "onnx_model", faulty)
    with pytest.raises(RuleError, match="differ from the bundle's"):
        Onnx().export(model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"<html>", "cannot identify"),
        (encoded(Image.fromarray(np.zeros((9, 9), np.uint16))), "levels of black and white"),
    ],
)
def test_what_is_no_plain_image_is_an_error(tmp_path: Path, file: bytes, words: str):
    Onnx().export(bundle(tmp_path / "bundle", in_graph=True), tmp_path / "out")
    with pytest.raises((ValueError, OSError), match=words):
        Model(tmp_path / "out" / "model.onnx").predict([{"photo": file}])
