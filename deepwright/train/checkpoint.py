"""Checkpoints: the whole state of a training on disk, each written whole, each provably undamaged when read.

checkpoint/000007.safetensors   every tensor
checkpoint/000007.json          all else, the SHA-256 of the tensors and of this file's own content; the commit point
"""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwright.core.disk import disk_error, write_atomic
from deepwright.core.errors import RecipeError
from deepwright.core.part import canonical_json

if TYPE_CHECKING:
    import torch

FORMAT = 1
MAX_SHARE = 0.02
"""Of training time, spent on writing checkpoints; at the default interval it is far less."""


@dataclass(frozen=True)
class Loaded:
    """A checkpoint as it was read."""

    tensors: "dict[str, torch.Tensor]"
    facts: dict[str, Any]


class Checkpoints:
    """The checkpoints of one training in one folder; at least `keep` of them stay.

    every_s: seconds between two inside an epoch; 0 writes one after every step, whatever it costs. Otherwise writing
    waits until it takes less than 2 % of the time since the last.
    """

    def __init__(self, folder: str | Path, *, every_s: float = 30.0, keep: int = 2) -> None:
        if keep < 2:
            raise RecipeError("train.checkpoint_keep", keep=keep)
        self.folder = Path(folder)
        self.every_s = every_s
        self.keep = keep
        self._written_at = time.monotonic()
        self._cost_s = 0.0

    def start_clock(self) -> None:
        self._written_at = time.monotonic()

    def is_due(self, *, epoch_end: bool) -> bool:
        """Whether it is time to write one."""
        if self.every_s == 0:
            return True
        since = time.monotonic() - self._written_at
        return since >= max(0.0 if epoch_end else self.every_s, self._cost_s / MAX_SHARE)

    def save(
        self, tensors: "dict[str, torch.Tensor]", facts: dict[str, Any], *, started: float | None = None
    ) -> tuple[Path, int, float]:
        """Write one, then drop the oldest; gives its path, bytes and seconds.

        started: `time.monotonic()` when the caller began to gather the tensors, for that costs time too.

        Raises ResourceError when the disk is full; the earlier ones are then intact.
        """
        from safetensors.torch import save

        started = time.monotonic() if started is None else started
        number = max(self._numbers(), default=0) + 1
        path = self.folder / f"{number:06d}.json"
        content = save(_unshared(tensors))
        body = {"format": FORMAT, "tensors_sha256": hashlib.sha256(content).hexdigest(), "facts": facts}
        text = _sealed(body)
        try:
            write_atomic(path.with_suffix(".safetensors"), content)
            write_atomic(path, text)
        finally:
            self._drop()
        self._written_at = time.monotonic()
        self._cost_s = self._written_at - started
        return path, len(content) + len(text), self._cost_s

    def load_latest(self) -> tuple[Loaded | None, tuple[str, ...]]:
        """The newest undamaged checkpoint, or None where there is none; and the names of damaged ones passed over."""
        refused: list[str] = []
        for number in sorted(self._numbers(), reverse=True):
            path = self.folder / f"{number:06d}.json"
            found = _read(path)
            if found is not None:
                return found, tuple(refused)
            refused.append(path.name)
        return None, tuple(refused)

    def _numbers(self) -> list[int]:
        """Of the checkpoints that were committed."""
        return [int(path.stem) for path in self.folder.glob("*.json") if path.stem.isdigit()]

    def _drop(self) -> None:
        """Remove the oldest beyond `keep`, and what a killed process left half written."""
        kept = sorted(self._numbers())[-self.keep :]
        try:
            for path in list(self.folder.iterdir()) if self.folder.is_dir() else []:
                is_ours = path.stem.isdigit() and path.suffix in (".json", ".safetensors")
                # A tensors file without its JSON was never committed.
                if (is_ours and int(path.stem) not in kept) or (path.name.startswith(".") and path.suffix == ".tmp"):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(self.folder, 0, error) from None


def _sealed(body: dict[str, Any]) -> bytes:
    """JSON whose last entry is the SHA-256 of the others."""
    digest = hashlib.sha256(canonical_json(body).encode()).hexdigest()
    return (canonical_json({**body, "zz_sha256": digest}) + "\n").encode()


def _read(path: Path) -> Loaded | None:
    """The checkpoint, or None where a bit of either file is not as it was written."""
    from safetensors.torch import load

    try:
        raw = path.read_bytes()
        content = path.with_suffix(".safetensors").read_bytes()
        body = json.loads(raw)
    except (FileNotFoundError, UnicodeDecodeError, json.JSONDecodeError):
        return None
    digest = body.pop("zz_sha256", None) if isinstance(body, dict) else None
    if digest is None or raw != _sealed(body) or body.get("tensors_sha256") != hashlib.sha256(content).hexdigest():
        return None
    if body["format"] != FORMAT:
        raise RecipeError("train.checkpoint_format", path=path, found=body["format"], known=FORMAT)
    return Loaded(load(content), body["facts"])


def _unshared(tensors: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """Contiguous tensors on the host without common storage: safetensors takes no other."""
    seen: set[int] = set()
    separate = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        place = tensor.untyped_storage().data_ptr()
        separate[name] = tensor.clone() if place in seen else tensor
        seen.add(place)
    return separate
