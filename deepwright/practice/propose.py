"""What is proposed for a table, and why, in words."""

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import Network
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, finding
from deepwright.core.schema import Schema
from deepwright.core.text import text

FEW_ROWS = 1000
"""Training rows; below, a network seldom beats a linear model or boosting by more than chance."""
LEVELS_SHOWN = 5


def not_taken(recipe: Recipe, schema: Schema) -> tuple[str, ...]:
    """Inputs of types that the recipe's network cannot be given."""
    return tuple(feature.name for feature in schema.inputs if feature.type not in recipe.network.takes)


def require_taken(recipe: Recipe, schema: Schema) -> None:
    """Raises RecipeError when the network cannot be given an input, with the networks that can."""
    alien = not_taken(recipe, schema)
    if alien:
        type_ = schema[alien[0]].type
        taking = [kind for kind, network in sorted(Network.kinds.items()) if type_ in network.takes]
        values = {"type": type_, "network": recipe.network.kind, "allowed": ", ".join(taking) or text("run.none_takes")}
        raise RecipeError("run.not_taken", columns=", ".join(alien), **values)


def proposal(recipe: Recipe, train: Dataset) -> Finding:
    """The problem as the target shows it, and the network, with the reason for each."""
    schema = train.schema
    if schema.problem == "classification":
        levels = schema.target.levels
        shown = ", ".join(levels[:LEVELS_SHOWN]) + (", ..." if len(levels) > LEVELS_SHOWN else "")
        problem = text("choice.classes", count=len(levels), levels=shown)
    else:
        problem = text("choice.values")
    alien = not_taken(recipe, schema)
    if alien:
        values = {"type": schema[alien[0]].type, "network": recipe.network.kind}
        return finding("no_network", "warning", ", ".join(alien), problem=problem, **values)
    if recipe.network.kind != Recipe.model_fields["network"].default:
        why = text("choice.asked")
    else:
        why = text("choice.few_rows") if len(train) < FEW_ROWS else text("choice.usual")
    values = {"network": recipe.network.kind, "inputs": len(schema.inputs), "rows": len(train)}
    return finding("chosen_network", "note", schema.target.name, problem=problem, why=why, **values)
