"""Reports: every number with its n, part and interval; readable in both languages; comparable JSON."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deepwright.core.report import Data, Finding, Look, Number, Report, Sentence, SetAside, finding

EXAMPLE = Sentence(key="test.example", values={"name": "age"})


def number(part: str = "validation", member: str = "network", metric: str = "accuracy", **changes: Any) -> Number:
    values: dict[str, Any] = {
        "metric": metric,
        "value": 0.85,
        "low": 0.84,
        "high": 0.86,
        "n": 1000,
        "part": part,
        "member": member,
        "greater_is_better": True,
        "method": "bootstrap",
    }
    return Number(**{**values, **changes})


def report(**changes: Any) -> Report:
    values: dict[str, Any] = {
        "run": "adult",
        "recipe_hash": "a" * 64,
        "bundle": "runs/adult/bundle",
        "bundle_digest": "b" * 64,
        "problem": "classification",
        "target": "income",
        "levels": ("high", "low"),
        "metric": "accuracy",
        "chosen": "network",
        "members": ("network", "linear"),
        "data": Data(
            source="adult.csv",
            source_sha256="c" * 64,
            rows_in=10,
            rows_kept=9,
            set_aside=(SetAside(reason="no target", count=1, rows=(4,)),),
            parts={"train": 7, "validation": 2},
            fingerprints={"train": "d" * 64},
        ),
        "numbers": (
            number(),
            number(member="linear", value=0.8),
            number(metric="auc", value=None, low=None, high=None),
        ),
        "evidence": {"validation": {"network": {"confusion": [[1, 0], [0, 1]]}}},
        "history": ({"epoch": 1, "seconds": 0.5},),
        "findings": (Finding(rule="test", severity="warning", where="age", sentence=EXAMPLE),),
        "verdict": (Sentence(key="test.example", values={"name": "better"}),),
        "exemptions": (),
        "looks": (),
        "environment": {"versions": {"torch": "2.13.0"}},
        "seconds": {"train": 1.25, "evaluate": 0.25},
    }
    return Report(**{**values, **changes})


def test_json_brings_the_same_report_back(tmp_path: Path):
    path = tmp_path / "report.json"
    path.write_bytes(report().json_bytes())
    assert Report.load(path) == report()
    assert Report.load(path).json_bytes() == report().json_bytes()


def test_a_number_is_found_by_metric_part_and_member():
    found = report().number("accuracy", "validation")
    assert found is not None and (found.value, found.member) == (0.85, "network")
    other = report().number("accuracy", "validation", "linear")
    assert other is not None and other.value == 0.8
    assert report().number("accuracy", "test") is None


def test_a_number_cannot_be_infinite_or_lack_its_n():
    for changes in ({"value": float("nan")}, {"high": float("inf")}, {"n": None}, {"part": "whole"}):
        with pytest.raises(ValidationError):
            number(**changes)


def test_the_summary_of_a_sealed_run_has_no_test_numbers():
    summary = report().summary()
    assert summary["test"] is None
    assert summary["validation"] == {
        "accuracy": {"value": 0.85, "low": 0.84, "high": 0.86, "n": 1000},
        "auc": {"value": None, "low": None, "high": None, "n": 1000},
    }
    assert summary["baselines"] == {"linear": {"accuracy": {"value": 0.8, "low": 0.84, "high": 0.86, "n": 1000}}}
    assert (summary["looks"], summary["seconds"]) == (0, 1.5)
    assert summary["findings"] == [{"rule": "test", "severity": "warning", "where": "age", "text": "This is age."}]


def test_the_summary_after_a_look_compares_on_the_test_part():
    numbers = (number(), number("test", value=0.83), number("test", "linear", value=0.79), number(member="linear"))
    looks = (Look(number=1, when="2026-11-21T08:00:00+00:00", run="adult", reason=None),)
    summary = report(numbers=numbers, looks=looks).summary()
    assert summary["test"]["accuracy"]["value"] == 0.83
    assert summary["baselines"]["linear"]["accuracy"]["value"] == 0.79
    assert summary["looks"] == 1


def test_a_finding_carries_its_rule_and_place():
    found = finding("leak", "blocking", "age", share=0.5)
    assert (found.rule, found.severity, found.where) == ("leak", "blocking", "age")
    assert found.sentence == Sentence(key="finding.leak", values={"where": "age", "share": 0.5})


def test_a_sentence_is_read_in_either_language(monkeypatch: pytest.MonkeyPatch):
    sentence = report().verdict[0]
    assert sentence.text == "This is better."
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    assert sentence.text == "这是 better。"
