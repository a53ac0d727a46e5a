"""The straight line: collect > clean > split > prepare > build > train > evaluate (validation) > bundle [> test].

Read this file first; every stage it calls is one folder.
"""

import time
from pathlib import Path
from typing import Any

from deepwright.core.errors import RecipeError, RuleError, UsageError
from deepwright.core.recipe import Recipe
from deepwright.core.recipe_file import dump_recipe
from deepwright.core.report import Finding
from deepwright.core.run import Run
from deepwright.core.schema import Problem
from deepwright.core.seal import Split, make_split
from deepwright.core.text import text
from deepwright.data.collect import Collected, collect
from deepwright.data.leakage import leakage_findings
from deepwright.data.overview import overview
from deepwright.data.prepare import prepare_findings
from deepwright.data.profile import findings_of, learn_schema, profile
from deepwright.data.roles import require_weight_in, role_findings
from deepwright.data.series_findings import series_findings
from deepwright.data.split import choose_split, require_order, without_test
from deepwright.data.split_audit import split_findings
from deepwright.practice.baseline import learn_baseline
from deepwright.practice.blend import learn_blend
from deepwright.practice.clean import clean
from deepwright.practice.conform import conform, held_back
from deepwright.practice.decide import require_decidable, require_labels_fit
from deepwright.practice.device import require_device
from deepwright.practice.environment import environment
from deepwright.practice.failing import with_failures
from deepwright.practice.images import decode_split, size_findings
from deepwright.practice.keep import keep_split
from deepwright.practice.look import look
from deepwright.practice.member import Member
from deepwright.practice.network import learn_network
from deepwright.practice.origin import overlap_findings, pinned
from deepwright.practice.propose import proposal, require_taken
from deepwright.practice.reporting import epoch_metrics, make_report, publish
from deepwright.practice.scratch import learn_scratch
from deepwright.practice.seeds import further_recipes, is_done, seed_run
from deepwright.practice.show import Show, quiet
from deepwright.practice.through import require_streamable

BLOCKING_RULES = frozenset({"overlap", "one_class", "target_as_input", "transfer_overlap"})
"""Rules that stop a run and may be set aside with `--allow RULE --reason TEXT`."""


def practise(
    recipe: Recipe,
    *,
    data: Any = None,
    test: Any = None,
    runs: Path = Path("runs"),
    name: str | None = None,
    final: bool = False,
    reason: str | None = None,
    budget_s: float | None = None,
    seeds: int = 1,
    show: Show = quiet,
) -> Run:
    """Walk the whole line for one recipe; gives the run's folder. The same call after a kill goes on where it stopped.

    data, test: rows handed over in Python instead of files. budget_s: seconds of training, at most. seeds: training
    seeds to learn with, to see their spread; the first one's bundle ships.
    final: take the one look at the test part; reason: why a further look is taken.
    Raises PracticeError kinds: recipe (2), data (3), a rule of practice (4), resources (5).
    """
    started = time.monotonic()
    recipe = pinned(recipe)
    require_device(recipe)
    table = collect(recipe, data, test)
    if not table.schema.has_target:
        raise UsageError("cli.no_target", source=table.source, columns=", ".join(table.schema.names))
    require_taken(recipe, table.schema)
    run = Run.create(runs, name or run_name(recipe, table), recipe=recipe.hash, source=table.source_sha256)
    with run.writing():
        if is_done(run, seeds):
            show.say(text("run.already_done", run=run.folder))
        else:
            show.say(
                text("run.collected", rows=table.num_kept, source=table.source, columns=len(table.schema.features))
            )
            walk(run, recipe, table, started=started, budget_s=budget_s, seeds=seeds, show=show)
    if final:
        look(run, reason=reason, show=show)
    return run


def walk(
    run: Run,
    recipe: Recipe,
    table: Collected,
    *,
    started: float,
    budget_s: float | None,
    seeds: int = 1,
    show: Show = quiet,
) -> None:
    """From collected rows to a judged bundle; the test part stays sealed."""
    run.write("recipe.yaml", dump_recipe(recipe).encode())

    split, findings = split_rows(recipe, table)
    require_fitting_parts(recipe, split.train.schema.problem)
    require_decidable(recipe.decision, split.train.schema)
    require_labels_fit(split.train.schema, is_large=table.large is not None)
    keep_split(run, split)
    run.write_json("profile.json", profile(split.train))
    show.say(text("run.split", train=len(split.train), validation=len(split.validation), test=len(split.test)))

    if split.calibration is not None:
        show.say(text("run.calibration", rows=len(split.calibration)))

    split = decode_split(run, recipe, split, show)
    each_s = None if budget_s is None else budget_s / seeds
    members = learn_members(run, recipe, table, split, budget_s=each_s, show=show)
    further = {
        again.seed: learn_members(seed_run(run, again), again, table, split, budget_s=each_s, show=show)
        for again in further_recipes(recipe, seeds)
    }

    seconds = {"run": time.monotonic() - started}
    report = make_report(run, recipe, table, split, members, findings, further=further, seconds=seconds)
    chosen = members[report.chosen]
    report = with_failures(report, recipe, split, chosen.bundle, chosen.given)
    publish(run, report, chosen.given)
    run.commit("done", bundle=report.bundle_digest)


def split_rows(recipe: Recipe, table: Collected, *, stops: bool = True) -> tuple[Split, tuple[Finding, ...]]:
    """The three parts under the schema that the training part taught, and what is to be known of the data.

    Raises RuleError for a finding that blocks and has no `--allow`, unless it shall not stop.
    """
    chosen, why = choose_split(table.whole, has_test=table.test is not None, is_sample=table.large is not None)
    splitter = recipe.split or chosen
    if recipe.source.in_time_order:
        require_order(splitter)
    if table.test is not None:
        splitter = without_test(splitter)
    parts = splitter.assign(table.whole)
    held, calibration = held_back(recipe, table.whole, parts)
    split = make_split(table.whole, parts, table.test, held)
    split, cleaned = clean(recipe, table, split)
    require_streamable(recipe, table, split)
    split = split.with_schema(learn_schema(split.train))
    for part in (split.train, split.validation):
        require_weight_in(part)
    findings = (
        *table.findings,
        *overview(table.whole),
        proposal(recipe, split.train),
        *((why,) if recipe.split is None else ()),
        *split_findings(table.whole, parts, table.test),
        *calibration,
        *role_findings(split.train),
        *findings_of(split.train),
        *series_findings(split.train),
        *cleaned,
        *prepare_findings(split.train, recipe.prepare),
        *size_findings(recipe, split.train),
        *overlap_findings(recipe, table.source_sha256, split),
        *leakage_findings(split.train, split.validation, split.test.audit_inputs(), is_own_test=table.test is not None),
    )
    allowed = {allowance.rule for allowance in recipe.allow}
    if allowed - BLOCKING_RULES:
        rules = ", ".join(sorted(allowed - BLOCKING_RULES))
        raise RecipeError("run.unknown_rule", rules=rules, allowed=", ".join(sorted(BLOCKING_RULES)))
    for finding in findings if stops else ():
        if finding.severity == "blocking" and finding.rule not in allowed:
            raise RuleError("run.blocked", text=finding.text, rule=finding.rule)
    return split, findings


def require_fitting_parts(recipe: Recipe, problem: Problem) -> None:
    """Raises RecipeError for a loss, metric or baseline that is not for this problem; open ones fit any."""
    named = {"train.loss": recipe.train.loss, "train.watch": recipe.train.watch, "metric": recipe.metric}
    named |= {f"metrics.{place}": metric for place, metric in enumerate(recipe.metrics)}
    named |= {f"baselines.{place}": baseline for place, baseline in enumerate(recipe.baselines)}
    for where, part in named.items():
        if part is not None and part.problems is not None and problem not in part.problems:
            fitting = sorted(kind for kind, other in part.kinds.items() if problem in (other.problems or ()))
            allowed = ", ".join(fitting)
            raise RecipeError("run.other_problem", where=where, kind=part.kind, problem=problem, allowed=allowed)


def learn_members(
    run: Run, recipe: Recipe, table: Collected, split: Split, *, budget_s: float | None, show: Show
) -> dict[str, Member]:
    """The network, the baselines that stand beside it and their blend, each as a bundle whose answers have an interval
    or a set where asked; the network comes first."""
    metrics = epoch_metrics(recipe, split.train)
    versions = environment()["versions"]
    members: dict[str, Member] = {}
    for baseline in recipe.baselines:
        show.say(text("run.learning", member=baseline.kind))
        members[baseline.kind] = learn_baseline(
            run, recipe, baseline, split, versions, is_sample=table.large is not None
        )
    show.say(text("run.training", member=recipe.network.kind))
    network = learn_network(run, recipe, split, metrics, versions, table=table, budget_s=budget_s, show=show)
    scratch = learn_scratch(run, recipe, split, metrics, versions, network, table=table, budget_s=budget_s, show=show)
    members = {"network": network, **scratch, **members}
    mean = learn_blend(run, recipe, split, members, versions)
    return conform(run, recipe, split, members if mean is None else {**members, mean.name: mean})


def run_name(recipe: Recipe, table: Collected) -> str:
    """The source's stem and eight digits that change with recipe or data."""
    import hashlib

    digest = hashlib.sha256(f"{recipe.hash} {table.source_sha256}".encode()).hexdigest()[:8]
    stem = "".join(c if c.isalnum() and c.isascii() else "-" for c in Path(table.source).name.split(".")[0]).strip("-")
    return f"{stem or 'data'}-{digest}"
