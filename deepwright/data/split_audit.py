"""Split audit: what a split does to groups, times and small classes."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.report import Finding, finding
from deepwright.core.schema import Feature
from deepwright.data.groups import group_counts
from deepwright.data.periods import moment_text
from deepwright.data.rows import column_codes
from deepwright.data.shares import PARTS

TRAIN, VALIDATION, TEST = 0, 1, 2


def split_findings(whole: Dataset, parts: np.ndarray, test: Dataset | None = None) -> tuple[Finding, ...]:
    """What is to be known of this split. Of test rows only groups and times are read, never a label.

    parts: int8 [N], 0 train, 1 validation, 2 test. test: the user's own test rows.
    """
    return (*_group_findings(whole, parts, test), *_time_findings(whole, parts, test), *_class_findings(whole, parts))


def _group_findings(whole: Dataset, parts: np.ndarray, test: Dataset | None) -> tuple[Finding, ...]:
    group, feature = whole.of_role("group"), whole.schema.of_role("group")
    if group is None or feature is None:
        return ()
    if test is not None:
        group = np.concatenate([group, test.columns[feature.name]])
        parts = np.concatenate([parts, np.full(len(test), TEST, parts.dtype)])
    codes = column_codes(group)
    in_part = np.zeros((3, int(codes.max()) + 1), bool)
    in_part[parts, codes] = True
    straddling = in_part.sum(axis=0) > 1
    if not straddling.any():
        counts = group_counts(group, parts)
        return (finding("groups_apart", "note", feature.name, groups=in_part.shape[1], counts=counts),)
    count, rows = int(straddling.sum()), int(straddling[codes].sum())
    return (finding("groups_straddle", "warning", feature.name, count=count, groups=in_part.shape[1], rows=rows),)


def _time_findings(whole: Dataset, parts: np.ndarray, test: Dataset | None) -> tuple[Finding, ...]:
    times, feature = whole.of_role("time"), whole.schema.of_role("time")
    if times is None or feature is None:
        return ()
    if test is not None:
        times = np.concatenate([times, test.columns[feature.name]])
        parts = np.concatenate([parts, np.full(len(test), TEST, parts.dtype)])
    spans = [(times[parts == part].min(), times[parts == part].max()) for part in range(3) if (parts == part).any()]
    found = []
    for place in range(1, len(spans)):
        early = int((times[parts == place] <= spans[place - 1][1]).sum())
        if early:
            found.append(_too_early(feature, place, early, int((parts == place).sum()), spans[place - 1][1]))
    return tuple(found) or (_borders(feature, spans),)


def _too_early(feature: Feature, part: int, count: int, rows: int, border: float) -> Finding:
    return finding(
        "times_overlap", "warning", feature.name, part=PARTS[part], before=PARTS[part - 1], count=count, rows=rows,
        border=moment_text(border, feature.type),
    )  # fmt: skip


def _borders(feature: Feature, spans: list[tuple[float, float]]) -> Finding:
    said = [moment_text(low, feature.type) for low, _ in spans]
    names = ("--split.validation_from", "--split.test_from")
    options = " ".join(f"{name} {words}" for name, words in zip(names, said[1:], strict=False))
    periods = "; ".join(
        f"{PARTS[part]} {moment_text(low, feature.type)} - {moment_text(high, feature.type)}"
        for part, (low, high) in enumerate(spans)
    )
    return finding("time_borders", "note", feature.name, periods=periods, options=f"--split time {options}")


def _class_findings(whole: Dataset, parts: np.ndarray) -> tuple[Finding, ...]:
    """Classes that validation cannot judge; one class alone there stops a run."""
    if whole.schema.problem != "classification":
        return ()
    levels, codes = np.unique(whole.target.astype(str), return_inverse=True)
    counts = np.zeros((3, len(levels)), int)
    np.add.at(counts, (parts, codes), 1)
    where = whole.schema.target.name
    if (counts[VALIDATION] > 0).sum() == 1:
        only = str(levels[counts[VALIDATION].argmax()])
        return (finding("one_class", "blocking", where, only=only, rows=int(counts[VALIDATION].sum())),)
    unseen = [
        f"{level} ({of_train})"
        for level, of_train, of_validation in zip(levels, counts[TRAIN], counts[VALIDATION], strict=True)
        if not of_validation and of_train
    ]
    if not unseen:
        return ()
    return (finding("class_not_validated", "warning", where, classes=", ".join(unseen[:10]), count=len(unseen)),)
