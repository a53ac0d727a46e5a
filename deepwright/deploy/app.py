"""The server as a bare ASGI application: routes, the reading of bodies, the sending of replies."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from deepwright.core.bundle import Bundle
from deepwright.deploy.answer import Answerer, Reply
from deepwright.deploy.guard import Guard
from deepwright.deploy.metrics_page import CONTENT_TYPE, Metrics
from deepwright.deploy.openapi import openapi
from deepwright.deploy.refusal import Header, RequestError
from deepwright.deploy.rows import image_input, image_request
from deepwright.deploy.work import Work

BODY_BYTES, IMAGE_BODY_BYTES = 1 << 20, 16 << 20
LINGER_S = 1.0
"""How long a refused body is still taken off the connection, so that the client reads the refusal, not a reset."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_JSON: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
_TEXT: tuple[Header, ...] = ((b"content-type", CONTENT_TYPE), *_JSON[1:])
_CLOSE: Header = (b"connection", b"close")


class App:
    """POST /predict, GET /, /health, /schema, /metrics, /openapi.json of one bundle; `close()` ends its worker."""

    def __init__(
        self, bundle: Bundle, *, queue: int, body_limit_bytes: int | None, deadline_s: float, hosts: Iterable[str]
    ) -> None:
        self.bundle = bundle
        self.deadline_s = deadline_s
        self.image = image_input(bundle.schema)
        limit = body_limit_bytes or (BODY_BYTES if self.image is None else IMAGE_BODY_BYTES)
        self.guard = Guard(hosts, limit, takes_images=self.image is not None)
        self.work = Work(Answerer(bundle).replies, queue)
        self.metrics = Metrics(bundle.digest, lambda: self.work.taken, queue)
        self._golden_difference = bundle.replay_golden()
        self._started_s = time.monotonic()
        self._openapi = msgspec.json.encode(openapi(bundle))
        self._schema = msgspec.json.encode(bundle.schema.model_dump(mode="json"))
        self._pages: dict[str, Callable[[], bytes]] = {
            "/": self._index,
            "/health": self._health,
            "/schema": lambda: self._schema,
            "/openapi.json": lambda: self._openapi,
            "/metrics": self.metrics.page,
        }

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", f"the server speaks http, and not {scope['type']}"
        path = scope["path"]
        try:
            if path == "/predict":
                reply = await self._predict(scope, receive)
                if reply is None:  # the client has gone
                    return
                status, headers, body, must_close = reply.status, _JSON, reply.body, False
            else:
                body = self._page(scope)
                status, headers, must_close = 200, _TEXT if path == "/metrics" else _JSON, False
        except RequestError as error:
            status, headers, body = error.status, (*_JSON, *error.headers), error.body
            must_close = error.is_body_unread
        self.metrics.requests[path if path == "/predict" or path in self._pages else "other", status] += 1
        await self._send(send, receive, status, headers, body, must_close)

    def close(self) -> None:
        self.work.close()

    async def _predict(self, scope: Any, receive: Receive) -> Reply | None:
        started_s = time.perf_counter()
        head = self.guard.head(scope)
        if scope["method"] != "POST":
            raise _wrong_method(scope, "POST")
        is_image = self.guard.check_body(head)
        body = await self._body(receive)
        if body is None:
            return None
        if is_image:
            assert self.image is not None, "only a model of images takes one by itself"
            body = image_request(self.image, body)
        reply = await self.work.submit(body)
        if reply.status == 200:
            self.metrics.count_rows(reply.rows, reply.out_of_range, time.perf_counter() - started_s)
        return reply

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body, or None when the client went away. Raises RequestError 408 or 413."""
        try:
            async with asyncio.timeout(self.deadline_s):
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body: bytes = message["body"]
                if not message["more_body"]:
                    return self._within_limit(body)
                pieces, size = [body], len(body)
                while message["more_body"]:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    pieces.append(message["body"])
                    size += len(message["body"])
                    if size > self.guard.body_limit_bytes:
                        raise self.guard.too_large(f"> {self.guard.body_limit_bytes}")
                return b"".join(pieces)
        except TimeoutError:
            raise RequestError(
                "request.too_slow",
                status=408,
                where="body",
                found=f"> {self.deadline_s:g} s",
                allowed=f"{self.deadline_s:g} s",
                headers=(_CLOSE,),
            ) from None

    def _within_limit(self, body: bytes) -> bytes:
        if len(body) > self.guard.body_limit_bytes:
            raise self.guard.too_large(str(len(body)))
        return body

    def _page(self, scope: Any) -> bytes:
        path = scope["path"]
        head = self.guard.head(scope)
        if path not in self._pages:
            allowed = "/predict, " + ", ".join(self._pages)
            raise RequestError(
                "request.no_path", status=404, where="path", found=path, allowed=allowed, is_body_unread=True
            )
        if scope["method"] != "GET":
            raise _wrong_method(scope, "GET")
        self.guard.check_no_body(head)
        return self._pages[path]()

    async def _send(
        self, send: Send, receive: Receive, status: int, headers: tuple[Header, ...], body: bytes, must_close: bool
    ) -> None:
        head = [*headers, (b"content-length", str(len(body)).encode())]
        if must_close:
            head.append(_CLOSE)
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body, "more_body": must_close})
        if must_close:
            await _drain(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _health(self) -> bytes:
        return msgspec.json.encode(
            {
                "status": "ok",
                "model": self.bundle.digest,
                "golden_difference": self._golden_difference,
                "uptime_s": round(time.monotonic() - self._started_s, 3),
            }
        )

    def _index(self) -> bytes:
        schema = self.bundle.schema
        return msgspec.json.encode(
            {
                "name": "deepwright",
                "model": self.bundle.digest,
                "problem": schema.problem,
                "target": schema.target.name,
                "predict": "POST /predict",
                "links": [path for path in self._pages if path != "/"],
            }
        )


def make_app(
    bundle: Bundle,
    *,
    queue: int = 64,
    body_limit_bytes: int | None = None,
    deadline_s: float = 10.0,
    hosts: Iterable[str] = (),
) -> App:
    """The ASGI application that answers for `bundle`.

    queue: requests waiting at most, more are answered 503. body_limit_bytes: the largest body that is read; None:
    1 MiB, of images 16 MiB. deadline_s: a body must have arrived by then.
    hosts: names by which clients may call it besides 127.0.0.1, localhost and [::1].
    """
    return App(bundle, queue=queue, body_limit_bytes=body_limit_bytes, deadline_s=deadline_s, hosts=hosts)


def _wrong_method(scope: Any, allowed: str) -> RequestError:
    return RequestError(
        "request.wrong_method",
        status=405,
        where="method",
        found=scope["method"],
        allowed=allowed,
        headers=((b"allow", allowed.encode()),),
        is_body_unread=True,
    )


async def _drain(receive: Receive) -> None:
    """Throw away what still arrives, until the body ends, the client goes, or a second has passed."""
    try:
        async with asyncio.timeout(LINGER_S):
            while (await receive()).get("more_body", False):
                pass
    except TimeoutError:
        return
