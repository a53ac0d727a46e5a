"""The doctor: what this machine and installation can do, and what to mend."""

import os
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from deepwright.core.errors import PracticeError
from deepwright.core.ledger import LookLedger, workspace
from deepwright.core.text import text

MIN_FREE_BYTES = 1 << 30
PACKAGES = (
    "torch",
    "onnxruntime",
    "onnx",
    "onnxscript",
    "numpy",
    "polars",
    "pyarrow",
    "scikit-learn",
    "uvicorn",
    "msgspec",
)


@dataclass(frozen=True)
class Check:
    what: str
    found: str
    is_fine: bool
    fix: str = ""

    def record(self) -> dict[str, Any]:
        return asdict(self)


def examine() -> list[Check]:
    """Every check, in the order a user would make them."""
    return [
        _python(),
        *map(_package, PACKAGES),
        _torch_computes(),
        _processor(),
        _memory(),
        _disk(),
        _writable(),
        _ledger(),
    ]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("python", found, sys.version_info >= (3, 11), text("doctor.python"))


def _package(name: str) -> Check:
    try:
        return Check(name, version(name), True)
    except PackageNotFoundError:
        return Check(name, "-", False, text("doctor.package", name=name))


def _torch_computes() -> Check:
    import torch

    product = float((torch.ones(8, 8) @ torch.ones(8, 8)).sum())
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"
    return Check(text("doctor.device"), device, product == 512.0, text("doctor.torch"))


def _processor() -> Check:
    import torch

    return Check(
        text("doctor.processor"),
        f"{len(os.sched_getaffinity(0))} cores, {torch.backends.cpu.get_cpu_capability()}",
        True,
    )


def _memory() -> Check:
    free = psutil.virtual_memory().available
    return Check(text("doctor.memory"), f"{free / 2**30:.1f} GiB", free >= MIN_FREE_BYTES, text("doctor.more_memory"))


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    return Check(text("doctor.disk"), f"{free / 2**30:.1f} GiB", free >= MIN_FREE_BYTES, text("doctor.more_disk"))


def _writable() -> Check:
    try:
        with tempfile.TemporaryFile(dir=Path.cwd()):
            return Check(text("doctor.folder"), str(Path.cwd()), True)
    except OSError:
        return Check(text("doctor.folder"), str(Path.cwd()), False, text("doctor.not_writable"))


def _ledger() -> Check:
    folder = workspace()
    try:
        count = len(LookLedger(folder).ledger.entries())
        return Check(text("doctor.ledger"), f"{folder / 'looks.jsonl'} ({count})", True)
    except PracticeError as error:
        return Check(text("doctor.ledger"), str(error), False, "")
