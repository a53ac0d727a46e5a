"""Processes that decode images, each image within its time and memory; one that dies of an image names it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import deepwright
from deepwright.core.errors import ResourceError
from deepwright.core.text import text

MAX_WORKERS = 8
DEADLY = tuple(
    getattr(signal, name) for name in ("SIGPROF", "SIGALRM", "SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")
)
"""Signals by which an image ends its decoder; any other end is no fault of the image."""

Images = list[bytes]


def default_workers() -> int:
    return min(os.cpu_count() or 1, MAX_WORKERS)


class Pool:
    """Several decoding processes; a context manager."""

    def __init__(self, workers: int) -> None:
        self.num_workers = workers
        self._idle: SimpleQueue[_Process] = SimpleQueue()

    def __enter__(self) -> Self:
        self._open = ExitStack()
        for _ in range(self.num_workers):
            self._idle.put(self._open.enter_context(_Process()))
        self._threads = self._open.enter_context(ThreadPoolExecutor(self.num_workers))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def facts(self, groups: Iterable[Images]) -> Iterator[list[dict[str, Any]]]:
        """The answer to each encoded image, group by group in order: its facts, or {"bad": {"key", "values"}}.

        Groups are read as they are needed: a few more than there are processes.
        """
        waiting: deque[Future[list[dict[str, Any]]]] = deque()
        for group in groups:
            waiting.append(self._threads.submit(self._facts, group))
            if len(waiting) > self.num_workers + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def pixels(self, requests: Iterable[tuple[dict[str, Any], Images]]) -> Iterator[dict[str, Any]]:
        """What became of each request for rows of a map: {"sha256", "bad": [[place, reason]]}, {"changed": place},
        or {"errno", "why"}."""
        return self._threads.map(lambda request: self._pixels(*request), requests)

    def _facts(self, images: Images) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        while len(answers) < len(images):
            rest = images[len(answers) :]
            request = {"do": "facts", "sources": [{"num_bytes": len(encoded)} for encoded in rest]}
            found, died = self._ask(request, rest, len(rest))
            answers += found
            if died is not None:
                answers.append({"bad": _fault(died)})
        return answers

    def _pixels(self, request: dict[str, Any], blobs: Images) -> dict[str, Any]:
        skip: dict[str, str] = {}
        size = len(request["sources"])
        while True:
            found, died = self._ask({"do": "pixels", **request, "skip": skip}, blobs, size + 1)
            changed = [place for place, answer in enumerate(found) if "changed" in answer]
            if changed:
                return {"changed": changed[0]}
            if died is None:
                bad = [[place, answer["bad"]] for place, answer in enumerate(found) if "bad" in answer]
                return {**found[-1], "bad": bad}
            fault = _fault(died)
            skip[str(len(found))] = text("images.decoder_died", **fault["values"])

    def _ask(
        self, request: dict[str, Any], blobs: Images, lines: int
    ) -> tuple[list[dict[str, Any]], "tuple[int, str] | None"]:
        """Up to `lines` answers, and how the process ended if it did before the last; another takes its place."""
        process = self._idle.get()
        try:
            return process.ask(request, blobs, lines)
        finally:
            self._idle.put(process)


def _fault(died: tuple[int, str]) -> dict[str, Any]:
    """The reason to set an image aside. Raises ResourceError where the image is not to blame for the end."""
    code, said = died
    if -code not in DEADLY:
        raise ResourceError("images.worker_died", code=code, said=said)
    return {"key": "images.decoder_died", "values": {"name": signal.Signals(-code).name}}


class _Process:
    """One decoding process, begun anew where it died."""

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def ask(
        self, request: dict[str, Any], blobs: Images, lines: int
    ) -> tuple[list[dict[str, Any]], "tuple[int, str] | None"]:
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None, "both are pipes"
        found: list[dict[str, Any]] = []
        try:
            requests.write(json.dumps(request).encode() + b"\n")
            for blob in blobs:
                requests.write(blob)
            requests.flush()
        except BrokenPipeError:
            pass  # it has died, and what it said before is told below
        while len(found) < lines:
            line = answers.readline()
            if not line.endswith(b"\n"):
                code = self._process.wait()
                said = self._last_words()
                self._end()
                self._begin()
                return found, (code, said)
            found.append(json.loads(line))
            if "changed" in found[-1] or "errno" in found[-1]:
                break
        return found, None

    def _begin(self) -> None:
        home = str(Path(deepwright.__file__).parents[1])
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `_end`
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deepwright.data.image_worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._said, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def _last_words(self) -> str:
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip().splitlines()
        return said[-1] if said else "-"
