"""Serving: one bundle behind HTTP, in one process, until it is told to stop."""

import errno
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deepwright.core.bundle import Bundle
from deepwright.core.errors import ResourceError, UsageError
from deepwright.core.text import text
from deepwright.deploy.app import App, make_app

__all__ = ["make_app", "serve"]

OPEN_FILES = 65_536
"""Connections are files; the usual limit of 1,024 is soon held by slow clients."""


def serve(
    bundle_folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    queue: int = 64,
    body_limit_bytes: int | None = None,
    deadline_s: float = 10.0,
    hosts: Iterable[str] = (),
    ready: Callable[[str], None] | None = None,
) -> None:
    """Answer requests until SIGTERM or Ctrl-C; what is in flight is answered first.

    port: 0 takes a free one. queue: requests waiting at most, more are answered 503. body_limit_bytes: as in
    `make_app`. deadline_s: head and body of a request must each have arrived within it. hosts: further names by which
    clients may call the server. ready: receives the line that names the address once requests are taken.
    Raises ResourceError when the port is taken, UsageError for a bad host, BundleError for a refused bundle.
    """
    bundle = Bundle.load(bundle_folder)
    listener = listen(host, port)
    _allow_open_files()
    app = make_app(bundle, queue=queue, body_limit_bytes=body_limit_bytes, deadline_s=deadline_s, hosts=(host, *hosts))
    name = f"[{host}]" if ":" in host else host
    line = text("serve.ready", url=f"http://{name}:{listener.getsockname()[1]}", model=bundle.digest[:12])
    try:
        _run(app, listener, deadline_s, lambda: (ready or _print)(line))
    finally:
        listener.close()
        app.close()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises ResourceError when the port is taken or not allowed, UsageError for a bad address."""
    if not 0 <= port <= 65_535:
        raise UsageError("serve.bad_port", port=port)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise UsageError("serve.bad_host", host=host) from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()  # another server that shares the address is found only here
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ResourceError("serve.port_taken", host=host, port=port, other=port + 1) from None
        if error.errno == errno.EACCES:
            raise ResourceError("serve.port_forbidden", host=host, port=port) from None
        raise UsageError("serve.bad_host", host=host) from None
    return listener


def _run(app: App, listener: socket.socket, deadline_s: float, is_ready: Callable[[], None]) -> None:
    import uvicorn

    from deepwright.deploy.connection import connection_class

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            is_ready()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Stop on a signal and return; uvicorn's own would raise the signal again afterwards."""
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    config = uvicorn.Config(
        app,
        loop="asyncio" if sys.platform == "win32" else "uvloop",
        http=connection_class(deadline_s),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=max(5, int(deadline_s)),
        timeout_graceful_shutdown=int(deadline_s) + 5,
    )
    Server(config).run(sockets=[listener])


def _allow_open_files() -> None:
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _print(line: str) -> None:
    print(line, flush=True)
