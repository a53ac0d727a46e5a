"""Deciding: how sure a bundle's probabilities are and which class it answers, chosen on the validation part."""

from dataclasses import dataclass

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import Decision, Metric
from deepwright.core.operations import Temperature
from deepwright.core.recipe import Recipe
from deepwright.core.schema import Schema
from deepwright.core.step import require_part
from deepwright.evaluation.temperature import Tempered, temper
from deepwright.practice.append import appended
from deepwright.practice.target import target_of


@dataclass(frozen=True)
class Decided:
    """What a bundle ships once the validation part has decided.

    answer: what the graph says of the validation rows then. tempered: what a temperature does there; None: none asked.
    cross_fitted: answers there by which it may be compared; None: its own.
    """

    schema: Schema
    graph: bytes
    answer: np.ndarray
    tempered: Tempered | None = None
    cross_fitted: np.ndarray | None = None


def require_decidable(decision: Decision, schema: Schema) -> None:
    """Raises RecipeError for a decision about a target that has not the classes it is for."""
    if decision.kind == "most_probable":
        return
    target = schema.target
    if schema.problem == "regression":
        raise RecipeError("run.decision_values", kind=decision.kind, target=target.name)
    if schema.problem == "multi-label":
        require_of_labels(decision, target.name)
    elif decision.costs_of(target.levels) is None and len(target.levels) != 2:
        raise RecipeError("run.decision_classes", kind=decision.kind, target=target.name, count=len(target.levels))


def require_labels_fit(schema: Schema, *, is_large: bool) -> None:
    """Raises RecipeError for what does not go with a target of several labels."""
    weight, target = schema.of_role("weight"), schema.target.name
    if schema.problem != "multi-label":
        return
    if weight is not None:
        raise RecipeError("run.labels_weight", target=target, weight=weight.name)
    if is_large:
        raise RecipeError("run.labels_large", target=target)


def require_of_labels(decision: Decision, target: str) -> None:
    """Raises RecipeError for a decision, or the metric that it is by, that is not for several labels."""
    metric = getattr(decision, "metric", None)
    if not decision.of_labels:
        allowed = ", ".join(sorted(kind for kind, other in Decision.kinds.items() if other.of_labels))  # type: ignore[attr-defined]
        raise RecipeError("run.decision_labels", kind=decision.kind, target=target, allowed=allowed)
    if isinstance(metric, Metric) and "multi-label" not in metric.problems:
        raise RecipeError("run.decision_labels_metric", kind=metric.kind, target=target)


def decide(
    recipe: Recipe,
    schema: Schema,
    validation: Dataset,
    answer: np.ndarray,
    graph: bytes,
    cross_fitted: np.ndarray | None = None,
) -> Decided:
    """The temperature, then the threshold, at which a member's answers [N, K] are best on validation.

    cross_fitted: the answers without favour, where an earlier choice on these rows made the member.
    Raises LeakError on any other part.
    """
    require_part(validation, "validation", "decision")
    found = None
    if schema.problem == "classification" and recipe.temperature:
        fair = answer if cross_fitted is None else cross_fitted
        found = temper(target_of(validation), fair, validation.weight, recipe.seed)
        if found.helps:
            operation = Temperature(temperature=found.temperature)
            graph = appended(graph, operation)
            answer, cross_fitted = operation.apply({"probability": answer})["probability"], found.cross_fitted
    return Decided(decided_schema(schema, recipe.decision, validation, answer), graph, answer, found, cross_fitted)


def decided_schema(schema: Schema, decision: Decision, validation: Dataset, answer: np.ndarray) -> Schema:
    """The schema that a bundle ships: with the threshold at which these answers [N, 2] are best on validation, or with
    the costs that decide.

    Raises LeakError on any other part.
    """
    require_part(validation, "validation", "decision")
    if decision.kind == "most_probable":
        return schema
    costs = decision.costs_of(schema.target.levels)
    threshold = decision.choose(target_of(validation), answer, validation.weight) if costs is None else None
    return schema.model_copy(update={"threshold": threshold, "costs": costs})
