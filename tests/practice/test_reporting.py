"""What a report says of the training itself."""

from typing import Any

import numpy as np
import pytest

import deepwright.parts  # noqa: F401 - defines every kind
from deepwright.core.errors import LeakError
from deepwright.core.recipe import Recipe
from deepwright.practice.member import Member
from deepwright.practice.reporting import metrics_of, training_findings
from tests.conformance.samples import values_in_time

NAN = {"event": "nonfinite", "step": 7, "rows": [3], "layer": "a", "what": "loss", "lr_scale": 0.5}
RESUMED = {"event": "resumed", "epoch": 1, "step": 9, "refused": [], "changes": ["threads: 2 > 1"]}


def member(**notes: Any) -> Member:
    return Member("network", None, None, 1.0, 0.0, ({"epoch": 1},), notes)


@pytest.mark.parametrize(
    ("notes", "rule", "said"),
    [
        ({"stopped": "budget"}, "training_budget", "after 1 epochs"),
        ({"events": [NAN, {**NAN, "lr_scale": 0.25}]}, "training_rate_lowered", "2 time(s) in training"),
        ({"events": [NAN, {**NAN, "lr_scale": 0.25}]}, "training_rate_lowered", "0.25 times the recipe's"),
        ({"events": [RESUMED, RESUMED]}, "training_resumed", "(threads: 2 > 1)"),
    ],
)
def test_what_a_reader_must_know_of_the_training_is_a_warning(notes, rule, said):
    (found,) = training_findings(member(**notes))
    assert (found.rule, found.severity) == (rule, "warning")
    assert said in found.text


def test_an_undisturbed_training_gives_no_finding():
    quiet = {**RESUMED, "changes": []}
    assert training_findings(member(stopped="patience", events=[quiet])) == ()


def test_metrics_that_learn_take_the_training_part_and_it_is_read_for_these_alone():
    recipe = Recipe(source={"kind": "table", "path": "load.csv"}, target="load", metrics=("mae", "mase"))
    train, validation = values_in_time("train"), values_in_time("validation")
    main, mae, mase = metrics_of(recipe, validation, lambda: train)
    assert (main.kind, mae.kind, mase.name) == ("rmse", "mae", "mase")
    assert mase.naive_error == np.abs(np.diff(train.target)).mean()
    with pytest.raises(LeakError):
        metrics_of(recipe, validation, lambda: validation)

    def unread():
        raise AssertionError("no metric learns")

    assert metrics_of(recipe.replace(metrics=("mae",)), validation, unread) == (main, mae)
