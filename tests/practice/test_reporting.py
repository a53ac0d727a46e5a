"""What a report says of the training itself."""

from typing import Any

import pytest

from deepwright.practice.member import Member
from deepwright.practice.reporting import training_findings

NAN = {"event": "nonfinite", "step": 7, "rows": [3], "layer": "a", "what": "loss", "lr_scale": 0.5}
RESUMED = {"event": "resumed", "epoch": 1, "step": 9, "refused": [], "changes": ["threads: 2 > 1"]}


def member(**notes: Any) -> Member:
    return Member("network", None, 1.0, 0.0, ({"epoch": 1},), notes)


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
