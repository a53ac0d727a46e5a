"""The network as a member of a run: built, begun, trained on the training part, exported."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core.bundle import rows_at_once
from deepwright.core.dataset import Dataset
from deepwright.core.families import Loss, Metric, Tensor
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.schema import Problem
from deepwright.core.seal import Split
from deepwright.core.step import Fitted
from deepwright.data.collect import Collected
from deepwright.data.prepare import fit_prepare
from deepwright.evaluation.classify import LogLoss
from deepwright.model.answer import answering
from deepwright.model.export import export_network
from deepwright.practice.augment import augmented
from deepwright.practice.begin import Begun, begin
from deepwright.practice.device import device_of
from deepwright.practice.member import Learned, Member, finish
from deepwright.practice.prepared import tensors
from deepwright.practice.show import Show
from deepwright.practice.speed import keep_plan, measured_on, speed_of
from deepwright.practice.target import class_weights, followed, learning_target, num_outputs, row_weights, target_scale
from deepwright.practice.through import stored_training_rows
from deepwright.practice.views import Chosen, choose_views
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import History, Planned
from deepwright.train.loop import fit
from deepwright.train.loss import MSE, CrossEntropy, MultiLabel
from deepwright.train.memory import peak_bytes
from deepwright.train.regularize import Regularize
from deepwright.train.speed import SpeedPlan
from deepwright.train.step import Change
from deepwright.train.threads import thread_count
from deepwright.train.watch import record

if TYPE_CHECKING:
    from torch import nn

NETWORK = "network"
LOSSES: Mapping[Problem, Loss] = {"classification": CrossEntropy(), "multi-label": MultiLabel(), "regression": MSE()}
"""What training lowers where the recipe names nothing."""
PLACES = 16
"""Pixels for each place that a kernel is laid on, in the middle of a network that halves the sides several times."""


@dataclass(frozen=True)
class Built:
    """A network before its training, and what prepares the rows it takes.

    prepared: the tensors [N, ...] of the rows it was built with. answerer: the module and what makes answers of its
    outputs. mean, sd: of the training part's values; 0 and 1 of classes. of_classes: float64 [K], what a row of each
    class counts. is_weighted: rows count differently.
    """

    fitted: Fitted
    inputs: tuple[Tensor, ...]
    prepared: dict[str, np.ndarray]
    module: "nn.Module"
    answerer: "nn.Module"
    begun: Begun
    problem: Problem
    mean: float
    sd: float
    of_classes: np.ndarray | None
    is_weighted: bool

    def tensors(self, part: Dataset) -> dict[str, np.ndarray]:
        """Some rows as the module takes them, [N, ...] by name."""
        return tensors(self.fitted, self.inputs, part.inputs)

    def target(self, part: Dataset) -> np.ndarray:
        """What the loss compares with, see `target.learning_target`."""
        return learning_target(part, self.mean, self.sd, self.of_classes)

    def threads(self, recipe: Recipe) -> int:
        """Those that the recipe names, or as many as a step can feed."""
        uses = weight_uses(self.inputs)
        return recipe.train.threads or thread_count(self.module, recipe.train.batch_size, uses=uses)

    def loss(self, recipe: Recipe) -> "Loss | nn.Module":
        """What a step lowers, for targets as `target` gives them."""
        return network_loss(recipe, self.problem, is_weighted=self.is_weighted)


def build_network(recipe: Recipe, train: Dataset, whole: Dataset) -> Built:
    """The recipe's network with the weights that it begins with; one that cannot be exported is refused here, before
    the first epoch.

    train: the training part, decoded, or some rows of it. whole: all of it, for what the target's scale and the weights
    of its classes are.
    """
    import torch

    schema = whole.schema
    fitted, inputs = fit_prepare(train, recipe.prepare, recipe.network.form)
    mean, sd = target_scale(whole)
    torch.manual_seed(recipe.seed)
    module = recipe.network.build(inputs, num_outputs(whole))
    prepared = tensors(fitted, inputs, train.inputs)
    recipe.network.adapt(module, prepared)
    begun = begin(recipe, module, schema)
    answerer = answering(module, schema.problem, mean, sd)
    export_network(answerer, inputs, schema.problem)
    of_classes = class_weights(whole, recipe)
    is_weighted = row_weights(whole, of_classes) is not None
    return Built(fitted, inputs, prepared, module, answerer, begun, schema.problem, mean, sd, of_classes, is_weighted)


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
    built.answerer.cpu()
    return training.finish()


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


def network_loss(recipe: Recipe, problem: Problem, *, is_weighted: bool) -> "Loss | nn.Module":
    """The recipe's loss, or the problem's usual one; of each member alone where the network has several.

    is_weighted: the target has the weights of `target.learning_target` beside it.
    """
    loss = recipe.train.loss or LOSSES[problem]
    if recipe.network.num_members == 1 and not is_weighted:
        return loss
    module = loss.build()
    if recipe.network.num_members > 1:
        from deepwright.train.loss_modules import PerMember

        module = PerMember(module)
    if is_weighted:
        from deepwright.train.weighted_loss import Weighted

        module = Weighted(module, is_classes=problem == "classification")
    return module


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


def weight_uses(inputs: tuple[Tensor, ...]) -> int:
    """About how many times a step uses each weight for a row: a kernel is laid on many places of an image."""
    return max((max(1, t.shape[0] * t.shape[1] // PLACES) for t in inputs if t.shape is not None), default=1)
