"""Recipes: defaults, hashes, refusals."""

import subprocess
import sys

import pytest

import deepwright.parts  # noqa: F401 - a recipe names kinds of every family
from deepwright.core.errors import RecipeError
from deepwright.core.recipe import Allowance, Recipe, Train
from deepwright.train.optim import AdamW

MINIMAL = {"source": {"kind": "table", "path": "adult.csv"}, "target": "income"}
SUITED = {"optimizer": {"kind": "adamw", "lr": 0.006, "weight_decay": 0.03}, "batch_size": 128, "ema": 0.998}


@pytest.fixture
def recipe() -> Recipe:
    return Recipe.parse(MINIMAL)


def test_source_and_target_are_all_that_must_be_given(recipe: Recipe):
    assert recipe.dump(defaults=False) == {**MINIMAL, "train": SUITED}
    assert (recipe.network.kind, recipe.train.optimizer.kind, recipe.train.schedule.kind) == ("tabm", "adamw", "cosine")
    assert [b.kind for b in recipe.baselines] == ["constant", "linear", "boosting"]
    assert (recipe.split, recipe.metric, recipe.ship, recipe.seed) == (None, None, "best", 0)


def test_what_must_be_given_is_asked_for():
    with pytest.raises(RecipeError) as caught:
        Recipe.parse({k: v for k, v in MINIMAL.items() if k != "source"})
    assert str(caught.value) == "recipe.source: this option has no default and must be given."


def test_equal_recipes_have_equal_hashes_however_they_were_written(recipe: Recipe):
    spelled_out = Recipe.parse(recipe.dump())
    assert spelled_out == recipe and spelled_out.hash == recipe.hash
    assert Recipe.parse({**MINIMAL, "network": "tabm", "seed": 0}).hash == recipe.hash
    assert Recipe.parse({**MINIMAL, "train": {"patience": 8, "optimizer": {"kind": "adamw"}}}).hash == recipe.hash
    assert Recipe.parse({**MINIMAL, "ignore": []}).hash == recipe.hash


def test_training_that_is_left_open_is_as_the_network_recommends_and_shows():
    def train(**given: object) -> Train:
        return Recipe.parse({**MINIMAL, **given}).train

    assert (train().optimizer.lr, train().ema, train().patience) == (0.006, 0.998, 8)
    assert train(network="mlp") == Train()
    named = train(train={"ema": None, "optimizer": {"kind": "adamw", "lr": 1e-3}})
    assert (named.ema, named.optimizer.lr, named.optimizer.weight_decay, named.batch_size) == (None, 1e-3, 0.03, 128)
    assert train(train={"optimizer": "adamw"}).optimizer.lr == 0.006
    assert train(train={"optimizer": "sgd"}).optimizer.lr == 0.01
    made = train(train=Train(epochs=3, optimizer=AdamW(weight_decay=0.5)))
    assert (made.epochs, made.optimizer.weight_decay, made.optimizer.lr) == (3, 0.5, 0.006)


def test_what_was_named_at_its_default_stays_named():
    recipe = Recipe.parse({**MINIMAL, "train": {"batch_size": 256, "ema": None}})
    for again in (recipe.replace(seed=1), Recipe.parse(recipe.dump()), recipe.replace(network="tabm")):
        assert (again.train.batch_size, again.train.ema) == (256, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"target": "wage"},
        {"ignore": ["age"]},
        {"network": {"kind": "mlp", "dropout": 0.25}},
        {"train": {"epochs": 41}},
        {"train": {"optimizer": {"kind": "adamw", "lr": 0.123}}},
        {"train": {"optimizer": "sgd"}},
        {"baselines": ["constant"]},
        {"baselines": ["linear", "constant", "boosting"]},
        {"prepare": {"imputer": "most_frequent"}},
        {"allow": [{"rule": "no_graph", "reason": "a"}]},
    ],
)
def test_any_other_choice_gives_another_hash(recipe: Recipe, changes: dict):
    other = Recipe.parse({**MINIMAL, **changes})
    assert other.hash != recipe.hash
    assert Recipe.parse(other.dump()).hash == other.hash


def test_the_hash_is_the_same_in_another_process(recipe: Recipe):
    code = f"import deepwright.parts; from deepwright.core.recipe import Recipe; print(Recipe.parse({MINIMAL!r}).hash)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == recipe.hash


def test_a_nested_fault_is_named_by_its_place():
    with pytest.raises(RecipeError) as caught:
        Recipe.parse({**MINIMAL, "train": {"epochs": 0}})
    assert str(caught.value) == ("train.epochs: 0 is not allowed. It takes: a whole number >= 1 <= 100000 | none.")


def test_an_unknown_option_is_guessed():
    with pytest.raises(RecipeError, match=r"recipe\.sed: there is no such option\. .* Did you mean 'seed'\?"):
        Recipe.parse({**MINIMAL, "sed": 1})


def test_improving_gives_a_new_recipe(recipe: Recipe):
    better = recipe.replace(train=recipe.train.replace(epochs=60))
    assert (recipe.train.epochs, better.train.epochs) == (None, 60)
    assert better.hash != recipe.hash


def test_an_exemption_needs_its_reason():
    with pytest.raises(RecipeError, match=r"allowance\.reason: this option has no default and must be given\."):
        Allowance(rule="no_graph")


def test_a_small_table_gets_more_epochs_and_the_patience_for_them_unless_they_are_named():
    train = Train(batch_size=100)
    assert train.passes(rows=900) == (200, 40)
    assert train.passes(rows=10_000) == (80, 16)
    assert train.passes(rows=1_000_000) == (40, 8)
    assert train.replace(patience=None).passes(rows=900) == (200, None)
    assert train.replace(epochs=7).passes(rows=900) == (7, 8)


def of(source: dict, **more: object) -> Recipe:
    return Recipe.parse({"source": source, "target": "label", **more})


IMAGES = {"kind": "images", "path": "photos"}


def test_what_a_source_holds_decides_on_network_and_baselines_unless_they_are_named():
    recipe = of(IMAGES)
    assert recipe.network.kind == "resnet"
    assert [baseline.kind for baseline in recipe.baselines] == ["constant", "linear", "nearest"]
    assert of({"kind": "table", "path": "t.csv"}).network.kind == "tabm"
    joined = {"kind": "merge", "how": "left", "on": ["n"], "sources": [{"kind": "table", "path": "t.csv"}, IMAGES]}
    assert of(joined).network.kind == "resnet"
    named = of(IMAGES, network="cnn", baselines=["constant"])
    assert (named.network.kind, len(named.baselines)) == ("cnn", 1)


def test_a_recipe_of_images_is_the_same_when_it_is_read_again():
    recipe = of(IMAGES, quality="best")
    again = Recipe.parse(recipe.dump())
    assert again == recipe and again.hash == recipe.hash and recipe.replace(seed=4).train == recipe.train


@pytest.mark.parametrize(("quality", "factor", "side"), [("fast", 0.25, 32), ("good", 1, 48), ("best", 3, 96)])
def test_one_word_of_quality_stands_for_epochs_and_size_that_the_recipe_shows(quality, factor, side):
    recipe, usual = of(IMAGES, quality=quality), of(IMAGES).train
    assert recipe.prepare.images.most == side
    assert recipe.train.epochs == round(usual.epochs * factor)
    assert recipe.train.least_steps == round(usual.least_steps * factor)
    assert recipe.train.most_steps == round(usual.most_steps * factor)
    named = of(IMAGES, quality=quality, train={"epochs": 5}, prepare={"images": {"most": 40}})
    assert (named.train.epochs, named.train.least_steps, named.prepare.images.most) == (5, None, 40)


def test_images_are_augmented_by_default_as_the_recipe_shows():
    assert [change.kind for change in of(IMAGES).augment.changes] == ["flip", "crop"]
    assert of(IMAGES).predict.views == "one" and of(IMAGES, quality="best").predict.views == "auto"
    assert of(IMAGES, augment={"changes": []}).augment.changes == ()
    unchecked = of(IMAGES, augment={"check": False}).augment
    assert len(unchecked.changes) == 2 and not unchecked.check
    table = {"kind": "table", "path": "t.csv"}
    assert of(table).augment.changes == () and of(table, quality="best").predict.views == "one"


def test_quality_is_a_word_for_tables_too():
    table = {"kind": "table", "path": "t.csv"}
    assert of(table, quality="fast").train.epochs == 10
    assert of(table, quality="good").train == of(table).train
    assert of(table, quality="best").train.patience == 40


def test_few_images_get_more_epochs_until_there_are_steps_enough():
    train = Train(epochs=30, batch_size=128, least_steps=2000, patience=None)
    assert train.passes(rows=245) == (1020, None)
    assert train.passes(rows=48_000) == (30, None)
    assert train.replace(patience=8).passes(rows=1000) == (270, 72)


def test_images_have_patience_for_a_third_of_their_epochs():
    for rows in (238, 1000, 40_000):
        epochs, patience = of(IMAGES).train.passes(rows=rows)
        assert patience is not None and (patience == epochs // 3 or patience >= epochs), (rows, epochs, patience)
    assert of(IMAGES, quality="best").train.patience == 30


def test_very_many_images_get_fewer_epochs_down_to_one():
    train = Train(epochs=30, batch_size=128, least_steps=1000, most_steps=3000)
    assert train.passes(rows=48_000) == (8, 8)
    assert train.passes(rows=1_000_000) == (1, 8)
    assert train.passes(rows=10_000) == (30, 8)
