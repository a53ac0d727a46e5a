"""What a reader must know of the decisions behind a bundle's answers, with the numbers that speak for them."""

import numpy as np

from deepwright.core.bundle import Answers
from deepwright.core.dataset import Dataset
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, finding
from deepwright.evaluation.classify import Precision, Recall
from deepwright.evaluation.decision import Wanted, as_answer
from deepwright.evaluation.interval import Z, intervals
from deepwright.evaluation.wording import shown, with_interval
from deepwright.practice.member import Member
from deepwright.practice.target import target_of


def decision_findings(recipe: Recipe, validation: Dataset, member: Member) -> tuple[Finding, ...]:
    """What a temperature does, from which probability on the second of two classes is answered and what that costs, and
    what costs per class change. member: the one that ships."""
    found = temperature_findings(validation, member)
    answers = member.given
    if answers.costs is not None:
        return (*found, _costs(validation, answers))
    if answers.threshold is None or not recipe.decision.is_chosen:
        return found
    where, level = validation.schema.target.name, validation.schema.target.levels[1]
    if answers.has_labels:
        values = {"threshold": f"{answers.threshold:.3g}", "kind": recipe.decision.kind, "rows": len(validation)}
        return (*found, finding("decision_labels", "note", where, **values))
    decision, threshold = recipe.decision, f"{answers.threshold:.3g}"
    if isinstance(decision, Wanted):
        return (*found, _wanted(decision, validation, answers, threshold=threshold, where=where, level=level))
    kind, rows = decision.kind, len(validation)
    return (*found, finding("decision", "note", where, level=level, threshold=threshold, kind=kind, rows=rows))


def temperature_findings(validation: Dataset, member: Member) -> tuple[Finding, ...]:
    """Whether probabilities are changed by a temperature, and what that is worth on rows that did not choose it."""
    tempered = member.tempered
    if tempered is None:
        return ()
    (loss, loss_after), (calibration, calibration_after) = tempered.log_loss, tempered.calibration_error
    values = {
        "rows": len(validation),
        "loss": f"{loss:.4f}",
        "loss_after": f"{loss_after:.4f}",
        "calibration": f"{calibration:.4f}",
        "calibration_after": f"{calibration_after:.4f}",
    }
    if not tempered.helps:
        return (finding("temperature_none", "note", member.name, **values),)
    return (finding("temperature", "note", member.name, temperature=f"{tempered.temperature:.3g}", **values),)


def _wanted(
    decision: Wanted, validation: Dataset, answers: Answers, *, threshold: str, where: str, level: str
) -> Finding:
    """What the threshold reaches on the rows that chose it, with intervals, beside the more probable class."""
    target, weight = target_of(validation), validation.weight
    assert answers.probability is not None, "a threshold is for classes"
    wanted, other = (Recall(), Precision()) if decision.metric == "recall" else (Precision(), Recall())
    judged, plain = as_answer(answers.decided, 2), as_answer(answers.probability.argmax(axis=1), 2)
    values = [metric.value(target, judged, weight) for metric in (wanted, other)]
    bounds = intervals((wanted, other), target, judged, weight=weight)
    said = [with_interval(value, low, high) for value, (low, high, _) in zip(values, bounds, strict=True)]
    is_reached = values[0] >= decision.value * (1 - 1e-12)
    return finding(
        "decision_wanted" if is_reached else "decision_not_reached", "note" if is_reached else "warning", where,
        level=level, threshold=threshold, wanted=f"{decision.value:g}", metric=wanted.kind, value=said[0],
        other=other.kind, other_value=said[1], rows=len(validation),
        plain=shown(wanted.value(target, plain, weight)), other_plain=shown(other.value(target, plain, weight)),
    )  # fmt: skip


def _costs(validation: Dataset, answers: Answers) -> Finding:
    """The mean cost of a row as decided, and where the most probable class is answered instead."""
    assert answers.probability is not None, "costs are for classes"
    target, matrix = target_of(validation), np.asarray(answers.costs)
    counts = np.ones(len(target)) if validation.weight is None else validation.weight
    said = []
    for answered in (answers.decided, answers.probability.argmax(axis=1)):
        cost = matrix[target, answered]
        mean = float(cost @ counts / counts.sum())
        half = Z * float(np.sqrt(np.square(counts * (cost - mean)).sum()) / counts.sum())
        said.append(with_interval(mean, max(0.0, mean - half), mean + half))
    where = validation.schema.target.name
    return finding("decision_costs", "note", where, cost=said[0], plain=said[1], rows=len(validation))
