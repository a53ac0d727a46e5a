"""A: every bad request to one real server; after each a good one is answered, and its memory stays."""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deepwright.core import strict_json
from deepwright.core.bundle import Bundle
from deepwright.deploy.guard import Guard
from deepwright.deploy.refusal import RequestError
from deepwright.deploy.rows import RowReader
from tests.deploy.bundles import GOOD_ROW, flower_bundle
from tests.deploy.servers import Server, raw, request, running
from tests.faults.requests import DEADLINE_S, FLAGGED, GOOD, LIMIT_BYTES, REQUESTS, RequestCase

GROWTH_BYTES = 64 << 20


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return flower_bundle(tmp_path_factory.mktemp("flowers") / "bundle")


@pytest.fixture(scope="module")
def server(flowers: Bundle) -> Iterator[Server]:
    with running(Path(flowers.folder), body_limit_bytes=LIMIT_BYTES, deadline_s=DEADLINE_S) as started:
        raw(started.port, request(GOOD))
        yield started


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: case.id)
def test_is_refused_in_one_sentence_and_the_next_good_request_is_answered(
    case: RequestCase, server: Server, flowers: Bundle
):
    before = psutil.Process(server.process.pid).memory_info().rss
    started_s = time.monotonic()
    response = raw(server.port, case.content, finish=case.finish)
    assert time.monotonic() - started_s < DEADLINE_S + 1.5
    assert (response.status, case.status // 100) == (case.status, 4)
    error = response.json["error"]
    assert sorted(error) == ["allowed", "found", "text", "where"]
    for words in case.says:
        assert words in error["text"], error["text"]
    assert "Traceback" not in error["text"]
    assert_good(server, flowers)
    assert psutil.Process(server.process.pid).memory_info().rss - before < GROWTH_BYTES


@pytest.mark.parametrize("case", FLAGGED, ids=lambda case: case.id)
def test_a_row_unlike_those_of_training_is_answered_and_flagged(case: RequestCase, server: Server):
    response = raw(server.port, case.content)
    assert response.status == case.status
    assert [answer["out_of_range"] for answer in response.json["answers"]] == [True]
    assert all(0 <= share <= 1 for share in response.json["answers"][0]["probability"].values())


def assert_good(server: Server, flowers: Bundle) -> None:
    response = raw(server.port, request(GOOD))
    assert response.status == 200
    assert response.json == {"answers": flowers.predict([GOOD_ROW]).records(), "model": flowers.digest}


BODIES = [case for case in REQUESTS if case.row in ("A3", "A4", "A13", "A16") and case.status == 400]


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case.id)
def test_without_the_strict_reader_the_body_is_not_refused_for_its_fault(case: RequestCase, flowers, monkeypatch):
    import json

    body = case.content.partition(b"\r\n\r\n")[2]
    reader = RowReader(flowers.schema)
    with pytest.raises(RequestError) as refused:
        reader.read(body)
    monkeypatch.setattr(strict_json, "loads", json.loads)
    try:
        reader.read(body)
    except (RequestError, RecursionError) as other:
        assert str(other) != str(refused.value)


@pytest.mark.parametrize("header", [(b"host", b"evil.example"), (b"origin", b"http://evil.example")])
def test_without_the_guard_a_foreign_page_is_let_in(header: tuple[bytes, bytes], monkeypatch):
    scope = {"headers": list({b"host": b"127.0.0.1", **dict([header])}.items())}
    with pytest.raises(RequestError):
        Guard((), 100).head(scope)
    monkeypatch.setattr(Guard, "_check_host", lambda *_: None)
    assert Guard((), 100).head(scope)[header[0]] == header[1]
