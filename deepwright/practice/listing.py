"""The runs of a folder with their results, and what stands prepared in one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepwright.core.errors import PracticeError
from deepwright.core.run import Run
from deepwright.core.text import text
from deepwright.data.prepared import prepared, remove


def listing(runs: Path) -> list[dict[str, Any]]:
    """One mapping per run, by name: state, problem, chosen member, metric with interval, looks."""
    return [_entry(Run(path.parent)) for path in sorted(runs.glob("*/ledger.jsonl"))]


def lines(found: list[dict[str, Any]]) -> list[str]:
    """The listing as aligned lines."""
    if not found:
        return [text("ls.none")]
    rows = [("", text("ls.state"), text("ls.chosen"), text("ls.validation"), text("ls.test"))]
    rows += [(e["run"], e["state"], e["chosen"] or "-", _value(e, "validation"), _value(e, "test")) for e in found]
    return _aligned(rows)


def prepared_listing(folder: Path) -> list[dict[str, Any]]:
    """One mapping per prepared set of a folder, by name: kind and bytes on the disk."""
    return [{"name": each.name, "kind": each.kind, "bytes": each.size_bytes} for each in prepared(folder)]


def prepared_lines(folder: Path, found: list[dict[str, Any]]) -> list[str]:
    """The prepared sets as aligned lines, and how to remove one."""
    if not found:
        return [text("ls.none_prepared", folder=folder)]
    rows = [(text("ls.name"), text("ls.kind"), "MiB")]
    rows += [(entry["name"], entry["kind"], f"{entry['bytes'] / 2**20:.1f}") for entry in found]
    return [*_aligned(rows), text("ls.remove", folder=folder, name=found[0]["name"])]


def remove_prepared(folder: Path, names: str) -> int:
    """Remove prepared sets, named with commas between, or `all`; gives the bytes that are free again.

    Raises UsageError for a name that is not there, before anything is removed.
    """
    chosen = [name.strip() for name in names.split(",")]
    return remove(folder, [each.name for each in prepared(folder)] if chosen == ["all"] else chosen)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _entry(run: Run) -> dict[str, Any]:
    entry: dict[str, Any] = {"run": run.name, "state": "unfinished", "chosen": None, "validation": None, "test": None}
    try:
        if not run.is_done:
            return entry
        report = run.report
    except PracticeError as error:
        return {**entry, "state": "broken", "why": str(error)}
    entry |= {"state": "tested" if run.entry("tested") else "sealed", "chosen": report.chosen, "metric": report.metric}
    for part in ("validation", "test"):
        number = report.number(report.metric, part)
        if number is not None and number.value is not None:
            entry[part] = {"value": number.value, "low": number.low, "high": number.high, "n": number.n}
    return entry


def _value(entry: dict[str, Any], part: str) -> str:
    number = entry[part]
    if number is None:
        return "-"
    return f"{entry['metric']} {number['value']:.4g} ({number['low']:.4g} to {number['high']:.4g})"
