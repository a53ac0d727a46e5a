"""A file of weights, read without running any of it: safetensors, or what torch wrote."""

import hashlib
import json
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepwright.core import strict_json
from deepwright.core.errors import DataError
from deepwright.core.weights import check_weights

if TYPE_CHECKING:
    import torch

SAFE = (".safetensors",)
PICKLED = (".pth", ".pt")
LIMIT_BYTES = 8 << 30


@dataclass(frozen=True)
class WeightFile:
    """tensors: float32 by the names that the file has. sha256: of the file. licence: as its metadata say it."""

    tensors: "dict[str, torch.Tensor]"
    sha256: str
    licence: str | None


def read_weights(path: Path) -> WeightFile:
    """Every tensor of a file; counters are left out.

    Raises DataError for a file that is none, too large, damaged, or holds anything but finite tensors.
    """
    if path.suffix not in SAFE + PICKLED:
        raise DataError("transfer.file_kind", path=path, allowed=" ".join(SAFE + PICKLED))
    try:
        facts = path.stat()
    except OSError:
        raise DataError("transfer.no_file", path=path) from None
    if not stat.S_ISREG(facts.st_mode):
        raise DataError("transfer.no_file", path=path)
    if facts.st_size > LIMIT_BYTES:
        raise DataError("transfer.file_size", path=path, found=facts.st_size, limit=LIMIT_BYTES)
    if path.suffix in SAFE:
        return _checked(path, path)
    with tempfile.TemporaryDirectory(prefix="deepwright-weights-") as folder:
        safe = Path(folder) / "weights.safetensors"
        return _checked(path, safe, _converted(path, safe))


def _converted(path: Path, safe: Path) -> str:
    """The SHA-256 of a file that a process of its own wrote anew as safetensors."""
    command = [sys.executable, "-m", "deepwright.model.weight_reader", str(path.absolute()), str(safe)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        answer = {"why": f"exit {done.returncode}"}
    if done.returncode != 0 or "sha256" not in answer:
        raise DataError("transfer.unreadable", path=path, why=answer.get("why", f"exit {done.returncode}"))
    return str(answer["sha256"])


def _checked(path: Path, safe: Path, sha256: str | None = None) -> WeightFile:
    import torch
    from safetensors.torch import load

    try:
        check_weights(safe)
    except (ValueError, RecursionError) as error:
        raise DataError("transfer.unreadable", path=path, why=error) from None
    content = safe.read_bytes()
    found = {name: tensor for name, tensor in load(content).items() if tensor.is_floating_point()}
    tensors = {name: tensor.float() for name, tensor in found.items()}
    endless = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if endless:
        raise DataError("transfer.unreadable", path=path, why=f"tensor {endless[0]!r} holds an infinite weight")
    return WeightFile(tensors, sha256 or hashlib.sha256(content).hexdigest(), _licence(content))


def _licence(content: bytes) -> str | None:
    """What the header's metadata say of a licence."""
    length = int.from_bytes(content[:8], "little")
    metadata = strict_json.loads(content[8 : 8 + length]).get("__metadata__") or {}
    words = [value for name, value in metadata.items() if name.lower() in ("license", "licence")]
    return str(words[0])[:200] if words else None
