"""The application itself, over httpx's ASGI transport."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deepwright.core.bundle import Bundle
from deepwright.deploy import app as app_module
from deepwright.deploy.app import make_app
from deepwright.deploy.serve import make_app as also_there
from tests.deploy.bundles import GOOD_ROW

GOOD = json.dumps({"rows": [GOOD_ROW, {**GOOD_ROW, "petal-length": 100}]})
JSON = {"content-type": "application/json"}


def with_client(bundle: Bundle, use: Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]], **options: Any) -> None:
    async def scenario() -> None:
        app = make_app(bundle, **options)
        try:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                await use(client)
        finally:
            app.close()

    asyncio.run(scenario())


def test_health_names_the_model_and_its_golden_difference(flowers: Bundle) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        health = (await client.get("/health")).json()
        assert health.pop("uptime_s") >= 0
        assert health == {"status": "ok", "model": flowers.digest, "golden_difference": 0.0}

    with_client(flowers, use)


def test_the_first_page_links_to_pages_that_exist(flowers: Bundle) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        index = (await client.get("/")).json()
        assert index["predict"] == "POST /predict" and index["target"] == "species"
        assert index["links"] == ["/health", "/schema", "/openapi.json", "/metrics"]
        for link in index["links"]:
            assert (await client.get(link)).status_code == 200

    with_client(flowers, use)


def test_metrics_count_requests_rows_and_rows_out_of_range(flowers: Bundle) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        for _ in range(3):
            assert (await client.post("/predict", content=GOOD, headers=JSON)).status_code == 200
        await client.post("/predict", content="{}", headers=JSON)
        await client.get("/nowhere")
        page = await client.get("/metrics")
        assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        samples = {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(page.text)
            for sample in family.samples
        }
        assert samples["deepwright_requests_total", "/predict", "200"] == 3
        assert samples["deepwright_requests_total", "/predict", "422"] == 1
        assert samples["deepwright_requests_total", "404", "other"] == 1
        assert samples["deepwright_rows_total",] == 6
        assert samples["deepwright_out_of_range_rows_total",] == 3
        assert samples["deepwright_predict_seconds_count",] == 3
        assert samples["deepwright_predict_seconds_bucket", "+Inf"] == 3
        assert samples["deepwright_queue",] == 0
        assert samples["deepwright_queue_slots",] == 64
        assert samples["deepwright_model", flowers.digest] == 1

    with_client(flowers, use)


def test_a_server_without_a_free_place_says_when_to_come_again(flowers: Bundle) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        reply = await client.post("/predict", content=GOOD, headers=JSON)
        assert reply.status_code == 503
        assert reply.headers["retry-after"] == "1"
        assert (await client.get("/health")).status_code == 200

    with_client(flowers, use, queue=0)


def test_a_further_host_is_served_when_it_was_named(flowers: Bundle) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        assert (await client.get("/health", headers={"host": "model.example"})).status_code == 200
        assert (await client.get("/health", headers={"host": "other.example"})).status_code == 421

    with_client(flowers, use, hosts=("model.example",))


def test_every_refusal_forbids_caching_and_sniffing(flowers: Bundle) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        for reply in [await client.get("/health"), await client.get("/nowhere"), await client.get("/metrics")]:
            assert reply.headers["cache-control"] == "no-store"
            assert reply.headers["x-content-type-options"] == "nosniff"

    with_client(flowers, use)


def test_make_app_is_found_beside_serve() -> None:
    assert also_there is make_app


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_other_methods_are_refused_with_the_allowed_one(flowers: Bundle, method: str) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        reply = await client.request(method, "/predict")
        assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
        reply = await client.request(method, "/health")
        assert (reply.status_code, reply.headers["allow"]) == (405, "GET")

    with_client(flowers, use)


class Sender:
    """A client that sends its body in pieces of 10 bytes; `num` pieces, or without end."""

    def __init__(self, num: int | None) -> None:
        self.num = num
        self.taken = 0
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        self.taken += 1
        return {"type": "http.request", "body": b" " * 10, "more_body": self.taken != self.num}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append({**message, "taken": self.taken})


def answered(bundle: Bundle, sender: Sender, *headers: tuple[bytes, bytes]) -> int:
    """The status that the application gives; the body limit is 100 bytes."""
    head = [(b"host", b"localhost"), (b"content-type", b"application/json"), *headers]

    async def scenario() -> None:
        app = make_app(bundle, body_limit_bytes=100)
        try:
            await app(
                {"type": "http", "method": "POST", "path": "/predict", "headers": head}, sender.receive, sender.send
            )
        finally:
            app.close()

    asyncio.run(scenario())
    return int(sender.sent[0]["status"])


def test_no_more_of_a_body_without_a_length_is_kept_than_the_limit(flowers: Bundle) -> None:
    sender = Sender(200)
    assert answered(flowers, sender) == 413
    assert sender.sent[0]["taken"] == 11  # the refusal is sent at the eleventh piece of ten bytes


def test_a_refused_body_is_drained_after_the_refusal_so_that_the_client_can_read_it(flowers: Bundle) -> None:
    sender = Sender(50)
    assert answered(flowers, sender, (b"content-length", b"500")) == 413
    assert (b"connection", b"close") in sender.sent[0]["headers"]
    assert [(message.get("more_body"), message["taken"]) for message in sender.sent] == [
        (None, 0),
        (True, 0),
        (False, 50),
    ]


def test_a_refused_body_without_end_is_drained_for_a_moment_only(
    flowers: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "LINGER_S", 0.05)
    sender = Sender(None)
    assert answered(flowers, sender) == 413
    assert sender.sent[-1]["more_body"] is False


def test_a_client_that_goes_away_within_its_body_is_sent_nothing(flowers: Bundle) -> None:
    class Gone(Sender):
        async def receive(self) -> dict[str, Any]:
            return await super().receive() if self.taken < 3 else {"type": "http.disconnect"}

    sender = Gone(None)
    with pytest.raises(IndexError):
        answered(flowers, sender)
    assert sender.sent == []
