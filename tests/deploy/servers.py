"""A real server in a process of its own, and raw requests to it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCRIPT = """
import json, sys
from deepwright.deploy.serve import serve
serve(sys.argv[1], ready=lambda line: print(line, flush=True), **json.loads(sys.argv[2]))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), flush=True)
"""
TIMEOUT_S = 10.0
DEADLINE_S = 1.0
"""The deadline of the server that most tests share: seconds until an unfinished request is closed."""


@dataclass
class Server:
    process: "subprocess.Popen[str]"
    url: str
    port: int
    modules: list[str] = field(default_factory=list)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal; gives the exit code. `modules` then holds what the process had imported."""
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=TIMEOUT_S)
        if output.strip():
            self.modules = json.loads(output.strip().splitlines()[-1])
        return self.process.returncode


@contextlib.contextmanager
def running(bundle: Path, **options: Any) -> Iterator[Server]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DEEPWRIGHT_LANG": "en"}
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(bundle), json.dumps({"port": 0, **options})],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://"))
        yield Server(process, url, int(url.rpartition(":")[2]))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def raw(port: int, content: bytes, *, finish: bool = False) -> Response:
    """Send these very bytes on a connection of their own and read one response; `finish` ends our side after them."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a server may refuse before we have sent all
            connection.sendall(content)
        if finish:
            connection.shutdown(socket.SHUT_WR)
        return read_response(connection)


def read_response(connection: socket.socket, received: bytes = b"") -> Response:
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError(f"the server closed the connection after {received!r}")
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    if head == b"HTTP/1.1 100 Continue":
        return read_response(connection, body)
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return Response(int(lines[0].split()[1]), headers, body)


def request(body: bytes, *extra: bytes, head: bytes = b"POST /predict HTTP/1.1", length: bytes | None = None) -> bytes:
    """A request as a good client sends it, with some lines changed or added."""
    lines = {b"host": b"Host: 127.0.0.1", b"content-type": b"Content-Type: application/json"}
    lines[b"content-length"] = b"Content-Length: " + (str(len(body)).encode() if length is None else length)
    added = []
    for line in extra:
        name = line.partition(b":")[0].lower()
        if name.startswith(b"-"):
            lines.pop(name[1:], None)
        elif name in lines:
            lines[name] = line
        else:
            added.append(line)
    return b"\r\n".join([head, *lines.values(), *added, b"", body])
