"""What a walk refuses before it learns anything."""

import pytest

import deepwright.parts  # noqa: F401 - the kinds
from deepwright.core.errors import RecipeError
from deepwright.core.families import Loss
from deepwright.core.recipe import Recipe
from deepwright.practice.run import require_fitting_parts


def recipe(**train) -> Recipe:
    return Recipe(source={"kind": "table", "path": "people.csv"}, target="y", train=train)


@pytest.mark.parametrize("kind", ["binary", "multi_label", "poisson", "contrastive"])
@pytest.mark.parametrize(("problem", "allowed"), [("classification", "cross_entropy"), ("regression", "mae, mse")])
def test_a_loss_that_no_table_can_be_given_is_refused_with_those_that_can(kind: str, problem: str, allowed: str):
    with pytest.raises(RecipeError) as caught:
        require_fitting_parts(recipe(loss=kind), problem)
    said = str(caught.value)
    assert f"train.loss: '{kind}' is not for {problem}. Allowed: " in said
    assert all(word in said for word in allowed.split(", "))


def test_a_loss_of_the_other_problem_is_refused_and_one_of_this_is_not():
    with pytest.raises(RecipeError, match=r"train.loss: 'quantile' is not for classification. Allowed: cross_entropy"):
        require_fitting_parts(recipe(loss="quantile"), "classification")
    require_fitting_parts(recipe(loss={"kind": "quantile", "levels": (0.9,)}), "regression")
    require_fitting_parts(recipe(), "classification")


def test_a_loss_of_ones_own_that_leaves_its_problems_open_fits_any(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Loss, "kinds", dict(Loss.kinds))

    class Open(Loss, kind="open_for_any"):
        """Names no problem."""

    for problem in ("classification", "regression"):
        require_fitting_parts(recipe(loss=Open()), problem)
    with pytest.raises(RecipeError, match=r"is not for regression. Allowed: huber, mae, mse, quantile"):
        require_fitting_parts(recipe(loss="binary"), "regression")


def test_what_training_watches_must_fit_the_problem():
    with pytest.raises(RecipeError, match=r"train.watch: 'rmse' is not for classification. Allowed: accuracy"):
        require_fitting_parts(recipe(watch="rmse"), "classification")
    require_fitting_parts(recipe(watch="rmse"), "regression")
