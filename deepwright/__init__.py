"""Deepwright: from raw data to a monitored, deployed model, with the rules of good practice held by construction.

    >>> import deepwright
    >>> run = deepwright.run("adult.csv", target="income")          # doctest: +SKIP
    >>> run.report, run.bundle.predict(rows)                        # doctest: +SKIP

Names are imported when they are first used, so that `import deepwright` stays instant.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Augment": "core.families",
    "Augmenter": "improve.augment_image",
    "Baseline": "core.families",
    "Bundle": "core.bundle",
    "Checkpoints": "train.checkpoint",
    "Dataset": "core.dataset",
    "Encoder": "core.families",
    "Exporter": "core.families",
    "Fitted": "core.step",
    "Imputer": "core.families",
    "Loss": "core.families",
    "Metric": "core.families",
    "Network": "core.families",
    "Operation": "core.operations",
    "Optimizer": "core.families",
    "Part": "core.part",
    "PracticeError": "core.errors",
    "Recipe": "core.recipe",
    "Regularize": "train.regularize",
    "Report": "core.report",
    "Run": "core.run",
    "Scaler": "core.families",
    "Schedule": "core.families",
    "Schema": "core.schema",
    "Source": "core.families",
    "Splitter": "core.families",
    "Step": "core.step",
    "Tensor": "core.families",
    "Train": "core.recipe",
    "compare": "practice.compare",
    "dump_recipe": "core.recipe_file",
    "evaluate": "train.judge",
    "find_batch_size": "train.batch_size",
    "find_rate": "train.rate",
    "fit": "train.loop",
    "load_recipe": "core.recipe_file",
    "look": "practice.look",
    "option": "core.part",
    "run": "practice.api",
    "verify": "practice.verify",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'deepwright' has no attribute {name!r}")
    if home == "core.families" or home.startswith(("train.", "improve.")):
        import_module("deepwright.parts")  # so that the kinds' names, such as "adamw" or "f1", are known
    return getattr(import_module(f"deepwright.{home}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
