"""The dry run: one batch through every stage, and the time, memory and disk that the whole run will take."""

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from deepwright.core.recipe import Recipe
from deepwright.core.text import text
from deepwright.data.collect import collect
from deepwright.data.prepare import fit_prepare
from deepwright.model.answer import answering
from deepwright.model.export import export_network
from deepwright.practice.member import network_loss, tensors
from deepwright.practice.run import split_rows
from deepwright.practice.target import class_weights, learning_target, num_outputs, target_scale
from deepwright.train.events import Event
from deepwright.train.loop import fit
from deepwright.train.threads import thread_count

PROBE_STEPS = 20
READING_FACTOR = 4.0
FIXED_S = 8.0
"""Baselines, judging and writing beside training: a factor of the time for reading and preparing, and what every run
takes. Of runs on Adult and California housing (docs/log.md, 2026-11-21)."""


@dataclass(frozen=True)
class Plan:
    """What a run will take if early stopping ends nothing. Bytes: peak memory, and the run's folder."""

    rows: dict[str, int]
    features: int
    num_weights: int
    steps: int
    seconds: float
    memory_bytes: int
    memory_free_bytes: int
    disk_bytes: int
    disk_free_bytes: int


def plan(recipe: Recipe, *, data: Any = None, test: Any = None, runs: Path = Path("runs")) -> Plan:
    """Send one batch through collect, split, prepare, build, train and export; write nothing."""
    import torch

    started = time.monotonic()
    process = psutil.Process()
    table = collect(recipe, data, test)
    split, _ = split_rows(recipe, table)
    fitted, inputs = fit_prepare(split.train, recipe.prepare, recipe.network.form)
    mean, sd = target_scale(split.train)
    torch.manual_seed(recipe.seed)
    module = recipe.network.build(inputs, num_outputs(split.train))
    prepared = tensors(fitted, inputs, split.train.inputs)
    recipe.network.adapt(module, prepared)
    export_network(answering(module, split.train.schema.problem, mean, sd), inputs, split.train.schema.problem)
    of_classes = class_weights(split.train, recipe)
    target = learning_target(split.train, mean, sd, of_classes)
    reading_s = time.monotonic() - started

    size = min(len(split.train), PROBE_STEPS * recipe.train.batch_size)
    validation = (
        tensors(fitted, inputs, split.validation.inputs),
        learning_target(split.validation, mean, sd, of_classes),
    )
    probe = fit(
        module,
        train=({name: tensor[:size] for name, tensor in prepared.items()}, target[:size]),
        validation=validation,
        loss=network_loss(recipe, split.train.schema.problem, is_weighted=target.ndim == 2),
        optimizer=recipe.train.optimizer,
        schedule=recipe.train.schedule,
        epochs=1,
        batch_size=recipe.train.batch_size,
        seed=recipe.seed,
        patience=None,
        metrics={},
        watch="loss",
        greater_is_better=False,
        answer=None,
        sample=1,
        checkpoints=None,
        budget_s=None,
        threads=recipe.train.threads or thread_count(module, recipe.train.batch_size),
    )
    step_s, judge_s = _seconds_of(probe)
    steps_per_epoch = -(-len(split.train) // recipe.train.batch_size)
    epochs, _ = recipe.train.passes(len(split.train))
    steps = steps_per_epoch * epochs
    training_s = epochs * (steps_per_epoch * step_s + judge_s)
    kept = sum(_bytes_of(column) for data in (split.train, split.validation) for column in data.columns.values())
    runs = runs.absolute()
    existing = next(p for p in (runs, *runs.parents) if p.exists())
    return Plan(
        rows={"train": len(split.train), "validation": len(split.validation), "test": len(split.test)},
        features=len(split.train.schema.inputs),
        num_weights=sum(p.numel() for p in module.parameters()),
        steps=steps,
        seconds=FIXED_S + READING_FACTOR * reading_s + training_s,
        memory_bytes=process.memory_info().rss + 2 * sum(t.nbytes for t in prepared.values()),
        memory_free_bytes=psutil.virtual_memory().available,
        disk_bytes=kept + 8 * sum(p.numel() * 4 for p in module.parameters()) + (6 << 20),
        disk_free_bytes=shutil.disk_usage(existing).free,
    )


def _seconds_of(training: Iterable[Event]) -> tuple[float, float]:
    """Seconds of a step and of judging an epoch, from the moments of a short training's events."""
    marks: dict[str, list[float]] = {}
    for event in training:
        marks.setdefault(event.record()["event"], []).append(time.monotonic())
    steps = [marks["started"][-1], *marks["step"]]
    return (steps[-1] - steps[0]) / (len(steps) - 1), marks["epoch"][0] - steps[-1]


def _bytes_of(column: np.ndarray) -> int:
    if column.dtype != object:
        return column.nbytes
    return sum(len(value) if value is not None else 0 for value in column) + 8 * len(column)


def plan_lines(found: Plan) -> list[str]:
    """The plan in words."""
    rows = ", ".join(f"{part} {count}" for part, count in found.rows.items())
    return [
        text("plan.rows", rows=rows, features=found.features),
        text("plan.steps", steps=found.steps, weights=found.num_weights),
        text("plan.seconds", seconds=round(found.seconds)),
        text("plan.memory", wanted=found.memory_bytes / 2**20, free=found.memory_free_bytes / 2**20),
        text("plan.disk", wanted=found.disk_bytes / 2**20, free=found.disk_free_bytes / 2**20),
    ]
