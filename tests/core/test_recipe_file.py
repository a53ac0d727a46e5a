"""Recipe files: YAML 1.2, plain data only; a fault is named with its line."""

from pathlib import Path
from typing import Any

import pytest

import deepwright.parts  # noqa: F401 - a recipe names kinds of every family
from deepwright.core.errors import RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.recipe_file import dump_recipe, load_recipe, parse_yaml, scalar

START = "source: {kind: table, path: a.csv}\ntarget: y\n"


def load(tmp_path: Path, text: str | bytes) -> Recipe:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_recipe(path)


def refusal(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, text)
    return str(caught.value).removeprefix(str(tmp_path / "recipe.yaml"))


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e-3", 0.001),
        (".5", 0.5),
        ("3.", 3.0),
        ("-2", -2),
        ("007", 7),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30:45", "12:30:45"),
        ("2026-11-21", "2026-11-21"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("9" * 500, "9" * 500),
    ],
)
def test_words_are_read_as_yaml_1_2_reads_them(word: str, value: Any):
    assert scalar(word) == value and type(scalar(word)) is type(value)


def test_quoted_words_stay_texts():
    assert parse_yaml("a: '1'\nb: \"true\"\nc: |\n  2\n", "x") == {"a": "1", "b": "true", "c": "2\n"}


def test_a_recipe_is_read_back_as_it_was_written(tmp_path: Path):
    recipe = Recipe.parse(
        {
            "source": {"kind": "table", "path": "Ünï 中文.csv"},
            "target": "NO",
            "ignore": ["1", "true", "null", "a: b", "- c", ""],
            "train": {"optimizer": {"kind": "sgd"}, "patience": None},
        }
    )
    again = load(tmp_path, dump_recipe(recipe))
    assert again == recipe and again.hash == recipe.hash
    assert again.ignore == ("1", "true", "null", "a: b", "- c", "")


def test_a_written_recipe_shows_every_default(tmp_path: Path):
    text = dump_recipe(load(tmp_path, START))
    for words in ("epochs: null", "batch_size: 128", "seed: 0", "kind: tabm"):
        assert words in text


def test_a_number_may_be_written_with_an_exponent(tmp_path: Path):
    recipe = load(tmp_path, START + "train: {optimizer: {kind: adamw, lr: 1e-2}}\n")
    assert recipe.train.optimizer.lr == 0.01  # type: ignore[attr-defined]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path):
    assert load(tmp_path, b"\xef\xbb\xbf" + START.encode()).target == "y"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            START + "seed: 1\nseed: 2\n",
            ": 'seed' stands twice, in lines 3 and 4. Keep one.",
        ),
        (
            START + "train: {epochs: 1, epochs: 2}\n",
            ": 'epochs' stands twice, in lines 3 and 3. Keep one.",
        ),
        (
            START + "seed: !!python/object/apply:os.system ['ls']\n",
            ", line 3: the tag tag:yaml.org,2002:python/object/apply:os.system is not allowed; a recipe is plain data. "
            "Remove it.",
        ),
        (
            START + "ignore: &a [x]\n",
            ", line 3: anchors and aliases (& and *) are not allowed in a recipe. Write the value out.",
        ),
        (
            START + "ignore: *a\n",
            ", line 3: anchors and aliases (& and *) are not allowed in a recipe. Write the value out.",
        ),
        (START + "ignore: " + "[" * 5000 + "\n", ", line 3: nested deeper than 32."),
        (
            START + "---\nseed: 1\n",
            ", line 3: a second document begins; a recipe is one document. Remove the `---`.",
        ),
        (START + "seed: " + "9" * 500 + "\n", ", line 3: a number of 500 digits; at most 400 are read."),
        (START + "? [a]\n: 1\n", ", line 3: a key must be a plain name."),
        ("- a\n", ": found list; a recipe is a mapping, beginning with `source:` and `target:`."),
        ("", ": found NoneType; a recipe is a mapping, beginning with `source:` and `target:`."),
        (b"target: \xff\n", ": byte 8 is not UTF-8. Save the recipe as UTF-8."),
        (b"#" * (1 << 20) + b"\n", ": 1048577 bytes; a recipe has at most 1048576."),
    ],
)
def test_what_a_recipe_has_no_use_for_is_refused(tmp_path: Path, text: str | bytes, message: str):
    assert refusal(tmp_path, text) == message


def test_deep_nesting_by_indentation_is_refused(tmp_path: Path):
    text = "".join(f"{' ' * depth}a:\n" for depth in range(40))
    assert "nested deeper than 32." in refusal(tmp_path, text)


@pytest.mark.parametrize("text", ["target: y\n\tseed: 1\n", "target: [a\n", "target: 'a\n", "a: b: c\n"])
def test_what_is_no_yaml_is_refused_with_the_line(tmp_path: Path, text: str):
    message = refusal(tmp_path, text)
    assert message.startswith(", line ") and ": this is not YAML (" in message
    assert message.endswith("). Indent with spaces, quote texts that hold ': '.")


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(RecipeError) as caught:
        load_recipe(tmp_path / "none.yaml")
    assert str(caught.value) == f"{tmp_path / 'none.yaml'}: there is no such recipe file. Name an existing YAML file."
