"""What a command line makes of a recipe's file and the flags beside it."""

from pathlib import Path

import pytest

from deepwright.core.errors import RecipeError
from deepwright.practice.asked import asked_recipe


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "recipe.yaml"
    path.write_text("source: {kind: images, path: photos}\n")
    return str(path)


def test_a_file_and_a_flag_say_the_same_as_the_flags_alone(file: str, tmp_path: Path):
    vit, epochs = asked_recipe(file, [("network", "vit")]), asked_recipe(file, [("train.epochs", "3")])
    assert vit.train.optimizer.kind == "adamw" and vit.train.schedule.warmup == 0.2
    assert (epochs.train.epochs, epochs.train.least_steps) == (3, None)
    assert asked_recipe(file, [("quality", "fast")]).train.most_steps < asked_recipe(file, []).train.most_steps


def test_what_is_wrong_in_the_file_is_told_even_where_a_flag_would_mend_it(file: str):
    Path(file).write_text("source: {kind: images, path: photos}\ntrain: {epochs: many}\n")
    with pytest.raises(RecipeError, match=r"train\.epochs: 'many' is not allowed"):
        asked_recipe(file, [("train.epochs", "3")])
