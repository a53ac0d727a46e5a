"""What a result was made with: versions and processor."""

import platform
from importlib.metadata import version
from typing import Any

PACKAGES = ("deepwright", "numpy", "onnxruntime", "scikit-learn", "torch")


def environment() -> dict[str, Any]:
    """Versions of what computes, and the processor."""
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "machine": f"{platform.system()} {platform.machine()}",
    }
