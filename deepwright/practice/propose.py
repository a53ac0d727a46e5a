"""What is proposed for a table, and why, in words."""

from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import Baseline, Network
from deepwright.core.recipe import Recipe, usual_for
from deepwright.core.report import Finding, finding
from deepwright.core.schema import Schema
from deepwright.core.text import text
from deepwright.practice.augment import kinds_of

FEW_ROWS = 1000
"""Training rows; below, a network seldom beats a linear model or boosting by more than chance."""
FEW_IMAGES = 1000
"""Training images; below, a network that knows no other images learns little beyond colour and place."""
LEVELS_SHOWN = 5


def not_taken(recipe: Recipe, schema: Schema) -> tuple[str, ...]:
    """Inputs of types that the recipe's network cannot be given."""
    return tuple(feature.name for feature in schema.inputs if feature.type not in recipe.network.takes)


def require_taken(recipe: Recipe, schema: Schema) -> None:
    """Raises RecipeError when the network or a baseline cannot be given an input, with those that can."""
    images = [feature.name for feature in schema.inputs if feature.type == "image"]
    if not images:
        require_nothing_of_images(recipe)
    others = [feature.name for feature in schema.inputs if feature.type != "image"]
    if images and others:
        values = {"network": recipe.network.kind, "ignore": ",".join(others)}
        raise RecipeError("run.beside_images", images=", ".join(images), columns=", ".join(others), **values)
    if len(images) > 1:
        raise RecipeError("run.several_images", columns=", ".join(images), first=images[0], ignore=",".join(images[1:]))
    alien = not_taken(recipe, schema)
    if alien:
        type_ = schema[alien[0]].type
        taking = [kind for kind, network in sorted(Network.kinds.items()) if type_ in network.takes]
        values = {"type": type_, "network": recipe.network.kind, "allowed": ", ".join(taking) or text("run.none_takes")}
        raise RecipeError("run.not_taken", columns=", ".join(alien), **values)
    for baseline in recipe.baselines:
        if any(feature.type not in baseline.takes for feature in schema.inputs):
            taking = [kind for kind, other in sorted(Baseline.kinds.items()) if "image" in other.takes]
            values = {"baseline": baseline.kind, "allowed": ", ".join(taking)}
            raise RecipeError("run.baseline_not_taken", columns=", ".join(images), **values)


def require_nothing_of_images(recipe: Recipe) -> None:
    """Raises RecipeError for options that are about images alone."""
    if recipe.augment.changes:
        raise RecipeError("augment.no_image_column", changes=kinds_of(recipe.augment.changes))
    if recipe.predict.views not in ("one", "auto"):
        raise RecipeError("views.no_images", views=recipe.predict.views)


def proposal(recipe: Recipe, train: Dataset) -> Finding:
    """The problem as the target shows it, and the network, with the reason for each."""
    schema = train.schema
    if schema.problem == "classification":
        levels = schema.target.levels
        shown = ", ".join(levels[:LEVELS_SHOWN]) + (", ..." if len(levels) > LEVELS_SHOWN else "")
        problem = text("choice.classes", count=len(levels), levels=shown)
    elif schema.problem == "multi-label":
        problem = text("choice.labels", count=len(schema.target.levels), separator=schema.target.separator)
    else:
        problem = text("choice.values")
    alien = not_taken(recipe, schema)
    if alien:
        values = {"type": schema[alien[0]].type, "network": recipe.network.kind}
        return finding("no_network", "warning", ", ".join(alien), problem=problem, **values)
    usual = usual_for(recipe.source).get("network", Recipe.model_fields["network"].default)
    if recipe.network.kind != usual:
        why = text("choice.asked")
    elif any(feature.type == "image" for feature in schema.inputs):
        why = text("choice.images_few") if len(train) < FEW_IMAGES else text("choice.images")
    else:
        why = text("choice.few_rows") if len(train) < FEW_ROWS else text("choice.usual")
    values = {"network": recipe.network.kind, "inputs": len(schema.inputs), "rows": len(train)}
    return finding("chosen_network", "note", schema.target.name, problem=problem, why=why, **values)
