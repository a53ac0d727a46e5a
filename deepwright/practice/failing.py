"""Where the chosen member fails and what it costs: slices, importance, footprint; added to a report."""

from collections.abc import Mapping
from typing import Any

from deepwright.core.bundle import Answers, Bundle
from deepwright.core.dataset import Dataset
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, Report, finding
from deepwright.core.seal import Split
from deepwright.evaluation.conditions import meeting
from deepwright.evaluation.footprint import footprint
from deepwright.evaluation.importance import importance
from deepwright.evaluation.slices import bad_slices, compared, slice_findings
from deepwright.practice.reporting import metrics_of
from deepwright.practice.target import target_of

MOST_MEASURED = 1000
"""Validation rows from which the calls that are timed take theirs."""


def with_failures(report: Report, recipe: Recipe, split: Split, bundle: Bundle, given: Answers) -> Report:
    """The report with the chosen bundle's bad slices, the importance of its inputs, its size, speed and memory.

    given: what the bundle says of validation.
    """
    train, validation = split.train, split.validation
    cost = footprint(bundle, {name: column[:MOST_MEASURED] for name, column in validation.inputs.items()})
    report = report.model_copy(update={"footprint": cost})
    target = target_of(validation)
    decided = given.decided if given.is_decided else None
    slices = bad_slices(train, validation, target, given.answer, decided=decided, seed=recipe.seed)
    metric, many = metrics_of(recipe, validation, lambda: train)[0], cost.latency[-1]
    per_row_s = many.median_s / many.rows
    inputs = importance(bundle, validation, target, metric, seconds_per_row=per_row_s, seed=recipe.seed)
    left_out: tuple[Finding, ...] = ()
    if inputs is None and len(validation.schema.inputs) > 1:
        where, ms = validation.schema.target.name, f"{per_row_s * 1e3:.1f}"
        left_out = (finding("importance_left_out", "note", where, ms=ms, inputs=len(validation.schema.inputs)),)
    more = {"slices": slices} | ({} if inputs is None else {"importance": inputs})
    return report.model_copy(
        update={
            "evidence": _added(report.evidence, "validation", report.chosen, more),
            "findings": (*report.findings, *slice_findings(slices), *left_out),
        }
    )


def slices_on_test(
    report: Report, evidence: Mapping[str, Any], given: Answers, train: Dataset, test: Dataset
) -> dict[str, Any]:
    """The test part's evidence with what became of the slices that were found on validation: figures without the favour
    of a search. given: what the chosen bundle says of the test part."""
    found = report.evidence.get("validation", {}).get(report.chosen, {}).get("slices")
    if not found or not found["found"]:
        return dict(evidence)
    target = target_of(test)
    decided = given.decided if given.is_decided else None
    again = []
    for one in found["found"]:
        inside = meeting(one["conditions"], test.schema, train.inputs, test.inputs)
        if 0 < inside.sum() < len(inside):
            figures = compared(test.schema.problem, target, given.answer, decided, inside)
            again.append({"conditions": one["conditions"], **figures})
    entry = {**found, "searched": len(target), "found": again}
    return {**evidence, report.chosen: {**evidence[report.chosen], "slices": entry}}


def _added(evidence: Mapping[str, Any], part: str, member: str, more: Mapping[str, Any]) -> dict[str, Any]:
    members = evidence[part]
    return {**evidence, part: {**members, member: {**members[member], **more}}}
