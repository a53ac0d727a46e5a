"""Several requests in one run of the model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepwright.core.bundle import Answers, Bundle
from deepwright.core.conformal import Conformal
from deepwright.deploy.answer import Answerer
from tests.deploy.bundles import FLOWERS, GOOD_ROW, HOUSES, flower_bundle, house_bundle


def body(*rows: dict[str, Any]) -> bytes:
    return json.dumps({"rows": rows}).encode()


def test_a_bad_request_spoils_no_other_of_its_batch(flowers: Bundle) -> None:
    other = {**GOOD_ROW, "petal-length": None, "colour": "never seen"}
    nameless = {**GOOD_ROW, "高度": None}
    replies = Answerer(flowers).replies(
        [body(GOOD_ROW), b"{", body(other, GOOD_ROW), body(nameless), body(GOOD_ROW, {})]
    )
    assert [reply.status for reply in replies] == [200, 400, 200, 422, 422]
    (answer,) = json.loads(replies[0].body)["answers"]
    assert answer["probability"] == pytest.approx(flowers.predict([GOOD_ROW]).records()[0]["probability"])
    assert [(reply.rows, reply.out_of_range) for reply in replies] == [(1, 0), (0, 0), (2, 1), (0, 0), (0, 0)]
    assert json.loads(replies[2].body)["answers"][0]["out_of_range"] is True
    assert "no finite answer" in json.loads(replies[3].body)["error"]["text"]


def test_values_are_answered_with_the_models_digest(houses: Bundle) -> None:
    (reply,) = Answerer(houses).replies([body({"rooms": 3, "town": "a"})])
    assert json.loads(reply.body) == {"answers": [{"value": 84.5, "out_of_range": False}], "model": houses.digest}


def test_our_own_fault_is_a_500_without_a_trace_and_only_for_the_request_that_meets_it(
    flowers: Bundle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails_on_nine(columns: dict[str, np.ndarray]) -> Answers:
        if (columns["petal-length"] == 9.0).any():
            raise RuntimeError("secret path /home")
        return sound(columns)

    sound = flowers.answer
    monkeypatch.setattr(flowers, "answer", fails_on_nine)
    replies = Answerer(flowers).replies([body(GOOD_ROW), body({**GOOD_ROW, "petal-length": 9}), body(GOOD_ROW)])
    assert [reply.status for reply in replies] == [200, 500, 200]
    assert b"secret" not in replies[1].body and b"it is not the request's fault" in replies[1].body
    assert "secret path" in caplog.text


def test_an_answer_inside_the_ranges_that_is_not_finite_is_our_fault(
    flowers: Bundle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Answers(flowers.levels, np.full((1, 3), np.nan, np.float32), None, np.array([False]))
    monkeypatch.setattr(flowers, "answer", lambda columns: broken)
    (reply,) = Answerer(flowers).replies([body(GOOD_ROW)])
    assert reply.status == 500 and b"NaN" in reply.body
    assert "not finite" in caplog.text


def test_intervals_and_sets_are_served_as_the_bundle_gives_them(tmp_path: Path) -> None:
    conformal = Conformal(kind="absolute", level=0.9, rows=99, bound=2.5)
    houses = house_bundle(tmp_path / "houses", HOUSES.model_copy(update={"conformal": conformal}))
    (reply,) = Answerer(houses).replies([body({"rooms": 3, "town": "a"})])
    assert json.loads(reply.body)["answers"] == [{"value": 84.5, "low": 82.0, "high": 87.0, "out_of_range": False}]
    sets = Conformal(kind="aps", level=0.9, rows=99, bound=0.75)
    flowers = flower_bundle(tmp_path / "flowers", schema=FLOWERS.model_copy(update={"conformal": sets}))
    (reply,) = Answerer(flowers).replies([body(GOOD_ROW)])
    (answer,) = json.loads(reply.body)["answers"]
    assert answer["set"] == flowers.predict([GOOD_ROW]).records()[0]["set"]
