"""The benchmark of coverage: it takes every metric, goes on where it stopped, and sees intervals that miss."""

import json
import time

import pytest

from benchmarks import coverage
from deepwright import parts
from deepwright.core.families import Metric


@pytest.fixture(autouse=True)
def few_rows_for_the_truth(monkeypatch):
    parts.load_installed()
    monkeypatch.setattr(coverage, "MANY", 2000)


def row(**changes) -> dict:
    usual = {"structure": "rows", "n": 200, "source": "values", "metric": "mae", "trials": 1000, "given": 1000}
    return {**usual, "is_exact": False, "coverage": 0.95, "control": None, "better": 0.05, **changes}


def test_every_registered_metric_is_judged_on_rows_of_its_problems():
    judged = {m.kind for source in coverage.SOURCES for m in coverage.truths_of(source, coverage.State(None))}
    ours = {kind for kind, part in Metric.kinds.items() if part.__module__.startswith("deepwright.")}
    assert judged >= ours


def test_a_run_in_two_parts_counts_what_one_run_counts(tmp_path):
    path, until = tmp_path / "state.json", time.monotonic() + 60
    truths = coverage.truths_of("ranges", coverage.State(None))
    whole = coverage.State(None)
    coverage.simulate(whole, truths, "ranges", "groups", 200, 4, until)
    for sims in (2, 4):
        state = coverage.State(path)
        coverage.simulate(state, truths, "ranges", "groups", 200, sims, until)
    assert coverage.State(path).counts == whole.counts
    assert whole.counts["groups|200|ranges"] == {"sims": 4}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"coverage": 0.92}, "lowest coverage, bootstrap"),
        ({"coverage": 0.98}, "highest coverage, bootstrap"),
        ({"coverage": 0.995, "is_exact": True}, "highest coverage, exact"),
        ({"better": 0.07}, "equals called better"),
        ({"structure": "series", "control": 0.94}, "control: lowest coverage of plain intervals"),
    ],
)
def test_a_fault_fails_its_claim_and_no_other(changes, part):
    clean = row(structure=changes.get("structure", "rows"), is_exact=changes.get("is_exact", False), control=0.7)
    assert all(claim.holds for claim in coverage.claims_of([clean]))
    failed = [claim.name for claim in coverage.claims_of([{**clean, **changes}]) if not claim.holds]
    assert [name.startswith(part) for name in failed] == [True]


def test_a_metric_without_intervals_claims_nothing():
    assert coverage.claims_of([row(given=0, coverage=None, better=0.0)]) == []


def test_the_script_prints_a_table_and_the_claims(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["coverage", "--quick", "--structures", "rows", "--sources", "ranges"])
    assert coverage.main() == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert any(line.split()[:4] == ["rows", "200", "ranges", "coverage"] for line in lines)
    assert {cell["metric"] for cell in json.loads(lines[-1])["cells"]} == {"coverage", "interval_width"}
