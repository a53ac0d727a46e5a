"""Scratch: the same network without the weights that it began with, so that a report says what these were worth."""

from typing import Any

from deepwright.core.families import Metric
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.seal import Split
from deepwright.core.text import text
from deepwright.data.collect import Collected
from deepwright.practice.member import Member
from deepwright.practice.network import learn_network
from deepwright.practice.show import Show

SCRATCH = "scratch"


def learn_scratch(
    run: Run,
    recipe: Recipe,
    split: Split,
    metrics: tuple[Metric, ...],
    versions: dict[str, Any],
    network: Member,
    *,
    table: Collected,
    budget_s: float | None,
    show: Show,
) -> dict[str, Member]:
    """The member `scratch` where the recipe begins with weights and compares; none where the budget leaves less time
    than the network had: half a training would say nothing against the whole one."""
    if recipe.transfer is None or not recipe.transfer.compare:
        return {}
    spent_s = (network.notes or {})["seconds"]
    if not is_time_for(budget_s, spent_s):
        return {}
    left_s = None if budget_s is None else budget_s - spent_s
    show.say(text("run.training", member=SCRATCH))
    alone = recipe.replace(transfer=None)
    member = learn_network(run, alone, split, metrics, versions, table=table, budget_s=left_s, show=show, name=SCRATCH)
    return {SCRATCH: member}


def is_time_for(budget_s: float | None, spent_s: float) -> bool:
    """Whether as much of the budget is left as the network took.

    >>> is_time_for(60.0, spent_s=25.0), is_time_for(60.0, spent_s=35.0)
    (True, False)
    """
    return budget_s is None or budget_s - spent_s >= spent_s
