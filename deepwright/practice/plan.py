"""The dry run: one batch through every stage, and the time, memory and disk that the whole run will take."""

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from deepwright.core.dataset import Dataset
from deepwright.core.recipe import Recipe
from deepwright.core.seal import Split
from deepwright.core.text import text
from deepwright.data.collect import collect
from deepwright.data.image_pool import default_workers
from deepwright.practice.build import build_network
from deepwright.practice.device import device_of, require_device
from deepwright.practice.images import decoded_here, decoders
from deepwright.practice.run import split_rows
from deepwright.train.events import Event
from deepwright.train.loop import fit

PROBE_STEPS = 20
JUDGED_IMAGES = 256
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
    started = time.monotonic()
    process = psutil.Process()
    require_device(recipe)
    table = collect(recipe, data, test)
    split, _ = split_rows(recipe, table)
    collected_s = time.monotonic() - started
    size = min(len(split.train), PROBE_STEPS * recipe.train.batch_size)
    train, validation, decoding_s, map_bytes = _probed(recipe, split, size)
    built = build_network(recipe, train, split.train)
    module, prepared = built.module, built.prepared
    reading_s = collected_s if map_bytes else time.monotonic() - started

    probe = fit(
        module.to(device_of(recipe)),
        train=({name: tensor[:size] for name, tensor in prepared.items()}, built.target(train)[:size]),
        validation=(built.tensors(validation), built.target(validation)),
        loss=built.loss(recipe),
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
        threads=built.threads(recipe),
        rates=built.begun.rates,
        frozen=built.begun.frozen,
    )
    step_s, judge_s = _seconds_of(probe)
    if map_bytes:  # fewer than all were judged, and no row of the training part
        judge_s *= (len(split.validation) + min(recipe.train.sample, len(split.train))) / len(validation)
    steps_per_epoch = -(-len(split.train) // recipe.train.batch_size)
    epochs, _ = recipe.train.passes(len(split.train))
    steps = steps_per_epoch * epochs
    trainings = 2 if recipe.transfer is not None and recipe.transfer.compare else 1
    training_s = trainings * epochs * (steps_per_epoch * step_s + judge_s)
    kept = sum(_bytes_of(column) for data in (split.train, split.validation) for column in data.columns.values())
    runs = runs.absolute()
    existing = next(p for p in (runs, *runs.parents) if p.exists())
    return Plan(
        rows={"train": len(split.train), "validation": len(split.validation), "test": len(split.test)},
        features=len(split.train.schema.inputs),
        num_weights=sum(p.numel() for p in module.parameters()),
        steps=steps,
        seconds=FIXED_S + decoding_s + (2.0 if map_bytes else READING_FACTOR) * reading_s + training_s,
        memory_bytes=process.memory_info().rss + 2 * sum(t.nbytes for t in prepared.values()) + map_bytes,
        memory_free_bytes=psutil.virtual_memory().available,
        disk_bytes=kept + map_bytes + 8 * sum(p.numel() * 4 for p in module.parameters()) + (6 << 20),
        disk_free_bytes=shutil.disk_usage(existing).free,
    )


def _probed(recipe: Recipe, split: Split, size: int) -> tuple[Dataset, Dataset, float, int]:
    """The rows to try with; of images some, decoded here, with the seconds and the bytes that all of them will take."""
    by = decoders(recipe, split.train)
    if not by:
        return split.train, split.validation, 0.0, 0
    started = time.monotonic()
    train = decoded_here(split.train.take(np.arange(size)), by)
    validation = decoded_here(split.validation.take(np.arange(min(len(split.validation), JUDGED_IMAGES))), by)
    rows = len(split.train) + len(split.validation)
    share = rows / (len(train) + len(validation)) / default_workers()
    return train, validation, (time.monotonic() - started) * share, rows * sum(each.form.num_bytes for each in by)


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
