"""Opening what was written before: a run's recipe with the parts it names."""

from deepwright import parts
from deepwright.core.errors import RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.recipe_file import load_recipe, parse_yaml
from deepwright.core.run import Run


def recipe_of(run: Run) -> Recipe:
    """The run's recipe, after the user's own file that it names (`--with`) was imported again.

    Raises RecipeError when that file has changed since.
    """
    path = run.folder / "recipe.yaml"
    content = run.read("recipe.yaml")
    plain = parse_yaml(content.decode("utf-8"), str(path))
    parts.load_installed()
    if plain.get("plugin") is not None:
        digest = parts.load_plugin(plain["plugin"])
        if digest != plain.get("plugin_sha256"):
            raise RecipeError("plugin.changed", path=plain["plugin"], run=run.name)
    return load_recipe(path)
