"""What a result was made with: versions, threads, processor."""

import os
import platform
from importlib.metadata import version
from typing import Any

from deepwright.core.recipe import Recipe

PACKAGES = ("deepwright", "numpy", "onnxruntime", "scikit-learn", "torch")


def environment(recipe: Recipe) -> dict[str, Any]:
    """Versions of what computes, the thread count of training, and the processor."""
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "threads": recipe.train.threads or default_threads(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def default_threads() -> int:
    """The cores this process may use, at most 8."""
    return min(8, len(os.sched_getaffinity(0)))
