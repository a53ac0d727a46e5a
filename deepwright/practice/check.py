"""Check: collect and look, without training: every column, everything found, and what would be run and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deepwright.core.dataset import Dataset
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding
from deepwright.core.schema import Feature, Problem
from deepwright.core.seal import VALIDATION
from deepwright.core.text import text
from deepwright.data.collect import Collected, collect
from deepwright.data.overview import overview
from deepwright.data.periods import moment_text
from deepwright.data.profile import profiled
from deepwright.data.series_findings import series_shapes
from deepwright.practice.run import split_rows

MOST_COLUMNS = 60
WIDEST = 28
"""Columns listed, and characters of a name shown, on a terminal; `--json` has all."""
LEVELS_SHOWN = 4
PARTS = {
    "train": "check.train",
    "validation": "check.validation",
    "calibration": "check.calibration",
    "test": "check.test",
}
KEYS = {"blocking": "check.blocking", "warning": "check.warning", "note": "check.note"}


@dataclass(frozen=True)
class Checked:
    """profile: feature > what its column shows, of the training part where a target is named, else of all rows.

    parts: rows of each part; problem: None without a target.
    """

    table: Collected
    profile: dict[str, Any]
    parts: dict[str, int]
    problem: Problem | None
    findings: tuple[Finding, ...]

    def record(self) -> dict[str, Any]:
        """Plain JSON, as `check --json` prints it."""
        features = [
            {"name": f.name, "type": f.type, "role": f.role, "reason": f.reason, **self.profile.get(f.name, {})}
            for f in self.table.schema.features
        ]
        return {
            "source": self.table.source,
            "rows": self.table.rows_in,
            "kept": len(self.table.whole) + (0 if self.table.test is None else len(self.table.test)),
            "set_aside": [entry.model_dump() for entry in self.table.set_aside],
            "parts": self.parts,
            "features": features,
            "problem": self.problem,
            "findings": [
                {"rule": f.rule, "severity": f.severity, "where": f.where, "text": f.text} for f in self.findings
            ],
        }


def check(recipe: Recipe) -> Checked:
    """Stages 1 and 2 without training; nothing is written, and of a test part no label is looked at.

    Raises PracticeError kinds, as a run would before it trains.
    """
    table = collect(recipe)
    if not table.schema.has_target:
        findings = (*table.findings, *overview(table.whole), *series_shapes(table.whole))
        return Checked(table, _profile(table.whole), _given_parts(table), None, findings)
    split, findings = split_rows(recipe, table, stops=False)
    parts = {"train": len(split.train), "validation": len(split.validation), "test": len(split.test)}
    if split.calibration is not None:
        parts["calibration"] = len(split.calibration)
    return Checked(table, _profile(split.train), parts, split.train.schema.problem, findings)


def check_lines(checked: Checked) -> list[str]:
    """What was found, for a terminal: the rows, the columns, the findings with the gravest first."""
    table, schema = checked.table, checked.table.schema
    lines = [text("check.rows", source=table.source, rows=table.rows_in, columns=len(schema.features))]
    lines += [text("check.set_aside", count=entry.count, reason=entry.reason) for entry in table.set_aside]
    if checked.parts:
        shown = ", ".join(f"{text(PARTS[part])} {rows}" for part, rows in checked.parts.items())
        lines.append(text("check.parts", parts=shown))
    lines += ["", *_columns([(f, checked.profile.get(f.name, {})) for f in schema.features])]
    for severity in KEYS:
        found = [f for f in checked.findings if f.severity == severity]
        if found:
            lines += ["", text(KEYS[severity], count=len(found)), *(f"  {f.text} [{f.rule}]" for f in found)]
    return lines


def _profile(data: Dataset) -> dict[str, Any]:
    return {feature.name: profiled(feature, data.columns[feature.name]) for feature in data.schema.features}


def _given_parts(table: Collected) -> dict[str, int]:
    """Rows of each part that the data themselves give; empty where they give none."""
    given = table.whole.given
    validation = 0 if given is None else int((given == VALIDATION).sum())
    test = 0 if table.test is None else len(table.test)
    if not validation + test:
        return {}
    return {"train": len(table.whole) - validation, "validation": validation, "test": test}


def _columns(features: Sequence[tuple[Feature, dict[str, Any]]]) -> list[str]:
    """One line a column: its name, type and role, how much is missing, and what its values are."""
    from deepwright.evaluation.lines import aligned

    rows = [[text("check.column"), text("check.type"), text("check.missing"), text("check.values")]]
    for feature, entry in features[:MOST_COLUMNS]:
        role = "" if feature.role == "input" else f" ({feature.role})"
        missing = f"{entry['missing']:.1%}" if entry.get("missing") else ""
        rows.append([feature.name[:WIDEST], feature.type + role, missing, _values(feature, entry)])
    more = len(features) - MOST_COLUMNS
    return aligned(rows) + ([text("check.more_columns", count=more)] if more > 0 else [])


def _values(feature: Feature, entry: dict[str, Any]) -> str:
    if "quantiles" in entry:
        points = dict(map(tuple, entry["quantiles"]))
        if feature.type == "timestamp":
            return f"{moment_text(points[0.0], feature.type)} .. {moment_text(points[1.0], feature.type)}"
        return text("check.numbers", low=f"{points[0.0]:.6g}", middle=f"{points[0.5]:.6g}", high=f"{points[1.0]:.6g}")
    if "levels" in entry:
        shown = ", ".join(str(level)[:16] for level in list(entry["levels"])[:LEVELS_SHOWN])
        return text("check.levels", count=entry["distinct"], levels=shown)
    if "max_characters" in entry:
        return text("check.texts", mean=f"{entry['mean_characters']:.0f}", most=entry["max_characters"])
    return ""
