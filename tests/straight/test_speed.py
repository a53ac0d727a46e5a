"""The speed plan of `train.speed auto`: measured once for a recipe on its rows and this machine."""

import json

import pytest

from deepwright.core.errors import RecipeError
from deepwright.evaluation.training import training_lines
from deepwright.practice.run import practise
from deepwright.train.probe import Choice
from deepwright.train.speed import SpeedPlan


@pytest.fixture
def measure(monkeypatch):
    """Makes the probe find one plan, and counts how often it is asked."""
    asked = []

    def make(plan):
        def choose(trial):
            asked.append(plan)
            return Choice(plan, 1.5, 7e-7, None, 0.01, ())

        monkeypatch.setattr("deepwright.train.loop.choose_plan", choose)
        return asked

    return make


def weights(run):
    return (run.folder / "members" / "network" / "weights.safetensors").read_bytes()


def test_the_same_recipe_takes_the_plan_that_was_measured_here(tables, make_recipe, measure, own_workspace):
    recipe = make_recipe(tables / "wine.csv", "kind", baselines=("constant",), blend=False)
    recipe = recipe.replace(train=recipe.train.replace(speed="auto", epochs=1))
    asked = measure(SpeedPlan(cheap_dropout=True))
    first = practise(recipe, name="first")
    measure(SpeedPlan())
    second = practise(recipe, name="second")
    assert len(asked) == 1 and weights(second) == weights(first)
    noted = second.report.environment["network"]
    assert noted["speed"] == SpeedPlan(cheap_dropout=True).record()
    assert f"as measured here on {noted['speed_measured']}" in "\n".join(training_lines(second.report))

    (path,) = (own_workspace / ".deepwright" / "speed").glob("*.json")
    kept = json.loads(path.read_text())
    assert kept["for"]["recipe"] == recipe.hash and kept["plan"] == noted["speed"]
    path.write_text(path.read_text().replace("true", "maybe", 1))
    with pytest.raises(RecipeError, match="Remove the file; the next run measures anew"):
        practise(recipe, name="damaged")
