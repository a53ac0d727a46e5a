"""Rules and choices of columns: read from one line, from YAML and in Python alike."""

import pytest

import deepwright.parts  # noqa: F401 - a recipe names kinds of every family
from deepwright.core.errors import RecipeError, UsageError
from deepwright.core.flags import apply_flags
from deepwright.core.prepare import ColumnChoice, Prepare, Rule
from deepwright.core.recipe import Recipe
from deepwright.core.recipe_file import dump_recipe, parse_yaml

MINIMAL = {"source": {"kind": "table", "path": "a.csv"}, "target": "y"}


def prepare(**flags: str) -> Prepare:
    named = [(f"prepare.{name}", value) for name, value in flags.items()]
    return Recipe.parse(apply_flags(MINIMAL, named)).prepare


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("age >= 0", (("age", ">=", 0.0),)),
        ("0 <= age <= 120", (("age", ">=", 0.0), ("age", "<=", 120.0))),
        ("start<=end", (("start", "<=", "end"),)),
        ("`first day` < `a <= b`", (("first day", "<", "a <= b"),)),
        ("-1.5e3 != net income", (("net income", "!=", -1500.0),)),
        ("low < middle < high", (("low", "<", "middle"), ("middle", "<", "high"))),
    ],
)
def test_a_rule_is_read_as_comparisons(rule: str, expected: tuple):
    assert Rule(rule=rule).comparisons == expected


@pytest.mark.parametrize(
    "rule", ["", "age", "age <", "< 3", "1 < 2", "a < b < c < d", "a = 3", "a < 3 4 <", "`a < 3", "a in 1..3"]
)
def test_what_is_no_rule_is_refused_when_the_recipe_is_read(rule: str):
    with pytest.raises(RecipeError, match=r"prepare\.rules: .* cannot be read\. A rule compares columns and numbers"):
        Rule(rule=rule)


@pytest.mark.parametrize("rule", ["a < 3", "a <= b"])
def test_only_a_bound_can_hold_a_number(rule: str):
    with pytest.raises(RecipeError, match="has no bound to hold a number at"):
        Rule(rule=rule, treat="clip")


def test_rules_are_one_flag():
    found = prepare(rules="0 <= age <= 120: clip; `start day` <= end: delete; x > 0").rules
    assert found == (
        Rule(rule="0 <= age <= 120", treat="clip"),
        Rule(rule="`start day` <= end", treat="delete"),
        Rule(rule="x > 0"),
    )


def test_choices_of_columns_are_one_flag_and_the_same_in_yaml_and_python():
    flag = prepare(columns=r"age,fare: imputer=k_nearest, imputer.k=3, scaler=none; a\,b\:c: encoder=hashing")
    python = Prepare(
        columns=[
            {"columns": ["age", "fare"], "imputer": {"kind": "k_nearest", "k": 3}, "scaler": "none"},
            ColumnChoice(columns=["a,b:c"], encoder="hashing"),
        ]
    )
    assert flag == python and flag.hash == python.hash
    recipe = Recipe.parse({**MINIMAL, "prepare": python.dump()})
    again = Recipe.parse(parse_yaml(dump_recipe(recipe), "recipe.yaml"))
    assert again == recipe and again.prepare.columns == python.columns


def test_a_step_that_is_not_named_is_as_for_all():
    (choice,) = prepare(columns="age: scaler=robust").columns
    assert choice.scaler is not None and choice.scaler.kind == "robust"
    assert (choice.imputer, choice.outliers, choice.dates, choice.encoder) == (None,) * 4


@pytest.mark.parametrize("line", ["age", "age imputer=mean", "age: imputer"])
def test_a_choice_of_another_form_is_refused(line: str):
    with pytest.raises(RecipeError, match=r"prepare\.columns: .* cannot be read\. An entry is COLUMN"):
        prepare(columns=line)


def test_unknown_steps_kinds_and_options_are_guessed():
    with pytest.raises(UsageError, match=r"--prepare\.columns\.imputr: there is no such option\. Did you mean"):
        prepare(columns="age: imputr=mean")
    with pytest.raises(RecipeError, match=r"there is no 'meen'.*Did you mean 'mean'\?"):
        prepare(columns="age: imputer=meen")
    with pytest.raises(RecipeError, match=r"share: 2 is not allowed|share: '2' is not allowed"):
        prepare(columns="age: imputer=drop_columns, imputer.share=2")
