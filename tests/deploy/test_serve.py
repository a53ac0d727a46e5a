"""A real server against bad requests on raw sockets; after each one a good request is answered."""

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from deepwright.core.bundle import Bundle
from deepwright.core.errors import BundleError, ResourceError, UsageError
from deepwright.deploy.serve import listen, serve
from tests.deploy.bundles import GOOD_ROW
from tests.deploy.servers import DEADLINE_S, SCRIPT, Response, Server, raw, read_response, request, running

HEAVY = {"torch", "onnx", "polars", "pandas", "sklearn", "scipy", "matplotlib", "pyarrow", "pickle5", "joblib"}
GOOD = json.dumps({"rows": [GOOD_ROW]}).encode()


def rows(**changes: Any) -> bytes:
    return json.dumps({"rows": [{**GOOD_ROW, **changes}]}).encode()


def row_text(text: str) -> bytes:
    """A body whose petal-length is this JSON text."""
    return GOOD.replace(b"4.5", text.encode())


def assert_good(server: Server, flowers: Bundle) -> None:
    response = raw(server.port, request(GOOD))
    assert response.status == 200, response
    expected = flowers.predict([GOOD_ROW]).records()
    assert response.json == {"answers": expected, "model": flowers.digest}


def assert_refusal(response: Response, status: int) -> None:
    assert response.status == status, response
    error = response.json["error"]
    assert sorted(error) == ["allowed", "found", "text", "where"]
    assert error["where"] and error["text"].endswith(".") and "Traceback" not in error["text"]


CHUNKED = b"\r\n".join(
    [
        b"POST /predict HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Content-Type: application/json",
        b"Transfer-Encoding: chunked",
        b"",
        b"",
    ]
)

BAD: dict[str, tuple[bytes, int]] = {
    "A1 empty body": (request(b""), 400),
    "A1 spaces only": (request(b"  \n"), 400),
    "A2 cut JSON": (request(GOOD[:-5]), 400),
    "A2 trailing junk": (request(GOOD + b"x"), 400),
    "A3 NaN": (request(row_text("NaN")), 400),
    "A4 Infinity": (request(row_text("-Infinity")), 400),
    "A5 1e400": (request(row_text("1e400")), 400),
    "A5 number between the limits": (request(row_text("1.75e308")), 422),
    "A7 rows of other widths": (request(b'{"rows": [[1, 2, 3], [1, 2]]}'), 422),
    "A8 a field too few": (request(b'{"rows": [{"petal-length": 1}]}'), 422),
    "A9 no rows": (request(b'{"rows": []}'), 422),
    "A9 empty row": (request(b'{"rows": [{}]}'), 422),
    "A9 rows is null": (request(b'{"rows": null}'), 422),
    "A9 no key rows": (request(b"{}"), 422),
    "A9 a list": (request(b"[]"), 422),
    "A9 a further key": (request(GOOD[:-1] + b', "x": 1}'), 422),
    "A10 null row": (request(b'{"rows": [null]}'), 422),
    "A11 bool for a number": (request(row_text("true")), 422),
    "A11 text for a number": (request(row_text('"1"')), 422),
    "A11 number for a text": (request(rows(colour=1)), 422),
    "A11 list for a number": (request(row_text("[1]")), 422),
    "A12 5,000 digits": (request(row_text("9" * 5000)), 400),
    "A12 400 digits": (request(row_text("9" * 400)), 422),
    "A13 deep nesting in a value": (request(row_text("[" * 9000 + "]" * 9000)), 400),
    "A13 deep nesting alone": (request(b"[" * 19_000), 400),
    "A13 deep objects in an unknown field": (request(GOOD[:-3] + b', "x": ' + b'{"a":' * 3000 + b"}]}"), 400),
    "A14 lone surrogate": (request(rows(colour="X").replace(b"X", b"\\ud800")), 400),
    "A14 lone surrogate in a key": (request(GOOD.replace(b"colour", b"col\\uDC00our")), 400),
    "A15 bad UTF-8": (request(rows(colour="X").replace(b"X", b"\xff")), 400),
    "A15 surrogate as UTF-8": (request(rows(colour="X").replace(b"X", b"\xed\xa0\x80")), 400),
    "A15 UTF-16": (request(GOOD.decode().encode("utf-16")), 400),
    "A15 byte order mark": (request(b"\xef\xbb\xbf" + GOOD), 400),
    "A16 duplicate key in a row": (request(GOOD.replace(b'"colour"', b'"petal-length": 9, "colour"')), 400),
    "A16 duplicate key by escape": (request(GOOD.replace(b'"colour"', b'"petal\\u002dlength": 9, "colour"')), 400),
    "A16 duplicate key with a colon in a text": (request(rows(colour="a:b")[:-3] + b', "colour": "c"}]}'), 400),
    "A16 duplicate rows": (request(GOOD[:-1] + b', "rows": []}'), 400),
    "A17 missing feature": (request(GOOD.replace(b"colour", b"color")), 422),
    "A17 extra feature": (request(rows(weight=1)), 422),
    "A18 form": (request(GOOD, b"Content-Type: application/x-www-form-urlencoded"), 415),
    "A18 text": (request(GOOD, b"Content-Type: text/plain"), 415),
    "A18 none": (request(GOOD, b"-content-type:"), 415),
    "A18 two": (request(GOOD, b"Content-Type : application/json", b"X: y"), 400),
    "A18 another charset": (request(GOOD, b"Content-Type: application/json; charset=utf-16"), 415),
    "A18 gzip": (request(GOOD, b"Content-Encoding: gzip"), 415),
    "A19 negative length": (request(GOOD, length=b"-5"), 400),
    "A19 two lengths": (request(GOOD, b"X: y\r\nContent-Length: 5"), 400),
    "A19 length and chunks": (request(GOOD, b"Transfer-Encoding: chunked"), 400),
    "A19 huge length": (request(GOOD, length=b"9" * 30), 400),
    "A19 no number": (request(GOOD, length=b"five"), 400),
    "A19 bad chunk size": (CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n", 400),
    "A20 shorter than its length": (request(GOOD, length=b"5000"), 408),
    "A20 chunks that never end": (CHUNKED + b"5\r\nabcde\r\n", 408),
    "A20 head that never ends": (b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nX-", 408),
    "A21 200 MB by its length": (request(b"x" * 60_000, length=b"200000000"), 413),
    "A21 too large and sent whole": (request(b"[" * 60_000), 413),
    "A21 chunks beyond the limit": (CHUNKED + (b"1000\r\n" + b" " * 4096 + b"\r\n") * 10 + b"0\r\n\r\n", 413),
    "A22 100 kB in one header": (request(GOOD, b"X-Long: " + b"a" * 100_000), 431),
    "A22 100 kB in many headers": (request(GOOD, *(b"X-%d: " % i + b"a" * 100 for i in range(1000))), 431),
    "A22 100 kB of path": (request(b"", head=b"GET /" + b"a" * 100_000 + b" HTTP/1.1"), 431),
    "A22 header line that never ends": (b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000, 431),
    "A23 foreign host": (request(GOOD, b"Host: evil.example"), 421),
    "A23 foreign host with our name before it": (request(GOOD, b"Host: 127.0.0.1.evil.example"), 421),
    "A23 no host": (request(GOOD, b"-host:"), 421),
    "A23 two hosts": (request(GOOD, b"Host: 127.0.0.1\r\nHost: evil.example"), 400),
    "A23 foreign host on a page": (request(b"", b"Host: evil.example", head=b"GET /health HTTP/1.1"), 421),
    "A24 foreign origin": (request(GOOD, b"Origin: http://evil.example"), 403),
    "A24 origin null": (request(GOOD, b"Origin: null"), 403),
    "A24 foreign origin on a page": (request(b"", b"Origin: http://evil.example", head=b"GET /metrics HTTP/1.1"), 403),
    "A24 our host at another port": (request(GOOD, b"Origin: http://127.0.0.1:1"), 403),
    "A26 multipart with a long boundary": (
        request(b"--" + b"b" * 10_000, b"Content-Type: multipart/form-data; boundary=" + b"b" * 10_000),
        415,
    ),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", 400),
    "bad path": (request(b"", head=b"GET http://[::1 HTTP/1.1"), 400),
    "bytes in the path": (request(b"", head=b"GET /\xff HTTP/1.1"), 400),
    "unknown path": (request(GOOD, head=b"POST /v2/models HTTP/1.1"), 404),
    "GET of predict": (request(b"", head=b"GET /predict HTTP/1.1"), 405),
    "DELETE of health": (request(b"", head=b"DELETE /health HTTP/1.1"), 405),
    "GET with a body": (request(GOOD, head=b"GET /health HTTP/1.1"), 400),
    "websocket": (
        request(b"", b"Connection: Upgrade", b"Upgrade: websocket", head=b"GET /predict HTTP/1.1"),
        405,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_refused_in_plain_words_and_the_next_good_one_is_answered(
    server: Server, flowers: Bundle, name: str
) -> None:
    content, status = BAD[name]
    assert_refusal(raw(server.port, content), status)
    assert_good(server, flowers)


ACCEPTED: dict[str, tuple[bytes, bool]] = {
    "A6 finite in float64, not in float32": (row_text("1e39"), True),
    "A17 unknown level": (rows(colour="never seen"), True),
    "a missing number": (row_text("null"), False),
    "a colon in a text": (rows(colour="red: deep"), False),
    "an escaped key": (GOOD.replace(b"petal-length", b"petal\\u002dlength"), False),
    "the target and an ignored column sent along": (rows(species="x:y", **{"row id": "7"}), False),
    "an ignored column of another type": (rows(**{"row id": {"a": [1, 2]}}), False),
    "a whole number": (row_text("4"), False),
    "1e-400 is 0": (row_text("1e-400"), True),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_unusual_but_right_request_is_answered_as_the_bundle_answers(
    server: Server, flowers: Bundle, name: str
) -> None:
    body, is_out_of_range = ACCEPTED[name]
    response = raw(server.port, request(body))
    assert response.status == 200, response
    row = {key: value for key, value in json.loads(body)["rows"][0].items() if key in GOOD_ROW}
    assert response.json["answers"] == flowers.predict([row]).records()
    assert response.json["answers"][0]["out_of_range"] is is_out_of_range


@pytest.mark.parametrize(
    "lines",
    [
        (b"Content-Type: application/json; charset=UTF-8",),
        (b"Host: LOCALHOST:8765",),
        (b"Host: [::1]:8765",),
        (b"Origin: http://127.0.0.1",),
        (b"Expect: 100-continue",),
    ],
)
def test_what_good_clients_send_is_taken(server: Server, lines: tuple[bytes, ...]) -> None:
    assert raw(server.port, request(GOOD, *lines)).status == 200


def test_a_row_without_a_finite_answer_is_refused_as_the_rows_fault(server: Server, flowers: Bundle) -> None:
    body = json.dumps({"rows": [GOOD_ROW, {**GOOD_ROW, "高度": None}]}).encode()  # this model cannot take it missing
    response = raw(server.port, request(body))
    assert_refusal(response, 422)
    assert response.json["error"]["where"] == "rows[1]"
    assert_good(server, flowers)


def test_a_chunked_body_within_the_limit_is_answered(server: Server) -> None:
    content = CHUNKED + b"%x\r\n" % len(GOOD) + GOOD + b"\r\n0\r\n\r\n"
    assert raw(server.port, content).status == 200


def test_a_client_that_ends_its_side_early_gets_no_answer_and_harms_nobody(server: Server, flowers: Bundle) -> None:
    with pytest.raises(ConnectionError):
        raw(server.port, request(GOOD, length=b"5000"), finish=True)
    assert_good(server, flowers)


def test_half_open_connections_are_closed_at_the_deadline_and_hold_nobody(server: Server, flowers: Bundle) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    for connection, start in zip(silent, [b"", b"\r\n", b"POST", request(GOOD, length=b"900")] * 13, strict=False):
        connection.sendall(start)
    started_s = time.monotonic()
    assert_good(server, flowers)
    assert time.monotonic() - started_s < DEADLINE_S  # it did not wait until one of them was closed
    for connection in silent:
        connection.settimeout(DEADLINE_S + 3.0)
        while connection.recv(65536):
            pass
        connection.close()
    assert time.monotonic() - started_s < DEADLINE_S + 3.0


@pytest.mark.parametrize("start", [b"\r\n", b"POST /predict HTTP/1.1\r\nHost: 127"])
def test_the_deadline_holds_for_the_second_request_of_a_connection_too(server: Server, start: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=3.0) as connection:
        connection.sendall(request(GOOD))
        assert read_response(connection).status == 200
        connection.sendall(start)
        assert_refusal(read_response(connection), 408)
        assert connection.recv(1) == b""


def test_keep_alive_answers_many_requests_on_one_connection(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5.0) as connection:
        for _ in range(20):
            connection.sendall(request(GOOD))
            assert read_response(connection).status == 200
            connection.sendall(request(b"{}"))
            assert read_response(connection).status == 422


def test_many_clients_at_once_each_get_the_answer_to_their_own_rows(server: Server, flowers: Bundle) -> None:
    wrong: list[Any] = []

    def client(number: int) -> None:
        for turn in range(5):
            sent = [{**GOOD_ROW, "petal-length": float(number), "高度": turn}] * (1 + number % 3)
            response = raw(server.port, request(json.dumps({"rows": sent}).encode()))
            expected = flowers.predict(sent).records()
            answers = response.json["answers"]
            near = all(
                abs(a["probability"][level] - e["probability"][level]) < 1e-6
                for a, e in zip(answers, expected, strict=True)
                for level in flowers.levels
            )
            if response.status != 200 or not near:
                wrong.append((number, turn, response))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_after_the_request_in_flight_is_answered(flowers: Bundle, number: int) -> None:
    with running(Path(flowers.folder), deadline_s=5.0) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5.0) as connection:
            whole = request(GOOD)
            connection.sendall(whole[:-10])
            assert_good(server, flowers)  # by now the server has taken the first part
            server.process.send_signal(number)
            wait_until_closed(server.port)
            connection.settimeout(0.5)
            with pytest.raises(TimeoutError):  # our request is waited for
                connection.recv(1)
            connection.settimeout(5.0)
            connection.sendall(whole[-10:])
            assert read_response(connection).status == 200
        assert server.process.wait(timeout=10.0) == 0


def test_the_serving_process_loads_nothing_heavy(flowers: Bundle, houses: Bundle) -> None:
    with running(Path(houses.folder)) as server:
        assert raw(server.port, request(b'{"rows": [{"rooms": 3, "town": "a"}]}')).json["answers"][0]["value"] == 84.5
        for path in (b"/", b"/health", b"/metrics", b"/schema", b"/openapi.json"):
            assert raw(server.port, request(b"", head=b"GET " + path + b" HTTP/1.1")).status == 200
        assert server.stop() == 0
    assert "onnxruntime" in server.modules
    assert HEAVY.intersection(server.modules) == set()


def test_a_taken_port_is_one_sentence_with_the_fix() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(ResourceError) as caught:
            listen("127.0.0.1", port)
    assert str(caught.value) == (
        f"127.0.0.1: port {port} is taken by another program. "
        f"Choose another with --port {port + 1}, or --port 0 for a free one."
    )
    assert caught.value.exit_code == 5


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("127.0.0.1", -1), ("no such host", 0)])
def test_an_address_that_cannot_be_is_refused(host: str, port: int) -> None:
    with pytest.raises(UsageError) as caught:
        listen(host, port)
    assert host in str(caught.value) or str(port) in str(caught.value)


def test_a_changed_bundle_is_not_served(flowers: Bundle, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(flowers.folder, tmp_path / "copy"))
    content = bytearray((copy / "graph.onnx").read_bytes())
    content[100] ^= 1
    (copy / "graph.onnx").write_bytes(content)
    with pytest.raises(BundleError):
        serve(copy, port=0)


def test_without_a_listener_of_its_own_the_line_is_printed(flowers: Bundle) -> None:
    script = SCRIPT.replace("ready=lambda line: print(line, flush=True), ", "")
    command = [sys.executable, "-c", script, str(flowers.folder), '{"port": 0, "host": "localhost"}']
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10.0)
    assert " http://localhost:" in line and flowers.digest[:12] in line


def wait_until_closed(port: int) -> None:
    """Until the server takes no more connections: it has seen the signal."""
    until_s = time.monotonic() + 5.0
    while time.monotonic() < until_s:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except (ConnectionRefusedError, ConnectionResetError):
            return
    raise AssertionError("the server did not stop listening")


@pytest.mark.parametrize("num", [600, pytest.param(30_000, marks=pytest.mark.slow)])
def test_changed_bytes_are_never_answered_5xx_and_memory_stays(flowers: Bundle, num: int) -> None:
    draw = random.Random(0)
    pieces = [
        b"",
        b'"',
        b"{",
        b"}",
        b"[",
        b":",
        b",",
        b"\\u",
        b"\xff",
        b"\x00",
        b"9" * 400,
        b"NaN",
        b"e",
        b"-",
        b"\r\n",
    ]
    statuses: Counter[int] = Counter()
    with running(Path(flowers.folder), deadline_s=0.5) as server:
        before = resident_bytes(server.process.pid)
        for number in range(num):
            content = bytearray(request(GOOD) if number % 4 == 0 else GOOD)
            for _ in range(draw.randint(1, 3)):
                place = draw.randrange(len(content))
                content[place : place + draw.randint(0, 2)] = draw.choice(pieces)
            sent = bytes(content) if number % 4 == 0 else request(bytes(content))
            try:
                statuses[raw(server.port, sent, finish=number % 4 == 0).status] += 1
            except ConnectionError:  # a request that never ends, whose client has ended
                statuses[0] += 1
        assert_good(server, flowers)
        grown = resident_bytes(server.process.pid) - before
    assert [status for status in statuses if status >= 500] == []
    assert statuses[200] > 0 and statuses[400] > 100 and statuses[422] > 10
    assert grown < 64 << 20


def resident_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)
