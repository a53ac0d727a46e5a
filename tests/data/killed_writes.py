"""Ingestion that is killed at its n-th write, fsync or rename, for every n, and then done again.

    python -m tests.data.killed_writes FOLDER STRIDE [JOB ...]      every STRIDE-th call

A process imports everything and forks each trial. The shim stands in for what Python calls to change the disk: before
the n-th of these calls the process kills itself (SIGKILL), and a write leaves half of its bytes. For each job it prints
the number of calls of an undisturbed run, how many trials were killed, and how many of the runs after them gave the
content of the undisturbed one. The job `careless` writes in place without a rename: it must not pass.
"""

import builtins
import hashlib
import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from deepwright import parts
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.data.collect import collect
from deepwright.data.image_build import build
from deepwright.data.image_inspect import inspect
from deepwright.data.series_store import open_series, write_series
from deepwright.data.stored_rows import store_rows
from deepwright.data.table import Table
from deepwright.data.token_store import open_tokens, write_tokens
from deepwright.practice.keep import keep_split
from deepwright.practice.run import split_rows
from tests.data.pictures import pngs

CALLS = ("fsync", "replace", "rename", "truncate", "ftruncate", "pwrite", "mkdir", "unlink", "rmdir")


class Shim:
    """Counts the calls that change the disk, and ends the process at one of them."""

    def __init__(self, die_at: int) -> None:
        self.die_at, self.count = die_at, 0

    def install(self) -> None:
        for name in CALLS:
            setattr(os, name, self._counted(getattr(os, name)))
        opener = io.open

        def open_counted(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            opened = opener(file, mode, *args, **options)
            return CountedFile(opened, self) if set(mode) & set("wax+") else opened

        builtins.open = io.open = open_counted  # type: ignore[assignment]

    def is_last(self) -> bool:
        self.count += 1
        return self.count == self.die_at

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            if self.is_last():
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **options)

        return counted


class CountedFile:
    """A file that is written to; what it does not do itself the file does."""

    def __init__(self, file: Any, shim: Shim) -> None:
        self._file, self._shim = file, shim

    def write(self, content: Any) -> Any:
        if self._shim.is_last():
            self._file.write(content[: len(content) // 2])
            self._file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return self._file.write(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "CountedFile":
        self._file.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._file.__exit__(*error)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)


def tokens(folder: Path) -> None:
    place = folder / "tokens"
    open_tokens(place) if place.exists() else write_tokens([[1, 2, 3], [], list(range(500))], place)


def series(folder: Path) -> None:
    place, two = folder / "series", [np.ones((5, 2), np.float32), np.zeros((9, 2), np.float32)]
    open_series(place) if place.exists() else write_series(two, place, ("a", "b"))


def rows(folder: Path) -> None:
    pieces = [({"x": np.full((4, 3), n, np.float32)}, np.arange(4) + n) for n in range(3)]
    store_rows(pieces, folder / "rows", num_rows=12)


def pixels(folder: Path) -> None:
    build(pngs(6, 20, 20), folder / "pixels", size=16, workers=1, say=lambda _: None)


def facts(folder: Path) -> None:
    os.environ["DEEPWRIGHT_HOME"] = str(folder / "home")
    pictures = folder.parent / "pictures"
    inspect([str(path) for path in sorted(pictures.iterdir())], workers=1)


def kept(folder: Path) -> None:
    """What `run` does before it learns: collect, split, and keep the parts."""
    os.environ["DEEPWRIGHT_HOME"] = str(folder / "home")
    recipe = Recipe(source=Table(path=str(folder.parent / "table.csv")), target="y")
    table = collect(recipe)
    run = Run.create(folder / "runs", "kept", recipe=recipe.hash, source=table.source_sha256)
    with run.writing():
        keep_split(run, split_rows(recipe, table)[0])


def careless(folder: Path) -> None:
    """The control: half of a file that was written in place is taken for the whole."""
    path = folder / "careless.bin"
    if not path.exists():
        path.write_bytes(bytes(range(200)))
    with path.open("ab") as file:
        file.write(b"")


JOBS: dict[str, Callable[[Path], None]] = {
    job.__name__: job for job in (tokens, series, rows, pixels, facts, kept, careless)
}


def content(folder: Path) -> str:
    """A hash of every file that is not in hiding; of a run's ledger only what was kept, for its lines have times."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder)
        if any(piece.startswith(".") for piece in name.parts):
            continue
        data = path.read_bytes()
        if path.name == "ledger.jsonl":
            lines = [json.loads(line) for line in data.splitlines()]
            data = json.dumps(sorted({(line.get("file"), line.get("fingerprint")) for line in lines}, key=str)).encode()
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def trial(job: str, folder: Path, die_at: int) -> tuple[int, int]:
    """(signal that ended it or 0, calls counted) of one run in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shim = Shim(die_at)
            shim.install()
            JOBS[job](folder)
            os.write(writing, str(shim.count).encode())
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it was, the parent is told by the exit code
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"{job}, killed at call {die_at}: the run failed")
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, int(said or 0)


def trials(job: str, folder: Path, stride: int) -> dict[str, Any]:
    """Every stride-th call of one job as the last one, each followed by an undisturbed run."""
    _, calls = trial(job, folder / "sound", 0)
    expected = content(folder / "sound")
    tried = killed = equal = 0
    for die_at in range(1, calls + 1, stride):
        tried += 1
        place = folder / f"killed-{die_at}"
        killed += trial(job, place, die_at)[0] == signal.SIGKILL
        trial(job, place, 0)
        equal += content(place) == expected
    return {"job": job, "calls": calls, "tried": tried, "killed": killed, "equal": equal}


def main() -> None:
    folder, stride, jobs = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or list(JOBS)
    parts.load_installed()
    for job in jobs:
        here = folder / job
        pictures = here / "pictures"
        pictures.mkdir(parents=True)
        for number, picture in enumerate(pngs(5, 20, 20)):
            (pictures / f"{number}.png").write_bytes(picture)
        lines = [f"{n % 9},{n * 7 % 11},{'a' if n % 3 else 'b'}" for n in range(120)]
        (here / "table.csv").write_text("x,z,y\n" + "\n".join(lines) + "\n")
        print(json.dumps(trials(job, here, stride)), flush=True)


if __name__ == "__main__":
    main()
