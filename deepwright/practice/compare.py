"""Comparing finished runs, or the members of one, on the very same rows."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, SealError, UsageError, did_you_mean
from deepwright.core.families import Metric
from deepwright.core.ledger import LookLedger, workspace
from deepwright.core.report import Report
from deepwright.core.run import Run
from deepwright.evaluation.comparison import Comparison, Contestant, compare_contestants
from deepwright.evaluation.decision import as_answer
from deepwright.evaluation.draws import Dependence
from deepwright.evaluation.judge import checked
from deepwright.practice.images import decoded_again, store
from deepwright.practice.keep import kept_rows, kept_test
from deepwright.practice.opening import recipe_of
from deepwright.practice.reporting import member_bundles, metrics_of
from deepwright.practice.target import target_of

Part = Literal["validation", "test"]


@dataclass(frozen=True)
class _Entry:
    """One contestant: a member of a run, and its name in the comparison."""

    run: Run
    report: Report
    member: str
    name: str


def compare(*runs: str | Path | Run, part: Part | None = None, common: bool = False) -> Comparison:
    """Compare what finished runs ship, or members of runs (`RUN:MEMBER`), on the same rows, pair by pair.

    One run alone: its members among each other. part: the rows; none: test where every run has taken its look, else
    validation. common: where the runs' rows differ, compare on those that all have.

    Raises UsageError for an unknown run or member, DataError where targets or rows differ, SealError for a test part
    that a run has not looked at.
    """
    entries = _entries(runs)
    part = part or ("test" if all(_has_looked(entry.run) for entry in entries) else "validation")
    ledger = LookLedger(workspace())
    data = {entry.run.folder: _rows(entry.run, part, ledger) for entry in entries}
    _require_same_target(entries)
    first = entries[0]
    rows = _aligned(entries, data, part, is_common=common)
    metrics = _metrics(entries, data[first.run.folder])
    reference = data[first.run.folder].take(rows[first.run.folder])
    contestants = [
        _contestant(entry, data[entry.run.folder], rows[entry.run.folder], metrics, part) for entry in entries
    ]
    return compare_contestants(
        target_of(reference),
        contestants,
        metrics,
        part=part,
        looks={entry.run.name: len(ledger.looks(kept_test(entry.run).hashes)) for entry in entries},
        left_out=max(len(of) for of in data.values()) - len(reference),
        weight=reference.weight,
        dependence=Dependence.of(reference.of_role("group"), reference.of_role("time")),
        seed=recipe_of(first.run).seed,
    )


def named_part(word: str | None) -> Part | None:
    """The part of that name. Raises UsageError for another word."""
    if word is None or word == "validation" or word == "test":
        return word
    raise UsageError("compare.no_part", found=word)


def _entries(runs: tuple[str | Path | Run, ...]) -> list[_Entry]:
    named = [_opened(run) for run in runs]
    if len(named) == 1 and named[0][1] is None:
        run = named[0][0]
        report = run.report
        if len(report.members) < 2:
            raise UsageError("compare.one_contestant", run=run.name)
        return [_Entry(run, report, member, member) for member in report.members]
    if len(named) < 2:
        raise UsageError("compare.one_contestant", run=named[0][0].name if named else "")
    entries = []
    for run, member in named:
        report = run.report
        if member is not None and member not in report.members:
            hint = did_you_mean(member, report.members)
            members = ", ".join(report.members)
            raise UsageError("compare.no_member", run=run.name, member=member, members=members, hint=hint)
        entries.append(_Entry(run, report, member or report.chosen, run.name + (f":{member}" if member else "")))
    names = [entry.name for entry in entries]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError("compare.twice", run=twice[0])
    return entries


def _opened(run: str | Path | Run) -> tuple[Run, str | None]:
    """The run, and the member that `RUN:MEMBER` names."""
    if isinstance(run, Run):
        return run, None
    before, colon, member = str(run).rpartition(":")
    is_run = any((folder / "ledger.jsonl").is_file() for folder in (Path(run), Path("runs") / run))
    return (Run.open(before), member) if colon and not is_run else (Run.open(run), None)


def _has_looked(run: Run) -> bool:
    return run.entry("tested") is not None


def _rows(run: Run, part: Part, ledger: LookLedger) -> Dataset:
    """A part's rows; of test only through the look that was counted when the run took it."""
    if part == "validation":
        return kept_rows(run, "validation")
    tested = run.entry("tested")
    if tested is None:
        raise SealError("compare.sealed", run=run.name)
    return kept_test(run).reopen(ledger, tested["look"])


def _require_same_target(entries: list[_Entry]) -> None:
    first = entries[0]
    for other in entries[1:]:
        for field in ("target", "problem", "levels"):
            found, expected = getattr(other.report, field), getattr(first.report, field)
            if found != expected:
                values = {"a": first.run.name, "b": other.run.name, "field": field}
                raise DataError("compare.other_target", **values, found=_words(found), expected=_words(expected))


def _words(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _aligned(
    entries: list[_Entry], data: dict[Path, Dataset], part: Part, *, is_common: bool
) -> dict[Path, np.ndarray]:
    """For each run, by its folder, the places of the rows to compare on, in one order for all."""
    hashes = [of.hashes for of in data.values()]
    shared = hashes[0]
    for other in hashes[1:]:
        shared = np.intersect1d(shared, other)
    first = entries[0]
    for entry in entries[1:]:
        ours, theirs = data[first.run.folder].hashes, data[entry.run.folder].hashes
        if is_common or np.array_equal(np.sort(ours), np.sort(theirs)):
            continue
        values = {"a": first.run.name, "b": entry.run.name, "rows_a": len(ours), "rows_b": len(theirs)}
        raise DataError("compare.other_rows", part=part, common=len(np.intersect1d(ours, theirs)), **values)
    if len(shared) == 0:
        raise DataError("compare.no_common_rows", part=part, runs=", ".join(entry.name for entry in entries))
    places = {key: _in_order(of, shared if is_common else None) for key, of in data.items()}
    reference = data[first.run.folder].take(places[first.run.folder])
    for entry in entries[1:]:
        other = data[entry.run.folder].take(places[entry.run.folder])
        if not np.array_equal(target_of(reference), target_of(other)):
            raise DataError("compare.other_labels", a=first.run.name, b=entry.run.name, part=part)
        if not _alike(reference.weight, other.weight):
            raise DataError("compare.other_weights", a=first.run.name, b=entry.run.name)
    return places


def _in_order(data: Dataset, shared: np.ndarray | None) -> np.ndarray:
    """int64 [M]: the places of the rows by their hash, and by their label where hashes are equal; of the shared ones
    alone each once."""
    target = target_of(data)
    order = np.lexsort((*np.atleast_2d(target.T), data.hashes))
    if shared is None:
        return order
    is_first = np.ones(len(order), bool)
    is_first[1:] = data.hashes[order][1:] != data.hashes[order][:-1]
    return order[is_first & np.isin(data.hashes[order], shared)]


def _alike(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is b if a is None or b is None else np.array_equal(a, b)


def _metrics(entries: list[_Entry], data: Dataset) -> tuple[Metric, ...]:
    """The metrics of all runs, the first run's first."""
    found: dict[str, Metric] = {}
    for entry in entries:
        for metric in metrics_of(recipe_of(entry.run), data, partial(kept_rows, entry.run, "train")):
            found.setdefault(metric.name, metric)
    return tuple(found.values())


def _contestant(entry: _Entry, whole: Dataset, rows: np.ndarray, metrics: tuple[Metric, ...], part: Part) -> Contestant:
    """One member's answers. whole: its run's part, of which these rows are compared."""
    bundle = member_bundles(entry.run, entry.report)[entry.member]
    data = decoded_again(entry.run, whole, bundle.operations, store()).take(rows)
    given = bundle.predict(data)
    _, answer = checked(target_of(data), given.answer, member=entry.name, part=part)
    decided = as_answer(given.decided, len(data.schema.target.levels)) if given.is_decided else answer
    numbers = [n for n in entry.report.numbers if n.part == part and n.member == entry.member]
    marked, known = {n.metric for n in numbers if n.optimistic}, {n.metric for n in numbers}
    favoured = marked | {metric.name for metric in metrics if marked and metric.name not in known}
    return Contestant(entry.name, answer, decided, frozenset(favoured))
