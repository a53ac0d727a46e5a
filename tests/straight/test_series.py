"""A series through the whole line: put in order, split by time, judged on what came later, answered row by row."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from deepwright import cli
from deepwright.core.bundle import Bundle

HOURS = 500


def write(path: Path) -> Path:
    """Hours in parts of a date, shuffled; one stands twice; the load follows the heat and a level that rises."""
    draw = random.Random(0)
    rows = []
    for hour in range(HOURS):
        heat = 20 + 5 * np.sin(2 * np.pi * hour / 24) + draw.gauss(0, 1)
        load = 3 * heat + 0.02 * hour + draw.gauss(0, 1)
        rows.append(f"2024,{1 + hour // 24 // 28},{1 + hour // 24 % 28},{hour % 24},{heat:.3f},{load:.3f}")
    rows.append(rows[77])
    draw.shuffle(rows)
    path.write_text("\n".join(["year,month,day,hour,heat,load", *rows, ""]))
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    path = write(folder / "load.csv")
    quick = "--network mlp --train.epochs 2 --train.threads 1 --baselines constant --name run"
    series = "--source.time year,month,day,hour --source.duplicates first --ignore year,month,day"
    arguments = ["run", str(path), "--target", "load", "--runs", str(folder / "runs"), *quick.split(), *series.split()]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DEEPWRIGHT_HOME", str(folder / "home"))
        assert cli.call(arguments) == 0
    return folder / "runs" / "run"


def test_the_report_tells_what_was_done_to_the_rows(finished: Path):
    report = json.loads((finished / "report.json").read_bytes())
    rules = {finding["rule"] for finding in report["findings"]}
    assert {"series_sorted", "series_merged", "series_step", "series_season", "split_by_time"} <= rules
    assert report["data"]["rows_in"] == HOURS + 1 and report["data"]["rows_kept"] == HOURS
    assert report["data"]["parts"] == {"train": 350, "validation": 70, "calibration": 30, "test": 50}


def test_a_row_is_answered_without_its_time(finished: Path):
    bundle = Bundle.load(finished / "bundle")
    answers = bundle.predict([{"hour": 6.0, "heat": 25.0}, {"hour": 18.0, "heat": 15.0}]).value
    assert answers[0] > answers[1]
