"""A client of the server on the standard library: rows in, answers out, the server's refusals as errors."""

import http.client
import json
import math
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypedDict
from urllib.parse import urlsplit

from deepwright.core.errors import DataError, ResourceError, UsageError

BODY_BYTES = 256 << 10
BODY_ROWS = 5_000
"""Rows are sent in requests of about this size at most, well below the server's limits."""


class Answer(TypedDict, total=False):
    """label (of several: labels) and probability for classes, value for a regression; out_of_range always; where the
    bundle has them the set of levels that may be true, or the low and high ends of the value's interval."""

    label: str
    labels: list[str]
    probability: dict[str, float]
    set: list[str]
    value: float
    low: float
    high: float
    out_of_range: bool


class Client:
    """One connection to a server, kept open between calls; not for several threads at once.

    >>> Client("http://127.0.0.1:8765").url
    'http://127.0.0.1:8765'
    """

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise UsageError("client.bad_url", url=url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.url = url.rstrip("/")
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def predict(self, rows: Iterable[Mapping[str, Any]]) -> list[Answer]:
        """One answer per row, in their order; None and NaN stand for a missing value, an image is its file's bytes.

        Raises DataError where the server refuses a row, ResourceError where it is busy or not there.
        """
        answers: list[Answer] = []
        for body in _bodies(rows):
            answers += self._call("POST", "/predict", body)["answers"]
        return answers

    def health(self) -> dict[str, Any]:
        """The model's digest, its golden difference on the server's machine, and the uptime in seconds."""
        return dict(self._call("GET", "/health"))

    def schema(self) -> dict[str, Any]:
        """The features with their types, ranges and levels."""
        return dict(self._call("GET", "/schema"))

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        status, content = self._exchange(method, path, body)
        try:
            value = json.loads(content)
        except ValueError:
            raise ResourceError("client.no_json", url=self.url, status=status) from None
        if status == 200:
            return value
        sentence = value.get("error", {}).get("text", status) if isinstance(value, dict) else status
        if status >= 500:
            raise ResourceError("client.unanswered", url=self.url, status=status, why=sentence)
        raise DataError("client.refused", url=self.url, status=status, why=sentence)

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """A prediction changes nothing, so one on a connection that the server had closed meanwhile is sent again."""
        was_open = self._connection.sock is not None
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            if was_open and isinstance(error, ConnectionError | http.client.RemoteDisconnected):
                return self._exchange(method, path, body)
            raise ResourceError("client.unreachable", url=self.url, why=error or type(error).__name__) from None


def _bodies(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    pieces: list[bytes] = []
    size = 0
    for row in rows:
        piece = json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False).encode()
        if pieces and (size + len(piece) > BODY_BYTES or len(pieces) == BODY_ROWS):
            yield b'{"rows":[' + b",".join(pieces) + b"]}"
            pieces, size = [], 0
        pieces.append(piece)
        size += len(piece) + 1
    if pieces:
        yield b'{"rows":[' + b",".join(pieces) + b"]}"


def _plain(value: Any) -> Any:
    """A Python or numpy scalar, or the bytes of an image, as JSON has it."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and math.isnan(value) else value
