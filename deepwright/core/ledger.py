"""Ledger: an append-only, hash-chained record in JSON Lines; and the ledger of looks at test rows.

Each line names the lines that were last when it was written (`parents`) and carries its own hash. Two copies may be
merged by the union of their lines (git's `merge=union`): both branches stay, and the next line names both as parents.
"""

import base64
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.disk import append_line, lock, write_atomic
from deepwright.core.errors import SealError
from deepwright.core.part import canonical_json
from deepwright.core.report import Look

SHARED_ROWS_LIMIT = 0.01
"""A test part that shares more than this share of its rows with a seen one has been looked at."""


class Ledger:
    """One file of chained lines. Reading verifies every line; a changed, cut-out or reordered one is named."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[dict[str, Any]]:
        """Every entry, in order, verified.

        A line that a merge brought in twice counts once; two beginnings (two copies begun apart, then merged) are both
        kept. A last line that stops before its end was torn by a crash before it was committed, and is left out.

        Raises SealError naming the line that does not fit.
        """
        if not self.path.exists():
            return []
        *lines, rest = self.path.read_bytes().split(b"\n")
        if rest and not self._is_torn(rest):
            lines.append(rest)
        entries: dict[str, dict[str, Any]] = {}
        for number, line in enumerate(lines, start=1):
            entry = self._read(line)
            if entry is None or any(parent not in entries for parent in entry["parents"]):
                raise SealError("ledger.broken", path=self.path, line=number)
            entries.setdefault(entry["hash"], entry)
        return list(entries.values())

    def append(self, what: str, **fields: Any) -> dict[str, Any]:
        """Add one entry, durably; the moment it is on disk is the commit point. Gives the entry with its hash."""
        with lock(self.path.with_name(f".{self.path.name}.lock")):
            return self._append(what, fields)

    def _append(self, what: str, fields: dict[str, Any]) -> dict[str, Any]:
        entries = self.entries()
        self._end_last_line()
        named = {parent for entry in entries for parent in entry["parents"]}
        heads = sorted(entry["hash"] for entry in entries if entry["hash"] not in named)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"what": what, "when": now, "parents": heads, **fields}
        entry["hash"] = _entry_hash(entry)
        line = canonical_json(entry).encode()
        append_line(self.path, line)
        return dict(json.loads(line))

    def _read(self, line: bytes) -> dict[str, Any] | None:
        """The entry in a line, or None when the line is not what was written."""
        try:
            entry = json.loads(line)
            sound = entry["hash"] == _entry_hash(entry) and canonical_json(entry).encode() == line
            sound = sound and isinstance(entry["what"], str) and all(isinstance(p, str) for p in entry["parents"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return dict(entry) if sound else None

    def _is_torn(self, rest: bytes) -> bool:
        """Whether the bytes after the last newline are the beginning of an entry: more than that was changed."""
        try:
            json.JSONDecoder().raw_decode(rest.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return True
        return False

    def _end_last_line(self) -> None:
        """Cut off a torn last line, or give a whole one the newline that a crash took."""
        content = self.path.read_bytes() if self.path.exists() else b""
        start = content.rfind(b"\n") + 1
        if content[start:] and self._is_torn(content[start:]):
            os.truncate(self.path, start)
        elif content[start:]:
            append_line(self.path, b"")


class LookLedger:
    """Who looked at which test rows, when and why. Looks belong to rows, whatever the run, seed, folder or format."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder / "looks.jsonl")

    def looks(self, hashes: np.ndarray) -> list[dict[str, Any]]:
        """The known looks at rows of this test part (uint64 [N] row hashes), oldest first."""
        return _looks_at(self.ledger.entries(), hashes)

    def record(
        self, hashes: np.ndarray, *, run: str, bundle: str, reason: str | None, result_exists: bool
    ) -> dict[str, Any]:
        """Count a look before anything is opened.

        A look that this very run and bundle began and never finished (no result exists) is taken up, not counted twice.
        Raises SealError when the rows have been seen before and no reason is given.
        """
        with lock(self.ledger.path.with_name(f".{self.ledger.path.name}.lock")):
            known = self.looks(hashes)
            if known and not result_exists and (known[-1]["run"], known[-1]["bundle"]) == (run, bundle):
                return known[-1]
            if known and not reason:
                last = known[-1]
                raise SealError(
                    "seal.already_looked",
                    count=len(known),
                    rows=len(np.unique(hashes)),
                    when=last["when"],
                    run=last["run"],
                )
            self._tell_git()
            return self.ledger._append("look", {"run": run, "bundle": bundle, "reason": reason, "rows": _pack(hashes)})

    def _tell_git(self) -> None:
        """Two clones that both looked are merged by the union of their lines; the lock is nobody else's business."""
        for name, content in ((".gitattributes", b"looks.jsonl merge=union\n"), (".gitignore", b".*.lock\n")):
            path = self.ledger.path.with_name(name)
            if not path.exists():
                write_atomic(path, content)

    def as_looks(self, hashes: np.ndarray) -> tuple[Look, ...]:
        """The looks at these rows, as a report shows them."""
        return tuple(
            Look(number=i, when=entry["when"], run=entry["run"], reason=entry["reason"])
            for i, entry in enumerate(self.looks(hashes), start=1)
        )


def workspace(start: Path | None = None) -> Path:
    """The folder of the ledger of looks: `$DEEPWRIGHT_HOME`, else `.deepwright` in the nearest folder upwards that has
    it or is a git checkout, else here."""
    home = os.environ.get("DEEPWRIGHT_HOME")
    if home:
        return Path(home)
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / ".deepwright").is_dir() or (folder / ".git").exists():
            return folder / ".deepwright"
    return here / ".deepwright"


def _entry_hash(entry: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json({k: v for k, v in entry.items() if k != "hash"}).encode()).hexdigest()


def _looks_at(entries: list[dict[str, Any]], hashes: np.ndarray) -> list[dict[str, Any]]:
    mine = np.unique(hashes)
    looks = [entry for entry in entries if entry["what"] == "look"]
    return [e for e in looks if len(np.intersect1d(mine, _unpack(e["rows"]))) > SHARED_ROWS_LIMIT * len(mine)]


def _pack(hashes: np.ndarray) -> str:
    return base64.b64encode(np.unique(hashes).astype("<u8").tobytes()).decode()


def _unpack(packed: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed), dtype="<u8")
