"""A target of several labels a row, from the file to the answer over HTTP."""

import csv
import json

import numpy as np
import pytest

from deepwright.core.bundle import Bundle
from deepwright.core.errors import RecipeError
from deepwright.core.families import Exporter
from deepwright.core.schema import Feature, Schema
from deepwright.deploy.answer import Answerer
from deepwright.deploy.openapi import openapi
from deepwright.deploy.targets.onnx_client import Model
from deepwright.evaluation.classify import F1
from deepwright.evaluation.decision import as_answer
from deepwright.practice.decide import require_labels_fit
from deepwright.practice.keep import kept_rows
from deepwright.practice.look import look
from deepwright.practice.plan import plan
from deepwright.practice.predict import predict_file
from deepwright.practice.run import practise
from deepwright.practice.target import target_of
from deepwright.practice.verify import verify

LEVELS = ("calm", "fast", "loud")


@pytest.fixture
def songs(own_workspace):
    """400 songs whose moods follow from tempo, loudness and genre, with noise; some have none."""
    draw = np.random.default_rng(0)
    path = own_workspace / "songs.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["tempo", "loudness", "genre", "plays", "moods"])
        for _ in range(400):
            tempo, loudness = draw.normal(size=2)
            genre = draw.choice(["rock", "jazz", "folk"])
            moods = [
                mood
                for mood, is_so in (
                    ("loud", loudness + 0.4 * draw.normal() > 0.3),
                    ("fast", tempo + 0.4 * draw.normal() > 0.8),
                    ("calm", (genre == "jazz") ^ (draw.random() < 0.1)),
                )
                if is_so
            ]
            writer.writerow([f"{tempo:.3f}", f"{loudness:.3f}", genre, int(draw.integers(1, 9)), "|".join(moods)])
    return path


def test_several_labels_go_from_the_file_to_the_answer(songs, make_recipe, own_workspace):
    recipe = make_recipe(songs, "moods", baselines=("constant", "linear"), labels="|")
    recipe = recipe.replace(sets="labels", decision={"kind": "threshold", "metric": {"kind": "f1", "average": "macro"}})
    run = practise(recipe, name="songs")
    report, bundle = run.report, run.bundle
    assert (report.problem, report.levels, report.metric) == ("multi-label", LEVELS, "f1(average=micro)")
    assert report.environment["network"]["watch"] == "log_loss"
    rules = {finding.rule for finding in report.findings}
    assert rules >= {"split_stratified_labels", "decision_labels", "label_sets"}
    assert report.number("f1(average=micro)", "validation").value > 0.7
    assert report.number("auc", "validation").value > 0.8
    assert report.number("f1(average=micro)", "validation", "constant").value < 0.6

    validation, metric = kept_rows(run, "validation"), F1(average="macro")
    target, answers = target_of(validation), bundle.predict(validation)
    assert target.dtype == bool and target.shape == answers.answer.shape == (len(validation), 3)
    shipped = metric.value(target, as_answer(answers.decided, 3))
    assert report.number(metric.name, "validation").value == shipped >= metric.value(target, answers.answer)
    assert report.number(metric.name, "validation").optimistic
    found = report.evidence["validation"][report.chosen]
    assert set(found) >= {"classes", "calibration", "slices", "importance"}
    assert {entry["feature"] for entry in found["importance"]["inputs"]} >= {"tempo", "loudness", "genre"}

    tested = look(run)
    assert tested.number("subset_accuracy", "test").value > 0.3
    assert 0.75 <= tested.number("set_coverage", "test").value <= 1
    assert verify(run).difference == 0
    page = (run.folder / "report.html").read_text()
    assert "<html" in page[:200] and "answered:" in page, "the worst rows stand there"
    assert page.count("the set of all labels that the row has") == (report.chosen == "network")

    rows = [
        {"tempo": 2.0, "loudness": 2.0, "genre": "jazz", "plays": 3.0},
        {"tempo": -2.0, "loudness": -2.0, "genre": "folk", "plays": 3.0},
    ]
    first, second = Bundle.load(run.bundle_folder).predict(rows).records()
    assert first["labels"] == ["calm", "fast", "loud"] and second["labels"] == []
    assert set(first) == {"labels", "probability", "set", "out_of_range"} and set(first["probability"]) == set(LEVELS)

    reply = json.loads(Answerer(bundle).replies([json.dumps({"rows": rows}).encode()])[0].body)
    assert reply["answers"] == [first, second]
    described = openapi(bundle)["components"]["schemas"]["Answer"]
    assert described["properties"]["labels"]["items"]["enum"] == list(LEVELS)
    assert described["properties"]["set"]["minItems"] == 0
    held = np.asarray(bundle.schema.conformal.sets(bundle.predict(rows).probability))
    assert [[LEVELS[place] for place in np.flatnonzero(row)] for row in held] == [first["set"], second["set"]]
    assert set(first["set"]) == set(LEVELS) and len(second["set"]) < 3
    assert sorted(described["required"]) == sorted(first)

    (own_workspace / "new.csv").write_text("tempo,loudness,genre,plays\n2.0,2.0,jazz,3\n-2.0,-2.0,folk,3\n")
    predict_file(run.bundle_folder, own_workspace / "new.csv", own_workspace / "out.csv", flags=[], overwrite=False)
    with (own_workspace / "out.csv").open() as file:
        written = list(csv.DictReader(file))
    assert [json.loads(row["labels"]) for row in written] == [first["labels"], []]
    assert float(written[0]["probability loud"]) == first["probability"]["loud"]
    assert [json.loads(row["set"]) for row in written] == [first["set"], second["set"]]

    Exporter.parse("onnx").export(bundle, own_workspace / "exported")
    alone = Model(own_workspace / "exported" / "model.onnx").predict(rows)
    assert [answer["labels"] for answer in alone] == [first["labels"], []]
    assert [answer["set"] for answer in alone] == [first["set"], second["set"]]
    assert alone[0]["probability"] == pytest.approx(first["probability"], abs=1e-6)


REFUSED = (
    ({"decision": "cost"}, "decision: found cost for the target 'moods'"),
    ({"decision": "threshold"}, "decision.metric: found balanced_accuracy for the target 'moods'"),
    ({"metric": "accuracy"}, "metric: 'accuracy' is not for multi-label"),
    ({"baselines": ("svm",)}, "baselines.0: 'svm' is not for multi-label"),
    ({"weight": "plays"}, "weight: rows count alike where a row of the target 'moods' may have several labels"),
    ({"sets": "aps"}, "sets: found aps, which is not for this target; allowed here: labels"),
)


def test_a_table_larger_than_memory_is_refused():
    moods = Feature(name="moods", type="category", role="target", levels=LEVELS, separator="|")
    with pytest.raises(RecipeError) as error:
        require_labels_fit(Schema(features=(moods,)), is_large=True)
    assert str(error.value) == (
        "labels: the target 'moods' may have several labels a row, which are learned from rows held in memory only. "
        "Give --source.memory hold, or a smaller file."
    )


def test_a_dry_run_takes_a_step_of_several_labels(songs, make_recipe):
    found = plan(make_recipe(songs, "moods", labels="|"))
    assert found.num_weights > 0 and found.seconds > 0


def test_what_does_not_go_with_several_labels_is_refused_before_training(songs, make_recipe):
    for place, (changes, message) in enumerate(REFUSED):
        with pytest.raises(RecipeError) as error:
            practise(make_recipe(songs, "moods", labels="|", **changes), name=f"refused-{place}")
        assert str(error.value).startswith(message), error.value
