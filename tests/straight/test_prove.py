"""Each proof holds on a small table, and turns red when its rule is broken."""

from dataclasses import replace

import numpy as np
import pytest

from deepwright.practice.prove import prove


def outcomes(name, recipe, trials=None):
    lines: list[str] = []
    claims = prove(name, recipe=recipe, trials=trials, say=lines.append)
    assert len(lines) == len(claims) + 2
    return [claim.holds for claim in claims]


@pytest.mark.parametrize(
    ("name", "trials"), [("leakage", None), ("seal", 20), ("parity", None), ("resume", 1), ("bundle", None)]
)
def test_the_proof_holds(tables, make_recipe, name, trials):
    assert all(outcomes(name, make_recipe(tables / "mixed.csv", "buys"), trials))


def test_leakage_turns_red_when_the_schema_learns_from_the_test_part(tables, make_recipe, monkeypatch):
    from deepwright.core.seal import Sealed
    from deepwright.practice import run

    def peeking(recipe, table):
        split, findings = honest(recipe, table)
        rows: list[object] = []
        split.test.keep(rows.append)
        high = float(np.nanmax(rows[0].columns["width"]))
        schema = split.train.schema.with_feature("width", high=high)
        assert isinstance(split.test, Sealed)
        return split.with_schema(schema), findings

    honest = run.split_rows
    monkeypatch.setattr(run, "split_rows", peeking)
    assert outcomes("leakage", make_recipe(tables / "mixed.csv", "buys"))[0] is False


def test_seal_turns_red_when_looks_are_forgotten(tables, make_recipe, monkeypatch):
    monkeypatch.setattr("deepwright.core.ledger.SHARED_ROWS_LIMIT", 0.9)
    assert outcomes("seal", make_recipe(tables / "mixed.csv", "buys"), 5)[0] is False


def test_parity_turns_red_when_the_server_answers_otherwise(tables, make_recipe, monkeypatch):
    from deepwright.practice.prove import parity

    honest = parity.differences

    def shifted(expected, url, rows):
        return honest(replace(expected, probability=expected.probability + np.float32(1e-3)), url, rows)

    monkeypatch.setattr(parity, "differences", shifted)
    assert outcomes("parity", make_recipe(tables / "mixed.csv", "buys"))[1] is False


@pytest.mark.parametrize(
    ("table", "target"), [("diabetes", "progression"), pytest.param("mixed", "buys", marks=pytest.mark.slow)]
)
def test_parity_turns_red_when_the_server_has_other_intervals_or_sets(tables, make_recipe, monkeypatch, table, target):
    from deepwright.practice.prove import parity

    honest = parity.differences

    def widened(expected, url, rows):
        wrong = {"sets": ~expected.sets} if target == "buys" else {"interval": expected.interval * 1.001}
        return honest(replace(expected, **wrong), url, rows)

    monkeypatch.setattr(parity, "differences", widened)
    found = outcomes("parity", make_recipe(tables / f"{table}.csv", target))
    assert len(found) == 5 and found[1] is False and found[4] is True


def test_bundle_turns_red_when_the_golden_rows_are_not_replayed(tables, make_recipe, monkeypatch):
    from deepwright.core.bundle import Bundle

    monkeypatch.setattr(Bundle, "replay_golden", lambda bundle: 0.0)
    assert outcomes("bundle", make_recipe(tables / "mixed.csv", "buys"))[0] is False
