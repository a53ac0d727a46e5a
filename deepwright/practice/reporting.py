"""From bundles to a report: every number is computed from the answers of the bundle's own file."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.bundle import Answers, Bundle, attach_report
from deepwright.core.dataset import Dataset
from deepwright.core.disk import sync_folder
from deepwright.core.families import Metric
from deepwright.core.ledger import LookLedger, workspace
from deepwright.core.recipe import Recipe
from deepwright.core.report import Data, Finding, Number, Report, Sentence, Severity, Spread, finding
from deepwright.core.run import Run
from deepwright.core.schema import Role, Schema
from deepwright.core.seal import Split
from deepwright.data.collect import Collected
from deepwright.evaluation.compare import choose_member, verdict
from deepwright.evaluation.covered import covered
from deepwright.evaluation.decision import as_answer
from deepwright.evaluation.draws import Dependence
from deepwright.evaluation.judge import evidence, judge, main_metric, usual_metrics
from deepwright.evaluation.page import render
from deepwright.practice.augment import augment_findings
from deepwright.practice.begin import transfer_findings
from deepwright.practice.conform import conformal_findings
from deepwright.practice.decided import decision_findings
from deepwright.practice.environment import environment
from deepwright.practice.examples import examples_of, map_of, shown_rows
from deepwright.practice.member import Member
from deepwright.practice.scratch import SCRATCH
from deepwright.practice.seeds import spread_of, values_of
from deepwright.practice.target import class_weights, target_of
from deepwright.practice.views import views_findings

FEW_UNITS = 20
"""Groups or moments; an interval from fewer is rough."""


@dataclass(frozen=True)
class Measured:
    """What the members' bundles do on one part.

    answers: member > probability [N, K] or value [N]. judged: the same as the main metric sees them.
    dependence: which rows hang together by group or time.
    """

    target: np.ndarray
    weight: np.ndarray | None
    dependence: Dependence | None
    answers: dict[str, np.ndarray]
    judged: dict[str, np.ndarray]
    numbers: tuple[Number, ...]
    evidence: dict[str, Any]


def metrics_of(recipe: Recipe, data: Dataset, train: Callable[[], Dataset]) -> tuple[Metric, ...]:
    """The metrics to report, the one that chooses first. train: the training part, for those that learn from it."""
    problem = data.schema.problem
    main = recipe.metric or main_metric(problem)
    others = recipe.metrics or usual_metrics(problem, len(data.schema.target.levels))
    metrics = (main, *(m for m in others if m.name != main.name))
    return tuple(metric.fit(train()) if metric.learns else metric for metric in metrics)


def epoch_metrics(recipe: Recipe, data: Dataset) -> tuple[Metric, ...]:
    """The metrics to follow during training: the one that chooses, and those the recipe names or a usual second one.

    data: the training part.
    """
    metrics = metrics_of(recipe, data, lambda: data)
    if recipe.metrics:
        return metrics
    two_classes = len(data.schema.target.levels) == 2
    second = "recall" if two_classes else "balanced_accuracy"
    if data.schema.problem != "classification":
        second = "r2" if data.schema.problem == "regression" else "subset_accuracy"
    return (metrics[0], *(m for m in metrics[1:] if m.kind == second))


def answers_of(bundles: Mapping[str, Bundle], data: Dataset) -> dict[str, Answers]:
    """What every member's bundle says of one part."""
    return {name: bundle.predict(data) for name, bundle in bundles.items()}


def measure(
    given_by: Mapping[str, Answers],
    data: Dataset,
    metrics: tuple[Metric, ...],
    *,
    optimistic: frozenset[str],
    seed: int,
) -> Measured:
    """Judge what every member's bundle says of one part. optimistic: members that a choice on these very rows
    favoured."""
    target, weight = target_of(data), data.weight
    dependence = Dependence.of(data.of_role("group"), data.of_role("time"))
    problem, levels = data.schema.problem, data.schema.target.levels
    numbers: list[Number] = []
    answers, judged, found = {}, {}, {}
    for name, given in given_by.items():
        answer = answers[name] = given.answer
        decided = given.decided if given.is_decided else None
        judged[name] = as_answer(given.decided, len(levels)) if metrics[0].decides else answer
        numbers += judge(
            target, answer, metrics, part=data.part, member=name, optimistic=name in optimistic,
            decided=decided, weight=weight, dependence=dependence, seed=seed,
        )  # fmt: skip
        numbers += covered(
            target, given, part=data.part, member=name, optimistic=name in optimistic,
            weight=weight, dependence=dependence, seed=seed,
        )  # fmt: skip
        found[name] = evidence(target, answer, problem, levels, decided)
    return Measured(target, weight, dependence, answers, judged, tuple(numbers), found)


def make_report(
    run: Run,
    recipe: Recipe,
    table: Collected,
    split: Split,
    members: Mapping[str, Member],
    findings: tuple[Finding, ...],
    *,
    further: Mapping[int, Mapping[str, Member]],
    seconds: dict[str, float],
) -> Report:
    """The report on validation: who is best, which member ships, and every number behind it. further: the members of
    further training seeds."""
    metrics = metrics_of(recipe, split.validation, lambda: split.train)
    bundles = {name: member.bundle for name, member in members.items()}
    given_by = {name: member.given for name, member in members.items()}
    first = measure(given_by, split.validation, metrics, optimistic=frozenset(), seed=recipe.seed)
    compared = first.judged | cross_fitted(members, metrics[0])
    answers = first.answers | {name: m.cross_fitted for name, m in members.items() if m.cross_fitted is not None}
    best = choose_member(
        first.target, answers, compared, metrics[0],
        weight=first.weight, dependence=first.dependence, seed=recipe.seed,
    )  # fmt: skip
    chosen = best if recipe.ship == "best" else "network"
    optimistic = optimistic_members(recipe, members, chosen)
    by_threshold = {m.name for m in metrics if m.decides and recipe.decision.is_chosen}
    deciding = {m.name for m in metrics if m.decides}
    by_temperature = {name for name, m in members.items() if m.tempered is not None and m.tempered.helps}
    numbers = tuple(
        n.model_copy(
            update={
                "optimistic": n.member in optimistic
                or n.metric in by_threshold
                or (n.member in by_temperature and n.metric not in deciding)
            }
        )
        for n in first.numbers
    )
    looks = LookLedger(workspace()).as_looks(split.test.hashes)
    schema = split.train.schema
    parts = {"train": len(split.train), "validation": len(split.validation), "test": len(split.test)}
    fingerprints = {
        "train": split.train.fingerprint,
        "validation": split.validation.fingerprint,
        "test": split.test.fingerprint,
    }
    if split.calibration is not None:
        parts["calibration"] = len(split.calibration)
        fingerprints["calibration"] = split.calibration.fingerprint
    return Report(
        run=str(run.folder),
        recipe_hash=recipe.hash,
        bundle=str(run.bundle_folder),
        bundle_digest=members[chosen].bundle.digest,
        problem=schema.problem,
        target=schema.target.name,
        levels=() if schema.problem == "regression" else schema.target.levels,
        metric=metrics[0].name,
        chosen=chosen,
        members=tuple(members),
        data=Data(
            source=table.source,
            source_sha256=table.source_sha256,
            rows_in=table.rows_in,
            rows_kept=sum(parts.values()) if table.large is None else table.large.kept,
            set_aside=(*table.set_aside, *split.set_aside),
            parts=parts,
            fingerprints=fingerprints,
        ),
        numbers=numbers,
        evidence={"validation": first.evidence},
        history=members["network"].history,
        findings=(
            *findings,
            *learning_findings(recipe, split, bundles),
            *decision_findings(recipe, split.validation, members[chosen]),
            *conformal_findings(recipe, split, members[chosen]),
            *dependence_findings(split.validation),
            *blend_findings(members),
            *training_findings(members["network"]),
            *augment_findings((members["network"].notes or {}).get("augment", {})),
            *views_findings((members["network"].notes or {}).get("views", {})),
            *transfer_findings(recipe, members["network"].notes or {}, has_scratch=SCRATCH in members),
            *(training_findings(members[SCRATCH]) if SCRATCH in members else ()),
        ),
        verdict=verdict(
            first.target,
            compared,
            metrics[0],
            chosen=chosen,
            weight=first.weight,
            dependence=first.dependence,
            further=[judged_answers(of_seed, schema, metrics[0]) for of_seed in further.values()],
            is_asked=recipe.ship == "network",
            seed=recipe.seed,
        ),
        exemptions=tuple(
            Sentence(key="run.exemption", values={"rule": a.rule, "reason": a.reason}) for a in recipe.allow
        ),
        looks=looks,
        environment={
            **environment(),
            "parity": {name: member.parity for name, member in members.items()},
            "temperature": {name: m.tempered.temperature for name, m in members.items() if m.tempered is not None},
            "network": dict(members["network"].notes or {}),
        },
        seconds={**seconds, **{name: member.seconds for name, member in members.items()}},
        seeds=(recipe.seed, *further) if further else (),
        spread=spread_over_seeds((members, *further.values()), split.validation, metrics) if further else (),
    )


def spread_over_seeds(
    of_seeds: Sequence[Mapping[str, Member]], validation: Dataset, metrics: tuple[Metric, ...]
) -> tuple[Spread, ...]:
    """What several training seeds gave on validation, from their bundles."""
    given_by = [{name: member.given for name, member in members.items()} for members in of_seeds]
    return spread_of([values_of(of, validation, metrics) for of in given_by], metrics)


def judged_answers(members: Mapping[str, Member], schema: Schema, metric: Metric) -> dict[str, np.ndarray]:
    """Every member's answers on validation as the metric sees them, each without favour where that is known."""
    found = {}
    for name, member in members.items():
        given = member.given
        found[name] = as_answer(given.decided, len(schema.target.levels)) if metric.decides else given.answer
    return found | cross_fitted(members, metric)


def cross_fitted(members: Mapping[str, Member], metric: Metric) -> dict[str, np.ndarray]:
    """The answers by which members are compared that were made on the rows of validation: a blend's, without favour."""
    found = {}
    for name, member in members.items():
        if member.cross_fitted is not None:
            answer, schema = member.cross_fitted, member.bundle.schema
            given = Answers(
                (), answer, None, np.zeros(len(answer), bool), schema.threshold, schema.costs,
                has_labels=schema.problem == "multi-label",
            )  # fmt: skip
            found[name] = as_answer(given.decided, answer.shape[1]) if metric.decides else answer
    return found


def optimistic_members(recipe: Recipe, members: Mapping[str, Member], chosen: str) -> frozenset[str]:
    """Members that a choice on validation favoured there: the network by its best epoch, the blend by its
    weight, the best of several."""
    favoured = {"network", SCRATCH, "blend"}
    if recipe.ship == "best" and len(members) > 1:
        favoured.add(chosen)
    return frozenset(favoured)


def learning_findings(recipe: Recipe, split: Split, bundles: Mapping[str, Bundle]) -> tuple[Finding, ...]:
    """How rows and classes counted, and which members hold training rows."""
    found = []
    schema, weight = split.train.schema, split.train.schema.of_role("weight")
    where = schema.target.name
    if weight is not None:
        found.append(finding("weighted", "note", weight.name))
    of_classes = class_weights(split.train, recipe)
    if of_classes is not None:
        shown = [f"{level} {w:.3g}" for level, w in zip(schema.target.levels, of_classes, strict=True)]
        found.append(finding("class_weights", "note", where, weights=", ".join(shown[:10])))
    holders = [name for name, bundle in bundles.items() if bundle.contains_data]
    if holders:
        found.append(finding("contains_data", "warning", ", ".join(holders)))
    return tuple(found)


def dependence_findings(data: Dataset) -> tuple[Finding, ...]:
    """By which columns rows hang together, so that intervals draw them together."""
    found = []
    roles: tuple[tuple[Role, str], ...] = (("group", "interval_groups"), ("time", "interval_blocks"))
    for role, rule in roles:
        feature, column = data.schema.of_role(role), data.of_role(role)
        if feature is None or column is None:
            continue
        count = len(set(column.tolist()))
        if role == "time" or count < len(column):
            severity: Severity = "warning" if count < FEW_UNITS else "note"
            found.append(finding(rule, severity, feature.name, count=count, rows=len(column), limit=FEW_UNITS))
    return tuple(found)


def blend_findings(members: Mapping[str, Member]) -> tuple[Finding, ...]:
    """What a blend is made of."""
    found = []
    for name, member in members.items():
        notes = member.notes or {}
        if "share" in notes:
            shares = {"first": f"{notes['share']:.2f}", "second": f"{1 - notes['share']:.2f}"}
            found.append(finding("blend", "note", name, a=notes["of"], b=notes["with"], rows=notes["rows"], **shares))
    return tuple(found)


def training_findings(network: Member) -> tuple[Finding, ...]:
    """What a reader must know of the training itself."""
    notes = network.notes or {}
    found = []
    if notes.get("stopped") == "budget":
        found.append(finding("training_budget", "warning", network.name, epochs=len(network.history)))
    events = notes.get("events") or ()
    faults = [event for event in events if event["event"] == "nonfinite"]
    if faults:
        scale = f"{faults[-1]['lr_scale']:g}"
        found.append(finding("training_rate_lowered", "warning", network.name, times=len(faults), scale=scale))
    changes = [change for event in events if event["event"] == "resumed" for change in event["changes"]]
    if changes:
        found.append(finding("training_resumed", "warning", network.name, changes=", ".join(dict.fromkeys(changes))))
    return tuple(found)


def publish(run: Run, report: Report, given: Answers | None = None) -> None:
    """Write report.json and report.html, and put the report into the bundle that ships.

    given: what that bundle says of validation, where it was asked before.
    """
    if not run.bundle_folder.exists():
        half = run.folder / ".bundle.tmp"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(run.folder / "members" / report.chosen, half)
        half.rename(run.bundle_folder)
        sync_folder(run.folder)
    attach_report(run.bundle_folder, report.model_dump(mode="json"))
    run.write("report.json", report.json_bytes())
    bundle = Bundle.load(run.bundle_folder)
    rows = shown_rows(run, bundle)
    page = render(
        report,
        next_commands=next_commands(run, report),
        examples=None if rows is None else examples_of(report, given or bundle.predict(rows), rows),
        seen=None if rows is None else map_of(report, bundle, rows),
    )
    run.write("report.html", page.encode())


def next_commands(run: Run, report: Report) -> list[str]:
    """What to do next, as commands to paste."""
    bundle = short(run.bundle_folder)
    commands = [] if any(n.part == "test" for n in report.numbers) else [f"deepwright test {short(run.folder)}"]
    return [*commands, f"deepwright serve {bundle}", f"deepwright report {short(run.folder)} --verify"]


def member_bundles(run: Run, report: Report) -> dict[str, Bundle]:
    """Every member's bundle of a finished run; the chosen one is the bundle that ships."""
    folders = {name: run.folder / "members" / name for name in report.members}
    return {name: Bundle.load(run.bundle_folder if name == report.chosen else path) for name, path in folders.items()}


def short(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
