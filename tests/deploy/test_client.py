"""The client against a real server, and against what is none."""

import socket
import threading
from typing import Any

import numpy as np
import pytest

from deepwright.core.bundle import Bundle
from deepwright.core.errors import DataError, ResourceError, UsageError
from deepwright.deploy import client as client_module
from deepwright.deploy.client import Client
from tests.deploy.bundles import GOOD_ROW
from tests.deploy.servers import Server


def reply(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body


def test_answers_come_in_the_order_of_the_rows_over_several_requests(
    server: Server, flowers: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "BODY_BYTES", 300)
    rows = [{**GOOD_ROW, "petal-length": number / 10} for number in range(40)]
    with Client(server.url) as client:
        answers = client.predict(rows)
    expected = flowers.predict(rows).records()
    assert [answer["label"] for answer in answers] == [record["label"] for record in expected]
    assert [a["probability"] for a in answers] == [pytest.approx(record["probability"]) for record in expected]


def test_numpy_scalars_and_nan_are_sent_as_json_has_them(server: Server, flowers: Bundle) -> None:
    row = {"petal-length": np.nan, "高度": np.int64(3), "colour": None}
    with Client(server.url) as client:
        assert client.predict([row]) == flowers.predict([row]).records()


def test_health_and_schema_are_read(server: Server, flowers: Bundle) -> None:
    with Client(server.url + "/") as client:
        assert client.health()["model"] == flowers.digest
        assert [feature["name"] for feature in client.schema()["features"]] == list(flowers.schema.names)


def test_a_refusal_is_the_servers_sentence(server: Server) -> None:
    with Client(server.url) as client, pytest.raises(DataError) as caught:
        client.predict([{**GOOD_ROW, "petal-length": "x"}])
    assert str(caught.value) == (
        f"{server.url}: refused the request (422): row 0, field 'petal-length': found 'x'; "
        "this field takes a number, or null. It takes: a number or null."
    )


def test_no_rows_are_no_request() -> None:
    assert Client("http://127.0.0.1:1").predict([]) == []


def test_a_server_that_is_not_there_is_named_with_the_fix() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with Client(url) as client, pytest.raises(ResourceError) as caught:
            client.health()
    assert str(caught.value).startswith(f"{url}: no answer (")
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("url", ["127.0.0.1:8765", "file:///etc/passwd", "http://", "http://h/path", "http://h/?q=1"])
def test_what_is_no_servers_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Client(url)
    assert str(caught.value) == f"'{url}' is no server's address. It looks like http://127.0.0.1:8765."


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again() -> None:
    taken: list[int] = []

    def two_connections(listener: socket.socket) -> None:
        for number in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(reply(200, b'{"status":"ok"}'))
            taken.append(number)

    _with_server(two_connections, lambda client: [client.health(), client.health()])
    assert taken == [0, 1]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (reply(200, b"<ht>"), ResourceError, "something that is not JSON"),
        (reply(503, b'{"error": {"text": "all taken"}}'), ResourceError, "could not answer (503): all taken"),
        (reply(404, b"[]"), DataError, "refused the request (404): 404"),
        (b"SSH-2.0-OpenSSH\r\n", ResourceError, "no answer ("),
    ],
)
def test_what_is_no_answer_of_ours_is_told(content: bytes, error: type[Exception], words: str) -> None:
    def once(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(content)

    with pytest.raises(error) as caught:
        _with_server(once, lambda client: client.health())
    assert words in str(caught.value)


def _with_server(behave: Any, use: Any) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(5.0)
        thread = threading.Thread(target=behave, args=(listener,))
        thread.start()
        try:
            with Client(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=5.0) as client:
                use(client)
        finally:
            thread.join()
