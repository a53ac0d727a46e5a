"""A whole run tells where its bundle fails and what it costs, and keeps its rows out of report and bundle."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from deepwright import parts
from deepwright.core.bundle import Bundle
from deepwright.core.families import Baseline, Source
from deepwright.core.recipe import Recipe, Train
from deepwright.core.report import Latency, Report
from deepwright.core.run import Run
from deepwright.practice import failing
from deepwright.practice.examples import examples_of, map_of, shown_rows
from deepwright.practice.keep import kept_rows
from deepwright.practice.look import look
from deepwright.practice.opening import recipe_of
from deepwright.practice.reporting import publish
from deepwright.practice.rerun import _facts
from deepwright.practice.run import practise
from deepwright.practice.verify import recompute

SIZE = 4000


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on rows whose labels are turned around for half of the Masters above 50."""
    folder = tmp_path_factory.mktemp("failing")
    rng = np.random.default_rng(0)
    age, score = rng.integers(18, 80, SIZE), rng.normal(size=SIZE)
    degree = rng.choice(["none", "Bachelors", "Masters"], SIZE, p=(0.5, 0.3, 0.2))
    is_bad = (age > 50) & (degree == "Masters")
    yes = (score > 0) ^ (rng.random(SIZE) < np.where(is_bad, 0.4, 0.05))
    path = folder / "people.csv"
    columns = {"age": age, "degree": degree, "score": score.round(6), "buys": np.where(yes, "yes", "no")}
    pl.DataFrame(columns).write_csv(path)
    parts.load_installed()
    recipe = Recipe(
        source=Source.parse({"kind": "table", "path": str(path)}),
        target="buys",
        network="mlp",
        baselines=(Baseline.parse("linear"),),
        train=Train(epochs=1, threads=1),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPWRIGHT_HOME", str(folder / "home"))
        return practise(recipe, runs=folder / "runs", name="people")


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Run:
    shutil.copytree(finished.folder, tmp_path / "people")
    return Run.open(tmp_path / "people")


def test_the_planted_slice_is_a_finding_and_the_input_that_decides_comes_first(finished: Run):
    report = finished.report
    found = [f for f in report.findings if f.rule == "bad_slice"]
    assert found and "Masters" in found[0].where and "age" in found[0].where
    used = report.evidence["validation"][report.chosen]["importance"]
    assert used["inputs"][0]["feature"] == "score" and used["inputs"][0]["low"] > 0.2


def failures_again(run: Run, **other: object) -> Report:
    """The report's failures found once more, of answers that are decided otherwise."""
    split = SimpleNamespace(train=kept_rows(run, "train"), validation=kept_rows(run, "validation"))
    given = replace(run.bundle.predict(split.validation), **other)
    return failing.with_failures(run.report, recipe_of(run), split, run.bundle, given)


def test_a_bundle_too_slow_for_importance_is_told(finished: Run, monkeypatch: pytest.MonkeyPatch):
    slow = Latency(rows=256, median_s=256.0, calls=5)
    cost = finished.report.footprint.model_copy(update={"latency": (slow,)})
    monkeypatch.setattr(failing, "footprint", lambda bundle, columns: cost)
    report = failures_again(finished)
    (told,) = [found for found in report.findings if found.rule == "importance_left_out"]
    assert "the 3 inputs" in told.text and "1000.0 ms a row" in told.text


def test_slices_are_of_the_classes_that_costs_decide(finished: Run, monkeypatch: pytest.MonkeyPatch):
    seen = []
    monkeypatch.setattr(failing, "bad_slices", lambda *given, decided, **options: seen.append(decided) or {"found": []})
    failures_again(finished, threshold=None, costs=((0.0, 0.0), (1.0, 0.0)))  # answering no is never worth it
    assert (seen[0] == 1).all()


def test_bytes_times_and_memory_are_of_the_bundle_that_ships(finished: Run):
    cost = finished.report.footprint
    assert [each.rows for each in cost.latency] == [1, 256] and all(0 < each.median_s < 5 for each in cost.latency)
    sizes = {path.name: path.stat().st_size for path in finished.bundle_folder.iterdir()}
    # The bundle was weighed before it got its report.
    assert abs(cost.disk_bytes - (sum(sizes.values()) - sizes["report.json"])) < 5000


def test_what_was_measured_in_time_is_compared_by_neither_rerun_nor_verify(finished: Run):
    report = finished.report
    slower = report.model_copy(update={"footprint": report.footprint.model_copy(update={"disk_bytes": 1})})
    assert _facts(finished, report) == _facts(finished, slower)
    assert len(recompute(finished)) == len(report.numbers)


def test_the_worst_rows_stand_on_the_page_and_nowhere_else(finished: Run):
    page = finished.read("report.html").decode()
    shown = shown_rows(finished, finished.bundle)
    worst = examples_of(finished.report, finished.bundle.predict(shown), shown).worst
    assert len(worst) == 10
    rows = pl.read_csv(finished.folder.parents[1] / "people.csv")
    for example in worst:
        score = rows["score"][example.row - 1]
        assert example.values["score"] == f"{score:.6g}" and f"row {example.row:,}" in page
        assert example.values["score"] in page
        for path in (finished.folder / "report.json", *finished.bundle_folder.glob("*.json")):
            assert str(score) not in path.read_text(encoding="utf-8"), path.name


def test_the_map_of_the_network_stands_on_the_page_and_nowhere_else(copied: Run):
    report = copied.report.model_copy(update={"chosen": "network"})
    shutil.rmtree(copied.bundle_folder)

    def published() -> tuple[str, dict[str, bytes]]:
        publish(copied, report)
        kept = [copied.folder / "report.json", *copied.bundle_folder.iterdir()]
        return copied.read("report.html").decode(), {str(path): path.read_bytes() for path in kept}

    network = Bundle.load(copied.folder / "members" / "network")
    rows = shown_rows(copied, network)
    found = map_of(report, network, rows)
    assert len(found.points) == len(rows) and found.marked.sum() > 10
    # the input that decides is the one along which rows spread
    assert abs(np.corrcoef(found.points[:, 0], rows.columns["score"])[0, 1]) > 0.5
    page, kept = published()
    assert len(re.findall(r"M[\d.]+ [\d.]+h0", page.split('class="chart"')[1])) > 0.5 * len(rows)
    for path in (copied.folder / "data").glob("validation-*"):
        path.unlink()
    without, kept_without = published()
    assert 'class="map"' in page and 'class="map"' not in without and kept == kept_without


def test_where_no_network_ships_the_page_says_why_there_is_no_map(finished: Run):
    report = finished.report.model_copy(update={"chosen": "linear"})
    told = map_of(report, Bundle.load(finished.folder / "members" / "linear"), shown_rows(finished, finished.bundle))
    assert "linear ships, and only a network has" in told.text


def test_the_page_of_answers_given_before_is_that_of_the_bundle_asked_again(finished: Run):
    given_before = finished.read("report.html")
    publish(finished, finished.report)
    assert finished.read("report.html") == given_before


def test_a_run_without_its_rows_says_so_on_the_page(copied: Run):
    for path in (copied.folder / "data").glob("validation-*"):
        path.unlink()
    publish(copied, copied.report)
    assert "The rows of this run are not kept" in copied.read("report.html").decode()


def test_after_the_look_the_slices_are_judged_on_the_test_part(copied: Run):
    report = look(copied)
    found = report.evidence["test"][report.chosen]["slices"]["found"]
    before = report.evidence["validation"][report.chosen]["slices"]["found"]
    assert [one["conditions"] for one in found] == [one["conditions"] for one in before]
    assert 0 < found[0]["n"] < report.data.parts["test"] and found[0]["value"] < found[0]["rest"]
    assert "accuracy, test" in copied.read("report.html").decode().replace("</th>", "")
    assert json.loads(copied.read("report.json"))["evidence"]["test"][report.chosen]["slices"]["found"] == found
