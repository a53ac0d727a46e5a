"""Deciding: from which probability on the second of two classes is answered, chosen on the validation part."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import Decision
from deepwright.core.schema import Schema
from deepwright.core.step import require_part
from deepwright.practice.target import target_of


def require_decidable(decision: Decision, schema: Schema) -> None:
    """Raises RecipeError for a decision about a target that has not two classes."""
    if decision.kind == "most_probable":
        return
    target = schema.target
    if schema.problem == "regression":
        raise RecipeError("run.decision_values", kind=decision.kind, target=target.name)
    if len(target.levels) != 2:
        raise RecipeError("run.decision_classes", kind=decision.kind, target=target.name, count=len(target.levels))


def decided_schema(schema: Schema, decision: Decision, validation: Dataset, answer: np.ndarray) -> Schema:
    """The schema that a bundle ships: with the threshold at which these answers [N, 2] are best on validation.

    Raises LeakError on any other part.
    """
    require_part(validation, "validation", "decision")
    if decision.kind == "most_probable":
        return schema
    threshold = decision.choose(target_of(validation), answer, validation.weight)
    return schema.model_copy(update={"threshold": threshold})
