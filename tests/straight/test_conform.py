"""Conforming: intervals and sets from calibration rows to bundle, file, server, export and report, all alike."""

import csv
import json

import numpy as np
import polars as pl
import pytest

from deepwright.core.bundle import Bundle, write_bundle
from deepwright.core.errors import BundleError, LeakError, RecipeError
from deepwright.core.operations import Branch
from deepwright.deploy.batch import predict_stream
from deepwright.deploy.targets.onnx import Onnx
from deepwright.deploy.targets.onnx_client import Model
from deepwright.evaluation.conformal import Absolute, Aps
from deepwright.practice.conform import calibrated, prepared_as
from deepwright.practice.keep import kept_rows
from deepwright.practice.look import look
from deepwright.practice.rerun import rerun
from deepwright.practice.run import practise
from deepwright.practice.verify import verify


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    """1,500 rows whose noise is ten times as large where `hard` is yes; `kind` are classes of the same."""
    draw = np.random.default_rng(0)
    a, hard = draw.normal(size=1500), draw.random(1500) < 0.4
    y = 5 * a + np.where(hard, 5.0, 0.5) * draw.normal(size=1500)
    path = tmp_path_factory.mktemp("noisy") / "noisy.csv"
    kinds = np.array(["low", "middle", "high"])[np.digitize(y, (-3, 3))]
    words = ["yes" if each else "no" for each in hard]
    pl.DataFrame({"a": a.round(4), "hard": words, "y": y.round(4), "kind": kinds}).write_csv(path)
    return path


@pytest.fixture(scope="module")
def scaled(noisy, make_recipe, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("scaled")
        patch.setenv("DEEPWRIGHT_HOME", str(folder))
        recipe = make_recipe(noisy, "y", network="mlp", baselines=("linear", "boosting"), ignore=("kind",))
        run = practise(recipe, runs=folder, name="scaled")
        look(run)
        yield run


def test_values_have_intervals_that_hold_and_follow_how_hard_a_row_is(scaled):
    report, bundle = scaled.report, scaled.bundle
    assert report.data.parts["calibration"] == bundle.schema.conformal.rows == len(kept_rows(scaled, "calibration"))
    assert sum(report.data.parts.values()) == report.data.rows_kept == 1500
    for part in ("validation", "test"):
        coverage = report.number("coverage", part)
        assert coverage.low < 0.92 and coverage.high > 0.88
        assert coverage.method == "wilson"
        assert report.number("interval_width", part).value > 0
    assert report.number("coverage", "test", "linear") is not None
    assert {"intervals_scaled"} <= {f.rule for f in report.findings}
    rows = kept_rows(scaled, "validation")
    width = np.diff(bundle.predict(rows).interval, axis=1)[:, 0]
    hard = rows.columns["hard"] == "yes"
    assert np.median(width[hard]) > 2 * np.median(width[~hard])


def test_it_is_verified(scaled, monkeypatch):
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(scaled.folder.parent))
    assert verify(scaled).difference == 0.0


@pytest.mark.slow
def test_it_is_rerun_to_the_bit(scaled, monkeypatch):
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(scaled.folder.parent))
    assert rerun(scaled).difference is None


def test_python_file_and_export_say_the_same_intervals(scaled, tmp_path):
    bundle = scaled.bundle
    rows = bundle.golden["rows"]
    records = bundle.predict(rows).records()
    assert list(records[0]) == ["value", "low", "high", "out_of_range"]
    assert all(r["low"] < r["value"] < r["high"] for r in records)
    predict_stream(bundle, iter([(bundle.schema.columns(rows), np.arange(1, 17))]), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == ["row", "value", "low", "high", "out_of_range"]
    assert [(float(line["low"]), float(line["high"])) for line in lines] == [(r["low"], r["high"]) for r in records]
    Onnx().export(bundle, tmp_path / "export")
    exported = Model(tmp_path / "export" / "model.onnx").predict(rows)
    for ours, theirs in zip(records, exported, strict=True):
        assert theirs == pytest.approx({k: ours[k] for k in ("value", "low", "high")}, rel=1e-5, abs=1e-4)


def test_the_scale_runs_beside_the_model_on_columns_of_its_own(scaled):
    bundle = scaled.bundle
    first, *others = bundle.operations
    assert isinstance(first, Branch) and first.prefix == "scale." and others
    assert "scale.x" in bundle.inputs


def test_rows_are_prepared_once_where_the_model_takes_them_as_the_scale_does(scaled):
    members = {path.name: Bundle.load(path) for path in (scaled.folder / "members").iterdir()}
    boosting, rows = members["boosting"], kept_rows(scaled, "validation")
    assert boosting.inputs == ("x",) and not any(isinstance(each, Branch) for each in boosting.operations)
    assert prepared_as(boosting.operations, members["linear"].operations[1:]) is None
    blended = (Branch(operations=boosting.operations, outputs=("x",), prefix="boosting."),)
    assert prepared_as(boosting.operations, blended) == "boosting.x"
    for member in members.values():  # one scale was learned for all, so all count widths in the same numbers
        np.testing.assert_array_equal(member.scale(rows.inputs), boosting.scale(rows.inputs))


def test_another_interval_for_the_golden_rows_is_refused(scaled, tmp_path):
    bundle = scaled.bundle
    parts = {"operations": bundle.operations, "graph": (bundle.folder / "graph.onnx").read_bytes()}
    rest = {"weights": {"none": np.zeros(1)}, "recipe": {}, "profile": {}, "versions": {}}
    copy = write_bundle(tmp_path / "copy", schema=bundle.schema, **parts, **rest)
    copy._contents["golden.json"]["intervals"][3][1] += 0.5
    with pytest.raises(BundleError, match="golden rows"):
        copy.replay_golden()


def test_all_intervals_are_as_wide_where_that_is_asked_for(scaled):
    rows = kept_rows(scaled, "validation")
    conformal = calibrated(Absolute(level=0.8), scaled.bundle, kept_rows(scaled, "calibration"))
    ends = conformal.interval(scaled.bundle.predict(rows).value, None)
    assert np.ptp(np.diff(ends, axis=1)) < 1e-9
    assert ((ends[:, 0] <= rows.target) & (rows.target <= ends[:, 1])).mean() == pytest.approx(0.8, abs=0.08)


def test_sets_of_classes_on_request(noisy, make_recipe, tmp_path):
    recipe = make_recipe(noisy, "kind", network="mlp", baselines=(), ignore=("y",), sets="lac")
    run = practise(recipe, name="sets")
    report, bundle = run.report, run.bundle
    coverage = report.number("set_coverage", "validation")
    assert coverage.low < 0.92 and coverage.high > 0.88
    assert 1 <= report.number("set_size", "validation").value < 2
    assert {f.rule for f in report.findings} >= {"sets"}
    rows = bundle.golden["rows"]
    records = bundle.predict(rows).records()
    assert all(record["label"] in record["set"] for record in records)
    predict_stream(bundle, iter([(bundle.schema.columns(rows), np.arange(1, 17))]), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        assert [json.loads(line["set"]) for line in csv.DictReader(file)] == [r["set"] for r in records]
    Onnx().export(bundle, tmp_path / "export")
    exported = Model(tmp_path / "export" / "model.onnx").predict(rows)
    assert [r["set"] for r in exported] == [r["set"] for r in records]


def test_sets_of_values_are_refused(noisy, make_recipe):
    with pytest.raises(RecipeError, match="sets aps: the target is a number"):
        practise(make_recipe(noisy, "y", sets="aps"), name="refused")


def test_only_calibration_rows_calibrate(scaled):
    for part in ("train", "validation"):
        with pytest.raises(LeakError):
            calibrated(Absolute(), scaled.bundle, kept_rows(scaled, part))
    with pytest.raises(LeakError):
        calibrated(Aps(), scaled.bundle, kept_rows(scaled, "validation"))


def test_a_bundle_from_before_loads_and_answers_as_it_did(flat_bundle):
    assert flat_bundle.schema.conformal is None and flat_bundle.schema.costs is None
    assert list(flat_bundle.predict(flat_bundle.golden["rows"]).records()[0]) == ["value", "out_of_range"]


@pytest.fixture
def flat_bundle(tmp_path):
    """A bundle whose schema.json has neither costs nor conformal, as those written before had."""
    from deepwright.core.bundle import manifest_bytes, read_manifest
    from deepwright.core.disk import write_atomic
    from tests.deploy.bundles import house_bundle

    folder = house_bundle(tmp_path / "old").folder
    schema = json.loads((folder / "schema.json").read_bytes())
    del schema["costs"], schema["conformal"]
    content = (json.dumps(schema, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
    listing = read_manifest(folder)["files"]
    listing["schema.json"] = {"bytes": len(content), "sha256": write_atomic(folder / "schema.json", content)}
    write_atomic(folder / "manifest.json", manifest_bytes(listing))
    return Bundle.load(folder)
