"""Several labels in a cell: one form, what is missing, and the question where nobody said so."""

import numpy as np
import pytest

from deepwright.core.errors import AskError, DataError
from deepwright.core.recipe import Recipe
from deepwright.data.collect import collect
from deepwright.data.labels import one_form
from deepwright.data.profile import learn_schema, profile
from deepwright.data.table import Table

MOODS = ("fast|loud", "calm", "loud | fast", "", "calm|fast", "loud", "NA", "calm|calm", "fast", "loud|calm|")


def _collected(tmp_path, cells=MOODS, **options):
    path = tmp_path / "songs.csv"
    path.write_text("tempo,moods\n" + "".join(f"{place}.5,{cell}\n" for place, cell in enumerate(cells)))
    missing = {"missing": ("NA",)} if "NA" in cells else {}
    return collect(Recipe(source=Table(path=str(path), **missing), target="moods", max_set_aside=0.2, **options))


def test_labels_are_sorted_each_once_and_an_empty_cell_has_none(tmp_path):
    found = _collected(tmp_path, labels="|")
    expected = ["fast|loud", "calm", "fast|loud", "", "calm|fast", "loud", "calm", "fast", "calm|loud"]
    assert found.whole.target.tolist() == expected
    assert found.whole.schema.problem == "multi-label"
    (aside,) = found.set_aside
    assert (aside.count, aside.rows) == (1, (7,)), "a cell that is marked missing is not known to have no label"


def test_levels_are_the_labels_of_the_training_part_and_the_profile_counts_them(tmp_path):
    train = _collected(tmp_path, labels="|").whole.take(np.arange(4), "train")
    assert learn_schema(train).target.levels == ("calm", "fast", "loud")
    assert learn_schema(train.take(np.array([1, 3]), "train")).target.levels == ("calm",)
    assert profile(train)["features"]["moods"]["levels"] == {"fast": 2, "loud": 2, "calm": 1}


def test_cells_that_look_like_labels_are_asked_about(tmp_path):
    cells = [cell for cell in MOODS if cell and cell != "NA"] * 3
    with pytest.raises(AskError) as error:
        _collected(tmp_path, cells)
    assert str(error.value).endswith(
        "the cells of the target 'moods' look like several labels each, such as 'fast|loud' (3 labels at '|'). "
        "Say --labels '|', or --problem classification if each cell is one class."
    )
    assert _collected(tmp_path, cells, problem="classification").whole.schema.problem == "classification"


@pytest.mark.parametrize(
    "cells",
    [
        ["Smith; John", "Miller; Ann", "Baker; Tom", "Cook; Eve"] * 3,  # no piece is shared
        ["up", "down", "up", "down", "left;right"] * 4,  # one cell with a mark in it
    ],
)
def test_other_marks_in_cells_are_no_labels(tmp_path, cells):
    assert _collected(tmp_path, cells).whole.schema.problem == "classification"


def test_a_separator_that_leaves_one_label_is_refused(tmp_path):
    with pytest.raises(DataError) as error:
        _collected(tmp_path, ["a", "a", "", "a"], labels="|")
    assert "the target 'moods' has the labels a where cells are split at '|'; at least 2 are needed" in str(error.value)


def test_one_form_is_the_same_for_every_order():
    assert {one_form(cell, ";") for cell in ("a;b;c", "c; b;a", " a ;c;b;b;")} == {"a;b;c"}
