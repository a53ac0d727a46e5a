"""Several training seeds: the same rows and recipe learned again, to see how much of a result is the seed's luck.

The bundle that ships is the first seed's, the recipe's own. The best of several by validation would be another choice
made there, which gains luck more than skill; further seeds are learned to measure, and no number of the bundle is
favoured by them.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from deepwright.core.bundle import Answers, Bundle
from deepwright.core.dataset import Dataset
from deepwright.core.errors import UsageError
from deepwright.core.families import Metric
from deepwright.core.recipe import Recipe
from deepwright.core.report import Report, Spread
from deepwright.core.run import Run
from deepwright.evaluation.decision import as_answer
from deepwright.evaluation.judge import checked
from deepwright.practice.target import target_of

MOST_SEEDS = 100

Values = dict[tuple[str, str], float]
"""(member, metric) > value."""


def further_recipes(recipe: Recipe, seeds: int) -> tuple[Recipe, ...]:
    """The recipe under each seed after its own."""
    return tuple(recipe.replace(seed=recipe.seed + place) for place in range(1, seeds))


def is_done(run: Run, seeds: int) -> bool:
    """Whether the run is finished with so many seeds or more.

    Raises UsageError for a number of seeds that is none, and where more are wanted after the look: the report that the
    look was taken for stays as it was.
    """
    if not 1 <= seeds <= MOST_SEEDS:
        raise UsageError("seeds.number", found=seeds, most=MOST_SEEDS)
    if not run.is_done:
        return False
    found = max(1, len(run.report.seeds))
    if seeds > found and run.entry("tested") is not None:
        raise UsageError("seeds.after_look", run=run.name, found=found, wanted=seeds)
    return seeds <= found


def seed_run(run: Run, recipe: Recipe) -> Run:
    """The folder in which a further seed is learned: checkpoints, events and members, as in a run of its own."""
    return Run.create(run.folder / "seeds", f"seed-{recipe.seed}", recipe=recipe.hash)


def seed_bundles(run: Run, report: Report) -> list[dict[str, Bundle]]:
    """Every member's bundle of each further seed. A blend may be a member with some seeds and not with others."""
    found = []
    for seed in report.seeds[1:]:
        folder = run.folder / "seeds" / f"seed-{seed}" / "members"
        found.append({path.name: Bundle.load(path) for path in sorted(folder.iterdir())})
    return found


def values_of(answers: Mapping[str, Answers], data: Dataset, metrics: Sequence[Metric]) -> Values:
    """Every member's metrics on one part, without intervals. answers: of the members' bundles on it."""
    target, found = target_of(data), {}
    for member, given in answers.items():
        _, answer = checked(target, given.answer, member=member, part=data.part)
        decided = as_answer(given.decided, len(data.schema.target.levels)) if given.is_decided else answer
        for metric in metrics:
            seen = decided if metric.decides else answer
            found[member, metric.name] = metric.value(target, seen, data.weight)
    return found


def spread_of(values: Sequence[Values], metrics: Sequence[Metric]) -> tuple[Spread, ...]:
    """Mean, sd and range over seeds of every member and metric, the shipped seed's values first."""
    found = []
    for (member, name), first in values[0].items():
        of_seeds = [of[member, name] for of in values if (member, name) in of]
        finite = [value for value in of_seeds if value == value]
        if len(finite) < 2 or len(finite) < len(of_seeds):
            continue
        greater = next(metric.greater_is_better for metric in metrics if metric.name == name)
        ahead = sum(value > first if greater else value < first for value in of_seeds)
        found.append(
            Spread(
                metric=name,
                member=member,
                values=tuple(of_seeds),
                mean=fmean(of_seeds),
                sd=stdev(of_seeds),
                low=min(of_seeds),
                high=max(of_seeds),
                place=ahead + 1,
            )
        )
    return tuple(found)
