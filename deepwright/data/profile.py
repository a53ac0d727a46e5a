"""Profile: what the training part shows of every feature."""

from collections import Counter
from typing import Any

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.report import Finding, Severity, finding
from deepwright.core.schema import Feature, Schema
from deepwright.core.step import require_part
from deepwright.data.cells import NUMBER
from deepwright.data.encode import levels_of
from deepwright.data.moments import centre_and_spread
from deepwright.data.types import missing_rows

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
LEVELS_KEPT = 1000
MANY_MISSING = 0.5
MANY_LEVELS = 100
RARE_SHARE = 0.1
VERY_RARE_SHARE = 0.01
FEW_ROWS = 10


def learn_schema(train: Dataset) -> Schema:
    """The schema with levels, low, high and can_be_missing as the training part shows them.

    The target's levels are sorted (numbers by value), a feature's by falling frequency.
    """
    require_part(train, "train", "learn_schema")
    return Schema(features=tuple(_learned(f, train.columns[f.name]) for f in train.schema.features))


def profile(train: Dataset) -> dict[str, Any]:
    """Plain JSON: per feature n, share missing, and mean, sd and quantiles or the counts of its levels."""
    require_part(train, "train", "profile")
    return {
        "rows": len(train),
        "features": {f.name: profiled(f, train.columns[f.name]) for f in train.schema.features},
    }


def findings_of(train: Dataset) -> tuple[Finding, ...]:
    """What the training part's columns should be known for."""
    require_part(train, "train", "findings_of")
    found: list[Finding] = []
    for feature in train.schema.inputs:
        found += _column_findings(feature, train.columns[feature.name])
    if train.schema.problem != "regression":
        found += _class_findings(train)
    return tuple(found)


def _learned(feature: Feature, column: np.ndarray) -> Feature:
    missing = missing_rows(column)
    is_target = feature.role == "target"
    changes: dict[str, Any] = {"can_be_missing": bool(missing.any())}
    if feature.type in ("number", "timestamp"):
        if not missing.all():
            changes |= {"low": float(np.nanmin(column)), "high": float(np.nanmax(column))}
    elif feature.separator is not None:
        changes["levels"] = tuple(sorted({label for cell in set(column) for label in feature.labels_of(cell)}))
    elif feature.type == "category" and feature.role != "group":  # names of patients stay out of bundles
        levels = levels_of(column)
        changes["levels"] = tuple(sorted(levels, key=_level_order(levels))) if is_target else levels
    return Feature(**{**feature.model_dump(), **changes})


def _level_order(levels: tuple[str, ...]) -> Any:
    if all(NUMBER.fullmatch(level) for level in levels):
        return lambda level: (float(level), level)
    return lambda level: level


def profiled(feature: Feature, column: np.ndarray) -> dict[str, Any]:
    """One column's entry of the profile."""
    missing = missing_rows(column)
    n = int((~missing).sum())
    share = float(missing.mean()) if len(column) else 0.0
    entry: dict[str, Any] = {"type": feature.type, "role": feature.role, "n": n, "missing": share}
    if not n:
        return entry
    if feature.type in ("number", "timestamp"):
        values = column[~missing]
        mean, sd = centre_and_spread(values)
        entry |= {
            "mean": mean,
            "sd": sd if values.min() < values.max() else 0.0,
            "quantiles": [[q, float(v)] for q, v in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True)],
            "distinct": len(np.unique(values)),
        }
    elif feature.type == "image" or feature.role == "group":
        entry["distinct"] = len(set(column[~missing]))
    elif feature.type == "category":
        values = column[~missing]
        if feature.separator is not None:
            values = np.array([label for cell in values for label in feature.labels_of(cell)], dtype=object)
        distinct, counts = np.unique(values.astype(str), return_counts=True)
        order = sorted(zip(distinct.tolist(), counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
        entry |= {"distinct": len(order), "levels": dict(order[:LEVELS_KEPT])}
        entry["other"] = sum(count for _, count in order[LEVELS_KEPT:])
    else:
        lengths = np.array([len(value) for value in column[~missing]])
        entry |= {"mean_characters": float(lengths.mean()), "max_characters": int(lengths.max())}
    return entry


def _column_findings(feature: Feature, column: np.ndarray) -> list[Finding]:
    missing = missing_rows(column)
    present = column[~missing]
    found = []
    if not len(present):
        return [finding("train_all_missing", "warning", feature.name, rows=len(column))]
    distinct = len(np.unique(present)) if column.dtype != object else len(set(present))
    if distinct == 1:
        found.append(finding("constant", "warning", feature.name, value=str(present[0])[:40], rows=len(present)))
    if missing.mean() > MANY_MISSING:
        found.append(finding("many_missing", "warning", feature.name, share=f"{missing.mean():.1%}", rows=len(column)))
    if feature.type == "category" and distinct > max(MANY_LEVELS, len(present) // 10):
        found.append(finding("many_levels", "note", feature.name, levels=distinct, rows=len(present)))
    return found


def _class_findings(train: Dataset) -> list[Finding]:
    counts = class_counts(train)
    if not counts:
        return []
    most, *_, least = [*counts, *counts]
    num_most, num_least = counts[most], counts[least]
    where, is_labels = train.schema.target.name, train.schema.problem == "multi-label"
    found = []
    if any(feature.type == "image" for feature in train.schema.inputs):
        figures = {"most": most, "num_most": num_most, "least": least, "num_least": num_least}
        rule = "images_labels" if is_labels else "images_classes"
        found.append(finding(rule, "note", where, count=len(counts), **figures))
    share = num_least / len(train)
    if not is_labels and share < RARE_SHARE and share < 0.5 / len(counts):
        severity: Severity = "warning" if share < VERY_RARE_SHARE else "note"
        commonest = f"{num_most / len(train):.1%}"
        found.append(finding("imbalance", severity, where, level=least, share=f"{share:.2%}", constant=commonest))
    tiny = [f"{level} ({count})" for level, count in counts.items() if count < FEW_ROWS]
    if tiny:
        rule = "tiny_label" if is_labels else "tiny_class"
        found.append(finding(rule, "warning", where, classes=", ".join(tiny[:10]), limit=FEW_ROWS))
    return found


def class_counts(train: Dataset) -> dict[str, int]:
    """How many rows have each class, or each of several labels, the most frequent first."""
    feature = train.schema.target
    if feature.separator is None:
        return {level: int((train.target == level).sum()) for level in levels_of(train.target)}
    counts = Counter(label for cell in train.target for label in feature.labels_of(cell))
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
