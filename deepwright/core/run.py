"""Run: the folder of one practice, and the only place of its effects.

    runs/NAME/ recipe.yaml ledger.jsonl profile.json events.jsonl checkpoint/ data/ report.json report.html
               bundle/ members/

Every file is written whole or not at all, and every result is committed by a line of the run's ledger.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deepwright.core.bundle import Bundle
from deepwright.core.disk import lock, safe_name, write_atomic
from deepwright.core.errors import DataError, UsageError, did_you_mean
from deepwright.core.ledger import Ledger
from deepwright.core.report import Report


class Run:
    """A run's folder. `create` begins one or takes up one that was begun; `open` finds a finished or unfinished one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger(folder / "ledger.jsonl")

    @property
    def name(self) -> str:
        return self.folder.name

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}, {'done' if self.is_done else 'not finished'})"

    @classmethod
    def create(cls, runs: Path, name: str, **facts: Any) -> "Run":
        """The run `name` below `runs`; its ledger's first line holds the facts that make it this run.

        Raises UsageError when a run of that name has other facts.
        """
        run = cls(runs / safe_name(name, "run"))
        started = run.entry("started")
        if started is None:
            run.ledger.append("started", **facts)
        else:
            changed = [key for key, value in _as_json(facts).items() if started.get(key) != value]
            if changed:
                raise UsageError("run.other_facts", run=run.name, changed=", ".join(changed))
        return run

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """The run in folder `path`, or of that name below `runs/`. Raises UsageError naming near ones."""
        for folder in (Path(path), Path("runs") / path):
            if (folder / "ledger.jsonl").is_file():
                return cls(folder)
        known = [f.parent.name for f in sorted(Path("runs").glob("*/ledger.jsonl"))] if Path("runs").is_dir() else []
        raise UsageError("run.none", path=path, known=", ".join(known) or "-", hint=did_you_mean(str(path), known))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the run's lock, after what a killed writer left half-written was swept away.

        Raises ResourceError naming the process that holds it.
        """
        with lock(self.folder / ".lock", wait=False):
            for left_over in self.folder.rglob(".*.tmp"):
                shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()
            yield

    def entry(self, what: str) -> dict[str, Any] | None:
        """The last ledger entry of that name, or None."""
        found = [entry for entry in self.ledger.entries() if entry["what"] == what]
        return found[-1] if found else None

    def commit(self, what: str, **fields: Any) -> dict[str, Any]:
        """Add a ledger entry unless the last of its name says the same."""
        last = self.entry(what)
        if last is not None and all(last.get(k) == v for k, v in _as_json(fields).items()):
            return last
        return self.ledger.append(what, **fields)

    def write(self, name: str, content: bytes) -> str:
        """Write one file of the run and commit its hash; gives the SHA-256."""
        digest = write_atomic(self.folder / name, content)
        self.commit(f"file {name}", sha256=digest)
        return digest

    def write_json(self, name: str, value: Any) -> str:
        return self.write(name, (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode())

    def read(self, name: str) -> bytes:
        """A committed file's content. Raises DataError when it is missing or differs from what was committed."""
        path = self.folder / name
        committed = self.entry(f"file {name}")
        if committed is None or not path.is_file():
            raise DataError("run.no_file", run=self.name, file=name)
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != committed["sha256"]:
            raise DataError("run.changed_file", run=self.name, file=name)
        return content

    @property
    def is_done(self) -> bool:
        return self.entry("done") is not None

    @property
    def report(self) -> Report:
        """The run's report. Raises DataError when the run has none yet, or when the file was changed."""
        return Report.model_validate_json(self.read("report.json"))

    @property
    def bundle(self) -> Bundle:
        """The bundle that ships, loaded and checked."""
        return Bundle.load(self.bundle_folder)

    @property
    def bundle_folder(self) -> Path:
        return self.folder / "bundle"


def _as_json(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as the ledger gives them back: tuples are lists there."""
    return dict(json.loads(json.dumps(fields)))
