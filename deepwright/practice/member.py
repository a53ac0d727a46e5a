"""One member of a run: a network or a baseline, learned on the training part and written as a bundle."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core.bundle import CONTAINS_DATA, Answers, Bundle, rows_at_once, write_bundle
from deepwright.core.errors import ProofError
from deepwright.core.families import Baseline, Loss, Metric, Tensor
from deepwright.core.operations import Tfidf
from deepwright.core.operations.graph import Graph
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.schema import Problem
from deepwright.core.seal import Split
from deepwright.core.step import Fitted
from deepwright.data.collect import Collected
from deepwright.data.prepare import fit_prepare
from deepwright.data.profile import profile
from deepwright.evaluation.classify import LogLoss
from deepwright.evaluation.temperature import Tempered
from deepwright.model.answer import answering
from deepwright.model.export import export_network
from deepwright.practice.augment import augmented
from deepwright.practice.begin import begin
from deepwright.practice.decide import decide
from deepwright.practice.device import device_of
from deepwright.practice.show import Show
from deepwright.practice.speed import keep_plan, measured_on, speed_of
from deepwright.practice.target import (
    class_weights,
    followed,
    learning_target,
    num_outputs,
    row_weights,
    target_of,
    target_scale,
)
from deepwright.practice.through import stored_training_rows
from deepwright.practice.views import choose_views
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Planned
from deepwright.train.loop import fit
from deepwright.train.loss import MSE, CrossEntropy, MultiLabel
from deepwright.train.memory import peak_bytes
from deepwright.train.regularize import Regularize
from deepwright.train.speed import SpeedPlan
from deepwright.train.threads import thread_count
from deepwright.train.watch import record

if TYPE_CHECKING:
    from torch import nn

NETWORK = "network"
PARITY_LIMIT = 1e-5
LOSSES: Mapping[Problem, Loss] = {"classification": CrossEntropy(), "multi-label": MultiLabel(), "regression": MSE()}
"""What training lowers where the recipe names nothing."""
PLACES = 16
"""Pixels for each place that a kernel is laid on, in the middle of a network that halves the sides several times."""
BLOCK = 1024
"""Rows of many columns that stand in memory as numbers at once."""


@dataclass(frozen=True)
class Member:
    """name: `network` or a baseline's kind. given: what the bundle's file answers on validation. history: one mapping
    per epoch. parity: largest difference between the answers of the process that learned and those of the bundle,
    relative to the largest answer. cross_fitted: answers on validation by which it may be compared where a choice there
    made it, a blend's weight or a temperature: each made without the rows that chose. tempered: what a temperature does
    on validation."""

    name: str
    bundle: Bundle
    given: Answers
    seconds: float
    parity: float
    history: tuple[dict[str, Any], ...] = ()
    notes: Mapping[str, Any] | None = None
    cross_fitted: np.ndarray | None = None
    tempered: Tempered | None = None


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
    """Train the recipe's network. Early stopping watches `train.watch` on the validation part: log loss for classes,
    since it moves with every answer where the share of right ones jumps (docs/log.md, 2026-11-21)."""
    import torch

    started = time.monotonic()
    schema, problem = split.train.schema, split.train.schema.problem
    fitted, inputs = fit_prepare(split.train, recipe.prepare, recipe.network.form)
    mean, sd = target_scale(split.train)
    torch.manual_seed(recipe.seed)
    module = recipe.network.build(inputs, num_outputs(split.train))
    of_classes = class_weights(split.train, recipe)
    target = learning_target(split.train, mean, sd, of_classes)
    prepared = tensors(fitted, inputs, split.train.inputs)
    validation = tensors(fitted, inputs, split.validation.inputs)
    recipe.network.adapt(module, prepared)
    begun = begin(recipe, module, schema)
    answerer = answering(module, problem, mean, sd)
    export_network(answerer, inputs, problem)  # refused before the first epoch, not after the last
    threads = recipe.train.threads or thread_count(module, recipe.train.batch_size, uses=weight_uses(inputs))
    watched = recipe.train.watch or (metrics[0] if problem == "regression" else LogLoss())
    watched = watched.fit(split.train)

    rows: Any = (prepared, target)
    if table.large is not None:
        stored = stored_training_rows(
            run, recipe, table, split,
            lambda part: tensors(fitted, inputs, part.inputs),
            lambda part: learning_target(part, mean, sd, of_classes),
            show=show,
        )  # fmt: skip
        rows = stored.batches(recipe.train.batch_size)
    augment = augmented(run, recipe, split, inputs, prepared, show=show)
    epochs, patience = recipe.train.passes(len(split.train))
    apart = "" if name == NETWORK else f"-{name}"

    answerer.to(device_of(recipe))
    training = fit(
        module,
        train=rows,
        validation=(validation, learning_target(split.validation, mean, sd, of_classes)),
        loss=network_loss(recipe, problem, is_weighted=target.ndim == 2 and problem != "multi-label"),
        optimizer=recipe.train.optimizer,
        schedule=recipe.train.schedule,
        epochs=epochs,
        batch_size=recipe.train.batch_size,
        seed=recipe.seed,
        patience=patience,
        metrics={
            **{m.name: followed(m.value, problem, mean, sd) for m in metrics},
            watched.name: followed(watched.value, problem, mean, sd, as_learned=recipe.train.watch is None),
        },
        watch=watched.name,
        greater_is_better=watched.greater_is_better,
        answer=answerer.answer,
        sample=recipe.train.sample,
        checkpoints=Checkpoints(run.folder / f"checkpoint{apart}", every_s=recipe.train.checkpoint_s),
        budget_s=budget_s,
        threads=threads,
        speed=speed_of(run, recipe, split, threads),
        micro_batches=recipe.train.micro_batches,
        rates=begun.rates,
        frozen=begun.frozen,
        regularize=Regularize.of(recipe.train),
        augment=augment.change,
    )
    for event in show.watch(record(training, run.folder / f"events{apart}.jsonl")):
        if isinstance(event, Planned):
            keep_plan(run, recipe, split, threads, SpeedPlan.of(event))
    history = training.finish()
    answerer.cpu()

    graph, weights = export_network(answerer, inputs, problem)
    chosen = choose_views(
        recipe, answerer, split, inputs, lambda module: _torch_answers(module, validation, inputs),
        may_flip=augment.may_flip,
    )  # fmt: skip
    if chosen.module is not answerer:
        graph, _ = export_network(chosen.module, inputs, problem)
    decided = decide(recipe, schema, split.validation, chosen.answer, graph)
    bundle = write_bundle(
        run.folder / "members" / name,
        schema=decided.schema,
        operations=fitted.operations,
        graph=decided.graph,
        weights=weights,
        recipe=recipe.dump(),
        profile=profile(split.train),
        versions=versions,
    )
    given = bundle.predict(split.validation)
    difference = parity(decided.answer, given.answer, name)
    run.commit(f"member {name}", bundle=bundle.digest, parity=difference)
    notes = {
        "stopped": history.stopped,
        "watch": watched.name,
        "best_epoch": history.best_epoch,
        "threads": 1 if history.plan["one_thread"] else threads,
        "speed": history.plan,
        "speed_asked": recipe.train.speed,
        "speed_measured": measured_on(run),
        "spent_s": history.spent,
        "seconds": history.seconds,
        "steps": history.steps,
        "epochs": epochs,
        "weights": sum(parameter.numel() for parameter in module.parameters()),
        "memory_peak_bytes": peak_bytes(),
        "events": list(history.notes),
        "augment": augment.facts,
        "views": chosen.facts,
        **({"transfer": begun.facts} if begun.facts else {}),
    }
    seconds = time.monotonic() - started
    return Member(
        name, bundle, given, seconds, difference, history.epochs, notes, decided.cross_fitted, decided.tempered
    )


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


def learn_baseline(
    run: Run, recipe: Recipe, baseline: Baseline, split: Split, versions: dict[str, Any], *, is_sample: bool = False
) -> Member:
    """Learn one baseline on the training part; its operation becomes the bundle's graph.

    is_sample: the rows are some of a table larger than memory, so that thousands of levels must not take columns of
    zeros.
    """
    started = time.monotonic()
    train = split.train
    schema, problem = train.schema, train.schema.problem
    fitted, inputs = fit_prepare(train, recipe.prepare, baseline.form)
    is_sparse = is_sample and baseline.form == "wide"
    x = rows_of(fitted, inputs, train.inputs, is_sparse=is_sparse)
    weight = row_weights(train, class_weights(train, recipe))
    operation = baseline.learn(x, target_of(train), problem, num_outputs(train), recipe.seed, weight)
    validation = {"x": rows_of(fitted, inputs, split.validation.inputs, is_sparse=is_sparse)}
    ours = operation.apply(validation)["value" if problem == "regression" else "probability"]
    graph = Graph()
    graph.input("x", "float", x.shape[1])
    operation.graph(graph)
    output = {"value": None} if problem == "regression" else {"probability": num_outputs(train)}
    model = graph.model(output)
    if operation.contains_data:
        mark = model.metadata_props.add()
        mark.key, mark.value = CONTAINS_DATA, "true"
    decided = decide(recipe, schema, split.validation, ours, model.SerializeToString())
    bundle = write_bundle(
        run.folder / "members" / baseline.kind,
        schema=decided.schema,
        operations=fitted.operations,
        graph=decided.graph,
        weights=operation.arrays(),
        recipe=recipe.dump(),
        profile=profile(train),
        versions=versions,
    )
    given = bundle.predict(split.validation)
    difference = parity(decided.answer, given.answer, baseline.kind)
    run.commit(f"member {baseline.kind}", bundle=bundle.digest, parity=difference)
    seconds = time.monotonic() - started
    return Member(
        baseline.kind, bundle, given, seconds, difference, cross_fitted=decided.cross_fitted, tempered=decided.tempered
    )


def tensors(fitted: Fitted, inputs: tuple[Tensor, ...], columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The prepared tensors [N, F] of some rows, by name."""
    prepared = fitted.apply(columns)
    return {tensor.name: prepared[tensor.name] for tensor in inputs}


def rows_of(
    fitted: Fitted, inputs: tuple[Tensor, ...], columns: Mapping[str, np.ndarray], *, is_sparse: bool = False
) -> Any:
    """The prepared `x` [N, F] as a baseline takes it; where each term of a text has a column, as a SciPy CSR matrix,
    since nearly all of it is 0. is_sparse: so is it of levels."""
    if not is_sparse and not any(
        isinstance(operation, Tfidf) and operation.directions is None for operation in fitted.operations
    ):
        return tensors(fitted, inputs, columns)["x"]
    from scipy.sparse import csr_matrix, vstack

    size = len(next(iter(columns.values())))
    pieces = [
        csr_matrix(tensors(fitted, inputs, {name: column[at : at + BLOCK] for name, column in columns.items()})["x"])
        for at in range(0, size, BLOCK)
    ]
    return vstack(pieces, format="csr")


def parity(ours: np.ndarray, bundled: np.ndarray, member: str) -> float:
    """The largest difference relative to the largest answer. Raises ProofError above 1e-5."""
    difference = float(np.abs(ours - bundled).max() / max(1.0, float(np.abs(ours).max()))) if len(ours) else 0.0
    if not difference <= PARITY_LIMIT:
        raise ProofError("run.parity", member=member, difference=difference, limit=PARITY_LIMIT)
    return difference


def _torch_answers(answerer: Any, prepared: dict[str, np.ndarray], inputs: tuple[Tensor, ...]) -> np.ndarray:
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
