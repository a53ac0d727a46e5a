"""Flags: read by the options' own definitions."""

from typing import Any

import pytest

import deepwright.parts  # noqa: F401 - a recipe names kinds of every family
from deepwright.core.errors import RecipeError, UsageError
from deepwright.core.flags import apply_flags, convert, flags_of, is_recipe_flag
from deepwright.core.recipe import Recipe

MINIMAL = {"source": {"kind": "table", "path": "a.csv"}, "target": "y"}


def recipe(*flags: tuple[str, str]) -> Recipe:
    return Recipe.parse(apply_flags(MINIMAL, list(flags)))


def test_flags_and_plain_data_say_the_same():
    one = recipe(("train.epochs", "7"), ("train.optimizer", "sgd"), ("train.optimizer.lr", "1e-2"), ("seed", "3"))
    other = Recipe.parse({**MINIMAL, "train": {"epochs": 7, "optimizer": {"kind": "sgd", "lr": 0.01}}, "seed": 3})
    assert one == other and one.hash == other.hash


def test_a_kind_may_come_after_its_options():
    assert recipe(("train.optimizer.lr", "0.5"), ("train.optimizer", "sgd")).train.optimizer.kind == "sgd"


def test_an_option_of_the_default_kind_needs_no_kind():
    assert recipe(("network.dropout", "0.25")).network.dump()["dropout"] == 0.25


def test_lists_are_split_at_commas():
    assert recipe(("baselines", "constant,linear")).dump(defaults=False)["baselines"] == [
        {"kind": "constant"},
        {"kind": "linear"},
    ]
    assert recipe(("ignore", "a, b")).ignore == ("a", "b")
    assert recipe(("ignore", "")).ignore == ()


def test_none_takes_an_option_away():
    assert recipe(("train.patience", "none")).train.patience is None
    assert recipe(("metric", "none")).metric is None


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        ("64,64", tuple[int, ...], (64, 64)),
        ("1e-3", float, 0.001),
        ("007", str, "007"),
        ("true", str, "true"),
        ("true", bool, True),
        ("none", int | None, None),
        ("none", str | None, None),
        ("none", str, "none"),
        ("5", int | None, 5),
    ],
)
def test_a_value_is_read_as_the_option_wants_it(value: str, annotation: Any, expected: Any):
    found = convert(value, annotation)
    assert found == expected and type(found) is type(expected)


def test_changes_of_images_are_named_in_one_line_with_their_options():
    changes = recipe(
        ("augment.changes", "flip axis=both; crop pad=0.1 fill=black; mixup"), ("augment.check", "no")
    ).augment
    assert [change.dump(defaults=False) for change in changes.changes] == [
        {"kind": "flip", "axis": "both"},
        {"kind": "crop", "pad": 0.1, "fill": "black"},
        {"kind": "mixup"},
    ]
    assert not changes.check and recipe(("augment.changes", "none")).augment.changes == ()
    with pytest.raises(UsageError, match=r"--augment\.changes\.padding.*Did you mean '--augment\.changes\.pad'"):
        recipe(("augment.changes", "crop padding=0.1"))
    with pytest.raises(RecipeError, match=r"augment\.changes\.0\.pad.*0\.9|pad.*0\.9"):
        recipe(("augment.changes", "crop pad=0.9"))


def test_from_is_short_for_the_path_of_the_weights():
    transfer = recipe(("from", "runs/a"), ("transfer.freeze", "backbone")).transfer
    assert transfer is not None and transfer.path == "runs/a" and transfer.freeze == "backbone"
    assert is_recipe_flag("from")
    with pytest.raises(UsageError, match=r"--transfer\.path"):
        recipe(("from", "a"), ("transfer.path", "b"))


def test_options_of_the_weights_need_weights():
    with pytest.raises(RecipeError, match=r"^transfer\.path: this option has no default and must be given\.$"):
        recipe(("transfer.freeze", "backbone"))


def test_names_of_the_recipe_and_of_the_source_are_recipe_flags():
    assert is_recipe_flag("train.epochs") and is_recipe_flag("seed") and is_recipe_flag("columns")
    assert not is_recipe_flag("json") and not is_recipe_flag("final")


def test_options_of_the_source_need_no_prefix():
    assert recipe(("delimiter", ";")).source.dump()["delimiter"] == ";"


def test_an_unknown_flag_is_guessed_among_its_neighbours():
    with pytest.raises(UsageError) as caught:
        recipe(("train.epoch", "3"))
    message = str(caught.value)
    assert message.startswith("--train.epoch: there is no such option. Did you mean '--train.epochs'? Allowed here: ")
    assert "--train.batch_size" in message


def test_a_plain_value_has_no_options():
    with pytest.raises(UsageError) as caught:
        recipe(("seed.x", "3"))
    assert str(caught.value) == "--seed.x: 'seed' is a plain value and has no options of its own."


def test_an_option_of_an_absent_part_asks_for_its_kind():
    with pytest.raises(UsageError) as caught:
        recipe(("train.loss.x", "3"))
    message = str(caught.value)
    assert message.startswith("--train.loss.x: which kind is meant? Add it, for example --train.loss ")


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        (
            "train.epochs",
            "many",
            "--train.epochs: 'many' is not allowed. It takes: a whole number >= 1 <= 100000 | none.",
        ),
        ("train.optimizer.lr", "fast", "--train.optimizer.lr: 'fast' is not allowed. It takes: a number"),
        ("network", "mpl", "Did you mean 'mlp'?"),
        ("train.epochs", "0", "epochs: 0 is not allowed."),
        ("train.epochs", "1.5", "epochs: 1.5 is not allowed."),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(flag: str, value: str, words: str):
    with pytest.raises(RecipeError) as caught:
        recipe((flag, value))
    assert words in str(caught.value)


def test_every_flag_has_a_help_text_and_a_type():
    rows = list(flags_of(Recipe))
    assert len(rows) > 30
    assert [flag for flag, takes, _, help_text in rows if not takes or not help_text] == []
    assert len({flag for flag, *_ in rows}) == len(rows)


def test_every_flag_can_be_set_to_its_own_default():
    settable = [
        (flag.removeprefix("--"), default)
        for flag, _, default, _ in flags_of(Recipe)
        if default and not flag.startswith(("--plugin", "--allow", "--target", "--transfer."))
    ]
    assert len(settable) > 20
    for flag, default in settable:
        assert recipe((flag, default)).hash == recipe().hash, flag


def test_a_flag_of_the_training_leaves_all_else_as_the_network_recommends():
    train = recipe(("train.epochs", "7"), ("train.optimizer.weight_decay", "0.5")).train
    assert train == recipe().train.replace(epochs=7, optimizer=recipe().train.optimizer.replace(weight_decay=0.5))


def test_help_shows_the_defaults_that_hold_with_the_default_network():
    shown = {flag: default for flag, _, default, _ in flags_of(Recipe)}
    assert shown["--train.optimizer.lr"] == str(recipe().train.optimizer.lr) != "0.001"
    assert shown["--train.batch_size"] == str(recipe().train.batch_size) != "256"
    assert shown["--train.optimizer"] == "adamw" and shown["--train.epochs"] == "none"


def test_a_table_whose_time_is_named_is_a_series_of_the_same_file():
    table = {"source": {"kind": "table", "path": "t.csv"}}
    found = apply_flags(table, [("source.time", "year,month,day"), ("missing", "NA")])["source"]
    assert found == {"kind": "series", "path": "t.csv", "time": ("year", "month", "day"), "missing": ("NA",)}
    assert apply_flags(table, [("missing", "NA")])["source"]["kind"] == "table"


def test_another_kind_of_source_keeps_the_file():
    table = {"source": {"kind": "table", "path": "t.csv"}}
    assert apply_flags(table, [("source", "cases")])["source"] == {"kind": "cases", "path": "t.csv"}


def test_options_of_the_usual_network_of_images_need_no_kind():
    data = {"source": {"kind": "images", "path": "photos"}}
    recipe = Recipe.parse(apply_flags(data, [("network.depth", "8"), ("prepare.images.size", "24,32")]))
    assert recipe.network.dump(defaults=False) == {"kind": "resnet", "depth": 8}
    assert recipe.prepare.images.size == (24, 32) and recipe.train.least_steps == 2000
    table = Recipe.parse(apply_flags(data, [("source", "table"), ("target", "y")]))
    assert (table.source.kind, table.network.kind) == ("table", "tabm")


def test_epochs_that_a_flag_names_are_not_stretched_by_bounds_of_a_file():
    data = Recipe.parse({"source": {"kind": "images", "path": "photos"}}).dump()
    assert data["train"]["least_steps"] == 2000
    train = Recipe.parse(apply_flags(data, [("train.epochs", "3")])).train
    assert (train.epochs, train.least_steps, train.most_steps) == (3, None, None)
    bound = Recipe.parse(apply_flags(data, [("train.epochs", "3"), ("train.most_steps", "50")])).train
    assert (bound.least_steps, bound.most_steps) == (2000, 50)
