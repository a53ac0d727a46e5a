"""Connection: uvicorn's HTTP parser with a deadline and a limit for the head of a request.

uvicorn waits for ever on a half-open connection and takes a head of any size; both are ways to hold a server.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from deepwright.deploy.refusal import RequestError

HEAD_LIMIT_BYTES = 32 << 10


def connection_class(deadline_s: float) -> type[HttpToolsProtocol]:
    """The protocol class for uvicorn; the head of each request must have arrived within `deadline_s`."""

    class Connection(HttpToolsProtocol):
        _timer: asyncio.TimerHandle | None = None
        _is_reading_head = True
        _head_bytes = 0
        _num_messages = 0
        _is_refused = False

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._timer = self.loop.call_later(deadline_s, self._too_slow)

        def data_received(self, data: bytes) -> None:
            if self._is_reading_head and self._timer is None:
                self._timer = self.loop.call_later(deadline_s, self._too_slow)
            num_messages = self._num_messages
            super().data_received(data)
            if self._is_reading_head and num_messages == self._num_messages and not self._is_refused:
                # what the parser holds back of a line that does not end is counted here
                self._head_bytes += len(data)
                if self._head_bytes > 2 * HEAD_LIMIT_BYTES:
                    self._refuse(_head_too_large())

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._head_bytes = 0

        def on_url(self, url: bytes) -> None:
            self._count(len(url))
            super().on_url(url)

        def on_header(self, name: bytes, value: bytes) -> None:
            self._count(len(name) + len(value))
            super().on_header(name, value)

        def on_headers_complete(self) -> None:
            self._is_reading_head = False
            self._stop_timer()
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._num_messages += 1
            self._is_reading_head = True
            self._head_bytes = 0

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            """What uvicorn calls for bytes that are no HTTP; also after an exception of the methods above."""
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._refuse(_head_too_large())
            else:
                self._refuse(RequestError("request.no_http", status=400, where="connection", allowed="HTTP/1.1"))

        def _count(self, size: int) -> None:
            self._head_bytes += size
            if self._head_bytes > HEAD_LIMIT_BYTES:
                raise ValueError("the head of the request is too large")

        def _too_slow(self) -> None:
            self._timer = None
            if self._head_bytes == 0:  # nothing was asked
                self.transport.close()
                return
            allowed = f"{deadline_s:g} s"
            self._refuse(
                RequestError("request.too_slow", status=408, where="head", found=f"> {allowed}", allowed=allowed)
            )

        def _refuse(self, error: RequestError) -> None:
            self._is_refused = True
            self._stop_timer()
            if self.transport.is_closing():
                return
            length = str(len(error.body)).encode()
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: " + length + b"\r\n\r\n"
            self.transport.write(STATUS_LINE[error.status] + head + error.body)
            self.transport.close()

        def _stop_timer(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return Connection


def _head_too_large() -> RequestError:
    return RequestError(
        "request.head_too_large",
        status=431,
        where="head",
        found=f"> {HEAD_LIMIT_BYTES}",
        allowed=HEAD_LIMIT_BYTES,
    )
