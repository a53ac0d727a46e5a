"""The cases of the API, A: raw bytes to the server of a small table model, and the status that answers them."""

import json
from dataclasses import dataclass
from typing import Any

from tests.deploy.bundles import GOOD_ROW
from tests.deploy.servers import request
from tests.faults.case import Case

GOOD = json.dumps({"rows": [GOOD_ROW]}).encode()
LIMIT_BYTES = 20_000
DEADLINE_S = 1.0
CHUNKED = (
    b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)


@dataclass(frozen=True, kw_only=True)
class RequestCase(Case):
    """content: the bytes of the request. status: the answer. finish: our side ends after them."""

    content: bytes
    status: int
    finish: bool = False

    @property
    def answer(self) -> str:
        return f"{self.status}: {' ... '.join(self.says)}"


def case(row: str, what: str, content: bytes, status: int, *says: str, **options: Any) -> RequestCase:
    return RequestCase(row=row, what=what, outcome="REFUSE", content=content, status=status, says=says, **options)


def number(text: str) -> bytes:
    """A request whose petal-length is this JSON text."""
    return request(GOOD.replace(b"4.5", text.encode()))


def word(text: str) -> bytes:
    """A request whose colour is this JSON text."""
    return request(GOOD.replace(b'"=blue"', text.encode("utf-8", "surrogatepass")))


def post(body: bytes, *lines: bytes, **options: Any) -> bytes:
    return request(body, *lines, **options)


def get(path: bytes, *lines: bytes) -> bytes:
    return request(b"", *lines, head=b"GET " + path + b" HTTP/1.1")


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200)
HTML = b"<!DOCTYPE html><html><body>404</body></html>"

REQUESTS = [
    case("A1", "an empty body", post(b""), 400, "body: is empty"),
    case("A1", "blanks alone", post(b" \n"), 400, "body: is empty"),
    case("A2", "cut JSON", post(GOOD[:-5]), 400, "body: is not JSON"),
    case("A2", "junk behind the JSON", post(GOOD + b"x"), 400, "body: is not JSON"),
    case("A3", "NaN", number("NaN"), 400, "NaN is no number in JSON"),
    case("A4", "Infinity", number("Infinity"), 400, "Infinity is no number in JSON"),
    case("A5", "1e400", number("1e400"), 400, "beyond the largest number"),
    case("A6", "1.75e308", number("1.75e308"), 422, "row 0, field 'petal-length'", "must be finite"),
    case("A7", "rows of different widths", post(b'{"rows": [[1, 2, 3], [1, 2]]}'), 422, "row 0"),
    case("A8", "a row too short", post(b'{"rows": [{"petal-length": 1}]}'), 422, "row 0"),
    case("A9", "no rows", post(b'{"rows": []}'), 422, "rows: 0 rows"),
    case("A9", "an empty row", post(b'{"rows": [{}]}'), 422, "row 0"),
    case("A10", "null as rows", post(b'{"rows": null}'), 422, "rows: found NoneType"),
    case("A10", "null as a row", post(b'{"rows": [null]}'), 422, "row 0"),
    case("A10", "null where a value must be", post(GOOD.replace(b": 2,", b": null,")), 422, "rows[0]",
        "no finite answer"),
    case("A11", "true for a number", number("true"), 422, "row 0, field 'petal-length'", "a number or null"),
    case("A11", '"1" for a number', number('"1"'), 422, "row 0, field 'petal-length'", "a number or null"),
    case("A11", "a number for a text", word("1"), 422, "row 0, field 'colour'", "a text or null"),
    case("A12", "5,000 digits", number("9" * 5000), 400, "more than 400 digits"),
    case("A13", "100,000 brackets", post(b"[" * 100_000), 413, "body"),
    case("A13", "9,000 brackets", post(b'{"rows": ' + b"[" * 9000 + b"]" * 9000 + b"}"), 400, "deeper than 32"),
    case("A14", "a lone surrogate", word('"\\ud800"'), 400, "body: is not JSON"),
    case("A15", "bytes that are no UTF-8", post(GOOD.replace(b"=blue", b"\xff")), 400, "utf-8"),
    case("A15", "UTF-16", post(GOOD.decode().encode("utf-16")), 400, "utf-8"),
    case("A16", "a key that stands twice", post(GOOD.replace(b'"colour"', b'"petal-length": 9, "colour"')), 400,
        "the key 'petal-length' stands twice"),
    case("A16", "rows that stand twice", post(GOOD[:-1] + b', "rows": []}'), 400, "the key 'rows' stands twice"),
    case("A17", "a missing feature", post(GOOD.replace(b'"petal-length": 4.5, ', b"")), 422, "petal-length"),
    case("A17", "a feature too many", post(GOOD.replace(b'{"petal', b'{"weight": 1, "petal')), 422, "'weight'"),
    case("A18", "a form", post(GOOD, b"Content-Type: application/x-www-form-urlencoded"), 415, "Content-Type"),
    case("A18", "no type", post(GOOD, b"-content-type:"), 415, "Content-Type"),
    case("A18", "gzip", post(GOOD, b"Content-Encoding: gzip"), 415, "Content-Encoding"),
    case("A19", "a negative length", post(GOOD, length=b"-5"), 400, "no HTTP request"),
    case("A19", "two lengths", post(GOOD, b"X: y\r\nContent-Length: 5"), 400, "no HTTP request"),
    case("A19", "length and chunks", post(GOOD, b"Transfer-Encoding: chunked"), 400, "no HTTP request"),
    case("A20", "a body shorter than its length", post(GOOD, length=b"5000"), 408, "body: it had not arrived"),
    case("A20", "chunks that never end", CHUNKED + b"5\r\nabcde\r\n", 408, "body: it had not arrived"),
    case("A21", "200 MB by its length", post(b"x" * 60_000, length=b"200000000"), 413, "200000000 bytes"),
    case("A21", "200 MB in chunks", CHUNKED + (b"100000\r\n" + b" " * (1 << 20) + b"\r\n") * 3, 413, "at most 20000"),
    case("A22", "a header of 100 kB", post(GOOD, b"X-Long: " + b"a" * 100_000), 431, "head"),
    case("A22", "100 kB in 1,000 headers", post(GOOD, *(b"X-%d: " % i + b"a" * 100 for i in range(1000))), 431, "head"),
    case("A23", "a foreign host", post(GOOD, b"Host: evil.example"), 421, "'evil.example' is not served here"),
    case("A23", "a foreign host of a page", get(b"/health", b"Host: evil.example"), 421, "is not served here"),
    case("A24", "a foreign origin", post(GOOD, b"Origin: http://evil.example"), 403, "may not call this server"),
    case("A24", "a foreign origin of a page", get(b"/metrics", b"Origin: null"), 403, "may not call this server"),
    case("A25", "an image to a model of tables", post(JPEG, b"Content-Type: image/jpeg"), 415, "image/jpeg"),
    case("A25", "a cut image as JSON", post(JPEG), 400, "body: is not JSON"),
    case("A25", "HTML as JSON", post(HTML), 400, "body: is not JSON"),
    case("A26", "multipart with a boundary of 10 kB",
        post(b"--" + b"b" * 10_000, b"Content-Type: multipart/form-data; boundary=" + b"b" * 10_000), 415,
        "Content-Type"),
]  # fmt: skip

FLAGGED = [
    RequestCase(row=row, what=what, outcome="ACCEPT", content=content, status=200, says=("out_of_range is true",))
    for row, what, content in (
        ("A6", "1e39, whose answer is finite", number("1e39")),
        ("A17", "a category never seen", word('"purple"')),
    )
]
"""What has an answer, and a warning in it."""
