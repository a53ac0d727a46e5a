"""One member of a run: a network or a baseline, learned on the training part and written as a bundle."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deepwright.core.bundle import Bundle, write_bundle
from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError, ProofError
from deepwright.core.families import Baseline, Loss, Metric, Tensor
from deepwright.core.operations.graph import Graph
from deepwright.core.recipe import Recipe
from deepwright.core.run import Run
from deepwright.core.schema import Problem
from deepwright.core.seal import Split
from deepwright.core.step import Fitted
from deepwright.data.prepare import fit_prepare
from deepwright.data.profile import profile
from deepwright.evaluation.metric import name_of
from deepwright.model.answer import answering
from deepwright.model.export import export_network
from deepwright.practice.show import Show
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Planned
from deepwright.train.loop import fit
from deepwright.train.loss import MSE, CrossEntropy
from deepwright.train.memory import peak_bytes
from deepwright.train.regularize import Regularize
from deepwright.train.speed import SpeedPlan
from deepwright.train.threads import thread_count
from deepwright.train.watch import record

if TYPE_CHECKING:
    from torch import nn

PARITY_LIMIT = 1e-5
SPEED = "speed plan"
"""The ledger's entry for the plan that `train.speed auto` chose."""


@dataclass(frozen=True)
class Member:
    """name: `network` or a baseline's kind. history: one mapping per epoch. parity: largest difference between the
    answers of the process that learned and those of the bundle, relative to the largest answer."""

    name: str
    bundle: Bundle
    seconds: float
    parity: float
    history: tuple[dict[str, Any], ...] = ()
    notes: Mapping[str, Any] | None = None


def learn_network(
    run: Run,
    recipe: Recipe,
    split: Split,
    metrics: tuple[Metric, ...],
    versions: dict[str, Any],
    *,
    budget_s: float | None,
    show: Show,
) -> Member:
    """Train the recipe's network; early stopping watches the first metric on the validation part."""
    import torch

    started = time.monotonic()
    schema, problem = split.train.schema, split.train.schema.problem
    fitted, inputs = fit_prepare(split.train, recipe.prepare, recipe.network.form)
    mean, sd = target_scale(split.train)
    torch.manual_seed(recipe.seed)
    module = recipe.network.build(inputs, num_outputs(split.train))
    prepared = tensors(fitted, inputs, split.train.inputs)
    recipe.network.adapt(module, prepared)
    answerer = answering(module, problem, mean, sd)
    export_network(answerer, inputs, problem)  # refused before the first epoch, not after the last
    threads = recipe.train.threads or thread_count(module, recipe.train.batch_size)

    training = fit(
        module,
        train=(prepared, learning_target(split.train, mean, sd)),
        validation=(tensors(fitted, inputs, split.validation.inputs), learning_target(split.validation, mean, sd)),
        loss=network_loss(recipe, problem),
        optimizer=recipe.train.optimizer,
        schedule=recipe.train.schedule,
        epochs=recipe.train.epochs,
        batch_size=recipe.train.batch_size,
        seed=recipe.seed,
        patience=recipe.train.patience,
        metrics={name_of(m): in_units(m.value, problem, mean, sd) for m in metrics},
        watch=name_of(metrics[0]),
        greater_is_better=metrics[0].greater_is_better,
        answer=answerer.answer,
        sample=recipe.train.sample,
        checkpoints=Checkpoints(run.folder / "checkpoint", every_s=recipe.train.checkpoint_s),
        budget_s=budget_s,
        threads=threads,
        speed=speed_of(run, recipe),
        micro_batches=recipe.train.micro_batches,
        regularize=Regularize.of(recipe.train),
    )
    for event in show.watch(record(training, run.folder / "events.jsonl")):
        if isinstance(event, Planned):
            run.commit(SPEED, plan=SpeedPlan.of(event).record())
    history = training.finish()

    graph, weights = export_network(answerer, inputs, problem)
    bundle = write_bundle(
        run.folder / "members" / "network",
        schema=schema,
        operations=fitted.operations,
        graph=graph,
        weights=weights,
        recipe=recipe.dump(),
        profile=profile(split.train),
        versions=versions,
    )
    ours = _torch_answers(answerer, tensors(fitted, inputs, split.validation.inputs), inputs)
    difference = parity(ours, bundle.predict(split.validation).answer, "network")
    run.commit("member network", bundle=bundle.digest, parity=difference)
    notes = {
        "stopped": history.stopped,
        "best_epoch": history.best_epoch,
        "threads": threads,
        "speed": history.plan,
        "speed_asked": recipe.train.speed,
        "spent_s": history.spent,
        "seconds": history.seconds,
        "steps": history.steps,
        "epochs": recipe.train.epochs,
        "weights": sum(parameter.numel() for parameter in module.parameters()),
        "memory_peak_bytes": peak_bytes(),
        "events": list(history.notes),
    }
    return Member("network", bundle, time.monotonic() - started, difference, history.epochs, notes)


def network_loss(recipe: Recipe, problem: Problem) -> "Loss | nn.Module":
    """The recipe's loss, or the problem's usual one; of each member alone where the network has several."""
    loss = recipe.train.loss or (CrossEntropy() if problem == "classification" else MSE())
    if recipe.network.num_members == 1:
        return loss
    from deepwright.train.loss_modules import PerMember

    return PerMember(loss.build())


def speed_of(run: Run, recipe: Recipe) -> Literal["exact", "auto"] | SpeedPlan:
    """The recipe's choice; where it is `auto`, the plan that this run has chosen before it was killed, or that a rerun
    took over, so that measuring anew cannot change the bits."""
    planned = run.entry(SPEED)
    return recipe.train.speed if planned is None or recipe.train.speed == "exact" else SpeedPlan.parse(planned["plan"])


def learn_baseline(run: Run, recipe: Recipe, baseline: Baseline, split: Split, versions: dict[str, Any]) -> Member:
    """Learn one baseline on the training part; its operation becomes the bundle's graph."""
    started = time.monotonic()
    train = split.train
    schema, problem = train.schema, train.schema.problem
    fitted, inputs = fit_prepare(train, recipe.prepare, baseline.form)
    x = tensors(fitted, inputs, train.inputs)["x"]
    operation = baseline.learn(x, target_of(train), problem, max(num_outputs(train), 1), recipe.seed)
    graph = Graph()
    graph.input("x", "float", x.shape[1])
    operation.graph(graph)
    output = {"probability": num_outputs(train)} if problem == "classification" else {"value": None}
    bundle = write_bundle(
        run.folder / "members" / baseline.kind,
        schema=schema,
        operations=fitted.operations,
        graph=graph.model(output).SerializeToString(),
        weights=operation.arrays(),
        recipe=recipe.dump(),
        profile=profile(train),
        versions=versions,
    )
    validation = {"x": tensors(fitted, inputs, split.validation.inputs)["x"]}
    ours = operation.apply(validation)["probability" if problem == "classification" else "value"]
    difference = parity(ours, bundle.predict(split.validation).answer, baseline.kind)
    run.commit(f"member {baseline.kind}", bundle=bundle.digest, parity=difference)
    return Member(baseline.kind, bundle, time.monotonic() - started, difference)


def tensors(fitted: Fitted, inputs: tuple[Tensor, ...], columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The prepared tensors [N, F] of some rows, by name."""
    prepared = fitted.apply(columns)
    return {tensor.name: prepared[tensor.name] for tensor in inputs}


def num_outputs(data: Dataset) -> int:
    """Classes of the target, or 1 for a value."""
    return len(data.schema.target.levels) if data.schema.problem == "classification" else 1


def target_of(data: Dataset) -> np.ndarray:
    """int64 [N] class numbers, or float64 [N] values in the target's unit.

    Raises DataError for a level that the training part does not have.
    """
    if data.schema.problem == "regression":
        return np.asarray(data.target, dtype=np.float64)
    levels = data.schema.target.levels
    number = {level: i for i, level in enumerate(levels)}
    unknown = sorted({str(label) for label in data.target if label not in number})
    if unknown:
        raise DataError("run.unseen_label", part=data.part, labels=", ".join(unknown), known=", ".join(levels))
    return np.fromiter((number[label] for label in data.target), np.int64, len(data))


def target_scale(train: Dataset) -> tuple[float, float]:
    """Mean and sd of the training part's values (0 and 1 for classes): what the network's output is measured in."""
    if train.schema.problem == "classification":
        return 0.0, 1.0
    values = target_of(train)
    return float(values.mean()), float(values.std()) or 1.0


def learning_target(data: Dataset, mean: float, sd: float) -> np.ndarray:
    """The target as the loss takes it: int64 [N], or float32 [N] on the training part's scale."""
    target = target_of(data)
    return target if data.schema.problem == "classification" else ((target - mean) / sd).astype(np.float32)


def in_units(value: Callable[..., float], problem: str, mean: float, sd: float) -> Callable[..., float]:
    """A metric that takes the scaled target of `learning_target` beside answers in the target's unit."""
    return value if problem == "classification" else partial(_unscaled, value, mean, sd)


def _unscaled(value: Callable[..., float], mean: float, sd: float, target: np.ndarray, answer: np.ndarray) -> float:
    return value(target.astype(np.float64) * sd + mean, answer)


def parity(ours: np.ndarray, bundled: np.ndarray, member: str) -> float:
    """The largest difference relative to the largest answer. Raises ProofError above 1e-5."""
    difference = float(np.abs(ours - bundled).max() / max(1.0, float(np.abs(ours).max()))) if len(ours) else 0.0
    if not difference <= PARITY_LIMIT:
        raise ProofError("run.parity", member=member, difference=difference, limit=PARITY_LIMIT)
    return difference


def _torch_answers(answerer: Any, prepared: dict[str, np.ndarray], inputs: tuple[Tensor, ...]) -> np.ndarray:
    import torch

    answerer.eval()
    with torch.no_grad():
        answers = answerer(*(torch.from_numpy(np.ascontiguousarray(prepared[t.name])) for t in inputs))
    return np.asarray(answers.numpy())
