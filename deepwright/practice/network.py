"""The network as a member of a run: built, begun, trained on the training part, exported."""

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core.bundle import rows_at_once
from deepwright.core.families import Metric, Tensor
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.seal import Split
from deepwright.data.collect import Collected
from deepwright.evaluation.classify import LogLoss
from deepwright.model.export import export_network
from deepwright.practice.augment import augmented
from deepwright.practice.build import Built, build_network
from deepwright.practice.device import device_of
from deepwright.practice.member import Learned, Member, finish
from deepwright.practice.show import Show
from deepwright.practice.speed import keep_plan, measured_on, speed_of
from deepwright.practice.target import followed
from deepwright.practice.through import stored_training_rows
from deepwright.practice.views import Chosen, choose_views
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import History, Planned
from deepwright.train.loop import fit
from deepwright.train.memory import peak_bytes
from deepwright.train.regularize import Regularize
from deepwright.train.speed import SpeedPlan
from deepwright.train.step import Change
from deepwright.train.watch import record

if TYPE_CHECKING:
    from torch import nn

NETWORK = "network"


def learn_network(
    run: Run,
    recipe: Recipe,
    split: Split,
    metrics: tuple[Metric, ...],
    versions: dict[str, Any],
    *,
    table: Collected,
    budget_s: float | None,
    show: Show,
    name: str = NETWORK,
) -> Member:
    """Train the recipe's network and finish it as a member. metrics: followed from epoch to epoch."""
    started = time.monotonic()
    built = build_network(recipe, split.train, split.train)
    validation = built.tensors(split.validation)
    rows = training_rows(run, recipe, table, split, built, show=show)
    augment = augmented(run, recipe, split, built.inputs, built.prepared, show=show)
    watched = watched_metric(recipe, split, metrics)
    history = trained(
        run, recipe, split, built, metrics, watched, rows, validation,
        change=augment.change, apart="" if name == NETWORK else f"-{name}", budget_s=budget_s, show=show,
    )  # fmt: skip
    views = choose_views(
        recipe, built.answerer, split, built.inputs, lambda module: answers_of(module, validation, built.inputs),
        may_flip=augment.may_flip,
    )  # fmt: skip
    notes = {
        **training_notes(run, recipe, split, built, history),
        "watch": watched.name,
        "augment": augment.facts,
        "views": views.facts,
        **({"transfer": built.begun.facts} if built.begun.facts else {}),
    }
    learned = exported(built, views)
    return finish(run, recipe, split, name, learned, versions, started=started, history=history.epochs, notes=notes)


def training_rows(run: Run, recipe: Recipe, table: Collected, split: Split, built: Built, *, show: Show) -> Any:
    """What the loop reads: the training part, or all rows of a table larger than memory."""
    if table.large is None:
        return built.prepared, built.target(split.train)
    stored = stored_training_rows(run, recipe, table, split, built.tensors, built.target, show=show)
    return stored.batches(recipe.train.batch_size)


def trained(
    run: Run,
    recipe: Recipe,
    split: Split,
    built: Built,
    metrics: tuple[Metric, ...],
    watched: Metric,
    rows: Any,
    validation: dict[str, np.ndarray],
    *,
    change: Change | None,
    apart: str,
    budget_s: float | None,
    show: Show,
) -> History:
    """Train under the recipe's options; events and checkpoints stand in the run's folder, under names that end in
    `apart`. rows: as `training_rows` gives them. validation: its prepared tensors.
    """
    threads, (epochs, patience) = built.threads(recipe), recipe.train.passes(len(split.train))
    built.answerer.to(device_of(recipe))
    training = fit(
        built.module,
        train=rows,
        validation=(validation, built.target(split.validation)),
        loss=built.loss(recipe),
        optimizer=recipe.train.optimizer,
        schedule=recipe.train.schedule,
        epochs=epochs,
        batch_size=recipe.train.batch_size,
        seed=recipe.seed,
        patience=patience,
        metrics={
            **{m.name: followed(m.value, built.problem, built.mean, built.sd) for m in metrics},
            watched.name: followed(
                watched.value, built.problem, built.mean, built.sd, as_learned=recipe.train.watch is None
            ),
        },
        watch=watched.name,
        greater_is_better=watched.greater_is_better,
        answer=built.answerer.answer,
        sample=recipe.train.sample,
        checkpoints=Checkpoints(run.folder / f"checkpoint{apart}", every_s=recipe.train.checkpoint_s),
        budget_s=budget_s,
        threads=threads,
        speed=speed_of(run, recipe, split, threads),
        micro_batches=recipe.train.micro_batches,
        rates=built.begun.rates,
        frozen=built.begun.frozen,
        regularize=Regularize.of(recipe.train),
        augment=change,
    )
    for event in show.watch(record(training, run.folder / f"events{apart}.jsonl")):
        if isinstance(event, Planned):
            keep_plan(run, recipe, split, threads, SpeedPlan.of(event))
    history = training.finish()
    built.answerer.cpu()
    return history


def watched_metric(recipe: Recipe, split: Split, metrics: tuple[Metric, ...]) -> Metric:
    """What early stopping watches on validation, as asked or the first metric for values.

    For classes the log loss: it moves with every answer where the share of right ones jumps (docs/log.md, 2026-11-21).
    """
    usual = metrics[0] if split.train.schema.problem == "regression" else LogLoss()
    return (recipe.train.watch or usual).fit(split.train)


def exported(built: Built, views: Chosen) -> Learned:
    """The trained network as a bundle takes it: answering by the views that were chosen, its weights without them."""
    graph, weights = export_network(built.answerer, built.inputs, built.problem)
    if views.module is not built.answerer:
        graph, _ = export_network(views.module, built.inputs, built.problem)
    return Learned(built.fitted.operations, graph, weights, views.answer)


def training_notes(run: Run, recipe: Recipe, split: Split, built: Built, history: History) -> dict[str, Any]:
    """What the report says of the training itself."""
    return {
        "stopped": history.stopped,
        "best_epoch": history.best_epoch,
        "threads": 1 if history.plan["one_thread"] else built.threads(recipe),
        "speed": history.plan,
        "speed_asked": recipe.train.speed,
        "speed_measured": measured_on(run),
        "spent_s": history.spent,
        "seconds": history.seconds,
        "steps": history.steps,
        "epochs": recipe.train.passes(len(split.train))[0],
        "weights": sum(parameter.numel() for parameter in built.module.parameters()),
        "memory_peak_bytes": peak_bytes(),
        "events": list(history.notes),
    }


def answers_of(answerer: "nn.Module", prepared: dict[str, np.ndarray], inputs: tuple[Tensor, ...]) -> np.ndarray:
    """What a module says of prepared rows, float32 [N, K] or [N], in pieces where a row is large."""
    import torch

    answerer.eval()
    rows = len(prepared[inputs[0].name])
    size = rows_at_once(max((t.shape[0] * t.shape[1] for t in inputs if t.shape is not None), default=0)) or max(
        rows, 1
    )
    answers = []
    with torch.no_grad():
        for low in range(0, rows, size):
            piece = (torch.from_numpy(np.array(prepared[t.name][low : low + size], order="C")) for t in inputs)
            answers.append(answerer(*piece).numpy())
    return np.concatenate(answers)
