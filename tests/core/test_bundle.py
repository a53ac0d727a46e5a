"""The bundle: what was written is what is loaded, and anything else is refused in one sentence."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepwright.core import bundle as bundle_module
from deepwright.core.bundle import FILES, Bundle, attach_report, manifest_bytes, read_manifest, write_bundle
from deepwright.core.dataset import Dataset
from deepwright.core.disk import sha256_file
from deepwright.core.errors import BundleError, DataError
from deepwright.core.operations import Linear
from tests.core.conftest import SCHEMA, answering_graph

ROWS = [{"age": 30, "job": "cook"}, {"age": None, "job": "baker"}, {"age": 200.5, "job": None}]


def refusal(folder: Path) -> str:
    """The sentence that refuses the bundle, after its folder's path."""
    with pytest.raises(BundleError) as caught:
        Bundle.load(folder)
    assert caught.value.exit_code == 3
    message = str(caught.value)
    assert message.startswith(str(folder))
    return message.removeprefix(str(folder))


def remake_manifest(folder: Path) -> None:
    """What an attacker does after a change: a manifest that fits."""
    names = sorted(p.name for p in folder.iterdir() if p.name != "manifest.json")
    listing = {n: {"bytes": (folder / n).stat().st_size, "sha256": sha256_file(folder / n)} for n in names}
    (folder / "manifest.json").write_bytes(manifest_bytes(listing))


def edit_json(folder: Path, name: str, change: Callable[[Any], object]) -> None:
    value = json.loads((folder / name).read_text())
    change(value)
    (folder / name).write_text(json.dumps(value))
    remake_manifest(folder)


def test_a_bundle_holds_the_listed_files_and_no_other(bundle: Bundle):
    assert {p.name for p in bundle.folder.iterdir()} == FILES | {"manifest.json"}
    assert {p.stat().st_mode & 0o111 for p in bundle.folder.iterdir()} == {0}


def test_a_loaded_bundle_answers_as_the_operations_and_the_graph_do(bundle: Bundle, contents: dict[str, Any]):
    answers = Bundle.load(bundle.folder).predict(ROWS)
    assert answers.probability is not None
    scores = np.array([[0.5 * (30 - 38) / 12 + 0.3 + 0.1, -0.5 * (30 - 38) / 12 - 0.4 - 0.1], [0.1, -0.1]])
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answers.probability[:2], expected, atol=1e-6)
    assert answers.label.tolist() == ["high", "high", "high"]
    assert answers.out_of_range.tolist() == [False, True, True]
    assert answers.records()[0] == {
        "label": "high",
        "probability": dict(zip(("high", "low"), answers.probability[0].tolist(), strict=True)),
        "out_of_range": False,
    }


def test_a_bundle_of_values_answers_values(tmp_path: Path, contents: dict[str, Any]):
    line = Linear(answer="value", weights=[[2.0], [0.0], [0.0], [1.0]], bias=[10.0])
    contents["schema"] = SCHEMA.with_feature("income", type="number", levels=())
    made = write_bundle(tmp_path / "values", **{**contents, "graph": answering_graph(line, 4, None)})
    answers = made.predict([{"age": 50, "job": "smith"}])
    assert answers.records() == [{"value": 13.0, "out_of_range": False}]
    assert (made.problem, made.levels) == ("regression", ())
    assert answers.answer.shape == (1,)


def test_rows_in_any_form_give_the_same_answers(bundle: Bundle, people: Dataset):
    import pandas as pd
    import polars as pl

    columns = {"age": [30.0, None, 200.5], "job": ["cook", "baker", None]}
    expected = bundle.predict(ROWS).answer
    forms = [columns, pl.DataFrame(columns), pd.DataFrame(columns), [dict(row) for row in ROWS]]
    forms.append({"age": np.array([30.0, np.nan, 200.5]), "job": np.array(["cook", "baker", None], object)})
    for rows in forms:
        np.testing.assert_array_equal(bundle.predict(rows).answer, expected)
    assert len(bundle.predict(people).answer) == 6


def test_no_rows_give_no_answers(bundle: Bundle):
    answers = bundle.predict([])
    assert answers.answer.shape == (0, 2)
    assert answers.records() == []


def test_a_row_that_does_not_fit_is_refused_and_not_guessed(bundle: Bundle):
    with pytest.raises(DataError, match="row 0, field 'age': found '30'"):
        bundle.predict([{"age": "30", "job": "cook"}])


def test_many_rows_are_answered_as_few_are(bundle: Bundle):
    rows = [{"age": float(17 + i % 70), "job": ("cook", "clerk", None)[i % 3]} for i in range(2500)]
    many = bundle.predict(rows).answer
    np.testing.assert_allclose(many[2100], bundle.predict([rows[2100]]).answer[0], atol=1e-7)
    np.testing.assert_array_equal(many, bundle.predict(rows).answer)


def test_equal_contents_give_equal_bytes(bundle: Bundle, contents: dict[str, Any], tmp_path: Path):
    other = write_bundle(tmp_path / "other", **contents)
    assert other.digest == bundle.digest
    for name in FILES | {"manifest.json"}:
        assert (other.folder / name).read_bytes() == (bundle.folder / name).read_bytes()


def test_other_weights_give_another_name(bundle: Bundle, contents: dict[str, Any], tmp_path: Path):
    weights = {**contents["weights"], "bias": np.array([0.1, -0.2], np.float32)}
    assert write_bundle(tmp_path / "other", **{**contents, "weights": weights}).digest != bundle.digest


def test_weights_come_back_bit_by_bit(bundle: Bundle, contents: dict[str, Any]):
    from safetensors.numpy import load_file

    for name, array in load_file(bundle.folder / "weights.safetensors").items():
        np.testing.assert_array_equal(array, contents["weights"][name])


def test_no_file_of_a_bundle_is_a_pickle(bundle: Bundle):
    for path in bundle.folder.iterdir():
        head = path.read_bytes()[:2]
        assert head[:1] != b"\x80" and head != b"PK", path.name


def test_golden_rows_replay_without_a_difference(bundle: Bundle):
    assert Bundle.load(bundle.folder).replay_golden() == 0.0
    assert len(bundle.golden["rows"]) == 16


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path, bundle: Bundle):
    sentence = ": this is no bundle (it has no manifest.json). Name a bundle's folder, for example runs/NAME/bundle."
    assert refusal(tmp_path / "none") == sentence
    assert refusal(tmp_path) == sentence
    assert refusal(bundle.folder / "graph.onnx") == (
        ": is a file, and a bundle is a folder. If it is a packed bundle, unpack it and name the folder."
    )


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_flipped_bit_in_any_file_is_refused(bundle: Bundle, name: str):
    path = bundle.folder / name
    content = path.read_bytes()
    for place in {0, len(content) // 3, len(content) // 2, len(content) - 1}:
        changed = bytearray(content)
        changed[place] ^= 0b100
        path.write_bytes(changed)
        assert refusal(bundle.folder) == (
            f"/{name}: its size or hash differs from the manifest. The bundle is refused; take an intact copy."
        )


def test_a_flipped_bit_anywhere_in_the_manifest_is_refused(bundle: Bundle):
    path = bundle.folder / "manifest.json"
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(BundleError):
            Bundle.load(bundle.folder)


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + b"\n", lambda c: b"", lambda c: c[: len(c) // 2]])
@pytest.mark.parametrize("name", ["graph.onnx", "weights.safetensors", "schema.json"])
def test_a_cut_or_lengthened_file_is_refused(bundle: Bundle, name: str, change: Callable[[bytes], bytes]):
    path = bundle.folder / name
    path.write_bytes(change(path.read_bytes()))
    assert f"/{name}: its size or hash differs" in refusal(bundle.folder)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_refused_also_with_a_fitting_manifest(bundle: Bundle, name: str):
    (bundle.folder / name).unlink()
    sentence = f"/{name}: this file is missing. The bundle is refused; take an intact copy."
    assert refusal(bundle.folder) == sentence
    remake_manifest(bundle.folder)
    assert refusal(bundle.folder) == sentence


@pytest.mark.parametrize(
    "name", ["extra.json", "model.pkl", "Schema.json", "GRAPH.ONNX", ".hidden", "weights.bin", "__init__.py", "ä.json"]
)
def test_an_extra_file_or_a_case_twin_is_refused_also_with_a_fitting_manifest(bundle: Bundle, name: str):
    (bundle.folder / name).write_bytes((bundle.folder / "schema.json").read_bytes())
    sentence = (
        f"/{name}: this file does not belong to a bundle. "
        "The bundle is refused; remove the file, or take an intact copy."
    )
    assert refusal(bundle.folder) == sentence
    remake_manifest(bundle.folder)
    assert refusal(bundle.folder) == sentence


def test_an_extra_folder_is_refused(bundle: Bundle):
    (bundle.folder / "reference").mkdir()
    assert refusal(bundle.folder).startswith("/reference: this file does not belong to a bundle.")


@pytest.mark.parametrize("make", ["link", "folder", "pipe"])
def test_what_is_no_plain_file_is_refused(bundle: Bundle, tmp_path: Path, make: str):
    path = bundle.folder / "weights.safetensors"
    path.rename(tmp_path / "elsewhere")
    if make == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif make == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert refusal(bundle.folder) == (
        "/weights.safetensors: is a link, a folder or a device; a bundle holds plain files only. The bundle is refused."
    )


def test_a_linked_manifest_is_refused(bundle: Bundle, tmp_path: Path):
    path = bundle.folder / "manifest.json"
    path.rename(tmp_path / "manifest.json")
    path.symlink_to(tmp_path / "manifest.json")
    assert "this is no bundle" in refusal(bundle.folder)


def test_a_newer_format_is_named(bundle: Bundle):
    path = bundle.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2'))
    assert refusal(bundle.folder) == (
        ": bundle format 2; this version reads format 1. Use a deepwright of the same format."
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "files": []}',
        b'{"format": 1, "files": {}}',
        b'{"format": 1, "files": {"a": 1}}',
        b'{"format": 1, "files": {"\\ud800": {}}}',
        b'{"files": {}, "files": {}, "format": 1}',
        b'{"format": NaN, "files": {}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_manifest_that_is_none_is_refused(bundle: Bundle, content: bytes):
    (bundle.folder / "manifest.json").write_bytes(content)
    assert refusal(bundle.folder) == (
        "/manifest.json: was changed or cut. The bundle is refused; make it again, or take an intact copy."
    )


def test_a_manifest_in_another_form_is_refused(bundle: Bundle):
    path = bundle.folder / "manifest.json"
    content = path.read_bytes()
    for other in (b" " + content, content[:-1], json.dumps(json.loads(content)).encode(), content + b"\n"):
        path.write_bytes(other)
        assert "was changed or cut" in refusal(bundle.folder)
    double = content.replace(b'"format":1', b'"format":1,"format":1')
    path.write_bytes(double)
    assert "was changed or cut" in refusal(bundle.folder)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(bundle: Bundle, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundle_module, "FILE_LIMIT_BYTES", 10)
    size = (bundle.folder / "graph.onnx").stat().st_size
    assert refusal(bundle.folder) == (
        f"/graph.onnx: {size} bytes are more than a bundle's file may have. The bundle is refused."
    )
    monkeypatch.setattr(bundle_module, "JSON_LIMIT_BYTES", 10)
    assert refusal(bundle.folder).startswith("/manifest.json: ")


def test_a_key_that_stands_twice_is_refused_also_with_a_fitting_manifest(bundle: Bundle):
    path = bundle.folder / "recipe.json"
    path.write_bytes(b'{"seed": 0, "seed": 1}')
    remake_manifest(bundle.folder)
    assert refusal(bundle.folder) == (
        "/recipe.json: is not the JSON that a bundle holds: the key 'seed' stands twice. The bundle is refused."
    )


@pytest.mark.parametrize("content", [b"[1e400]", b"NaN", b"\xff", b"[" * 99, b"[]", b"3", b'{"a": "\\ud800"}'])
def test_other_json_than_ours_is_refused_also_with_a_fitting_manifest(bundle: Bundle, content: bytes):
    (bundle.folder / "profile.json").write_bytes(content)
    remake_manifest(bundle.folder)
    assert refusal(bundle.folder).startswith("/profile.json: is not the JSON that a bundle holds: ")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("operations.json", lambda v: v.append({"kind": "run_code", "code": "1"})),
        ("operations.json", lambda v: v.append(3)),
        ("operations.json", lambda v: v[0].update(extra=1)),
        ("operations.json", lambda v: v[0].update(values=["nan"])),
        ("operations.json", lambda v: v[0].update(columns=["wage"])),
        ("operations.json", lambda v: v[0].update(values=[])),
        ("operations.json", lambda v: v.pop()),
        ("schema.json", lambda v: v["features"].pop()),
        ("schema.json", lambda v: v["features"].pop(0)),
        ("schema.json", lambda v: v.update(code="1")),
        ("schema.json", lambda v: v["features"][0].update(type="object")),
        ("golden.json", lambda v: v.pop("rows")),
        ("golden.json", lambda v: v.update(rows=[{"age": "x"}])),
        ("golden.json", lambda v: v.update(answers="x")),
    ],
)
def test_contents_made_by_hand_are_refused_in_one_sentence(bundle: Bundle, name: str, change: Callable[[Any], object]):
    edit_json(bundle.folder, name, change)
    message = refusal(bundle.folder)
    assert message.startswith(
        ": schema, operations, graph and golden rows are not of the closed list, or do not fit together: "
    )
    assert message.endswith(". The bundle is refused.") and "\n" not in message


def test_levels_that_do_not_fit_the_graph_are_refused(bundle: Bundle):
    edit_json(bundle.folder, "schema.json", lambda v: v["features"][3].update(levels=["a", "b", "c"]))
    assert refusal(bundle.folder) == (
        ": the golden rows' answers have shape (16, 2) where (16, 3) finite numbers are due. The bundle is refused."
    )


def test_other_weights_in_the_graph_do_not_pass_the_golden_rows(bundle: Bundle):
    other = Linear(answer="probability", weights=[[0.5, -0.5], [0.1, 0.2], [0.3, -0.4], [0.0, 1.1]], bias=[0.1, -0.1])
    (bundle.folder / "graph.onnx").write_bytes(answering_graph(other, 4, 2))
    remake_manifest(bundle.folder)
    message = refusal(bundle.folder)
    assert message.startswith(": the golden rows' answers differ by 0.0")
    assert message.endswith(
        "from those made with the bundle (limit 1e-05). This machine computes otherwise, or the bundle is wrong; "
        "it is refused."
    )


def test_another_preprocessing_does_not_pass_the_golden_rows(bundle: Bundle):
    edit_json(bundle.folder, "operations.json", lambda v: v[1].update(means=[38.1]))
    assert "the golden rows' answers differ" in refusal(bundle.folder)


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x80\x04K\x01."])
def test_a_graph_that_is_none_is_refused(bundle: Bundle, content: bytes):
    (bundle.folder / "graph.onnx").write_bytes(content)
    remake_manifest(bundle.folder)
    message = refusal(bundle.folder)
    assert message.startswith("/graph.onnx: cannot be loaded: ") and message.endswith(". The bundle is refused.")


def test_a_graph_with_weights_outside_the_bundle_is_refused(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import onnx

    model = onnx.load_from_string((bundle.folder / "graph.onnx").read_bytes())
    weights = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    (tmp_path / "outside.bin").write_bytes(weights.raw_data)
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="outside.bin")
    (bundle.folder / "graph.onnx").write_bytes(model.SerializeToString())
    remake_manifest(bundle.folder)
    monkeypatch.chdir(tmp_path)
    assert refusal(bundle.folder).startswith("/graph.onnx: cannot be loaded: ")


def test_an_interrupted_write_is_no_bundle(bundle: Bundle):
    (bundle.folder / "manifest.json").unlink()
    assert "this is no bundle" in refusal(bundle.folder)


def test_the_manifest_names_the_model_without_its_report(bundle: Bundle):
    manifest = read_manifest(bundle.folder)
    assert manifest["model"] == bundle.digest
    assert set(manifest["files"]) == FILES
    attach_report(bundle.folder, {"judged": True})
    judged = read_manifest(bundle.folder)
    assert judged["model"] == manifest["model"] and judged["digest"] != manifest["digest"]
    assert {n for n in FILES if judged["files"][n] != manifest["files"][n]} == {"report.json"}
    assert Bundle.load(bundle.folder).report == {"judged": True}


def test_a_report_torn_by_a_crash_is_refused_and_can_be_attached_again(bundle: Bundle):
    (bundle.folder / "report.json").write_text('{"judged": true}\n')
    assert refusal(bundle.folder).startswith("/report.json: its size or hash differs")
    attach_report(bundle.folder, {"judged": True})
    assert Bundle.load(bundle.folder).report == {"judged": True}


def test_no_report_is_attached_to_a_changed_bundle(bundle: Bundle):
    path = bundle.folder / "graph.onnx"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(BundleError, match=r"graph\.onnx: its size or hash differs"):
        attach_report(bundle.folder, {"judged": True})
    assert json.loads((bundle.folder / "report.json").read_text()) == {}


def test_contents_are_readable_after_loading(bundle: Bundle):
    assert bundle.recipe == {"target": "income", "seed": 0}
    assert bundle.profile == {"rows": 6}
    assert bundle.report == {}
    assert repr(bundle) == f"Bundle({str(bundle.folder)!r}, classification of 'income', {bundle.digest[:12]})"
