"""The runs of a folder with their results."""

from pathlib import Path
from typing import Any

from deepwright.core.errors import PracticeError
from deepwright.core.run import Run
from deepwright.core.text import text


def listing(runs: Path) -> list[dict[str, Any]]:
    """One mapping per run, by name: state, problem, chosen member, metric with interval, looks."""
    return [_entry(Run(path.parent)) for path in sorted(runs.glob("*/ledger.jsonl"))]


def lines(found: list[dict[str, Any]]) -> list[str]:
    """The listing as aligned lines."""
    if not found:
        return [text("ls.none")]
    rows = [("", text("ls.state"), text("ls.chosen"), text("ls.validation"), text("ls.test"))]
    rows += [(e["run"], e["state"], e["chosen"] or "-", _value(e, "validation"), _value(e, "test")) for e in found]
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
