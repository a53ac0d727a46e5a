"""A process that reads a file of weights written by torch, and writes its tensors as safetensors.

    python -m deepwright.model.weight_reader FROM TO

Such a file is a pickle, whose reading may run what its author wrote. torch's restricted reader (`weights_only`) is
used, and a process of its own with bounds on memory, time and the size of what it writes keeps even that away from the
parent. Nothing but tensors comes out. The last line of output is {"sha256"} of the file that was read, or {"why"}.
"""

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

CPU_S = 600
MEMORY_BYTES = 2 << 30
"""Beyond three times the file: its bytes, its tensors and what is written."""
WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Where training scripts put the weights beside other things."""


def main() -> int:
    import torch

    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    content = source.read_bytes()
    _limit(len(content))
    try:
        _require_stored(content)
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        _write(tensors_of(loaded), target)
    except Exception as error:  # noqa: BLE001 - a stranger's file may raise anything; the parent tells what
        first = next(iter(str(error).strip().splitlines()), "")
        print(json.dumps({"why": f"{type(error).__name__}: {first[:300]}".removesuffix(": ")}))
        return 3
    print(json.dumps({"sha256": hashlib.sha256(content).hexdigest()}))
    return 0


def tensors_of(loaded: Any) -> dict[str, Any]:
    """The tensors of a state dict, which may stand beside other things. Raises ValueError for anything else."""
    import torch

    if isinstance(loaded, dict):
        wrapped = next((loaded[name] for name in WRAPPERS if isinstance(loaded.get(name), dict)), loaded)
        other = next((name for name, value in wrapped.items() if not isinstance(value, torch.Tensor)), None)
        if wrapped and other is None:
            return {str(name): value.detach() for name, value in wrapped.items()}
        raise ValueError(f"entry {other!r} is no tensor" if wrapped else "it is empty")
    raise ValueError(f"it holds a {type(loaded).__name__}, no mapping of names to tensors")


def _require_stored(content: bytes) -> None:
    """A compressed file may hold a thousand times its size; torch compresses none."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(content):
                raise ValueError(f"entry {entry.filename!r} is compressed")


def _write(tensors: dict[str, Any], target: Path) -> None:
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, target)


def _limit(num_bytes: int) -> None:
    import resource

    import psutil

    memory = psutil.Process().memory_info()
    held = int(getattr(memory, "data", memory.vms))
    for what, limit in (
        (resource.RLIMIT_DATA, held + 3 * num_bytes + MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 2 * num_bytes + (1 << 20)),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


if __name__ == "__main__":
    sys.exit(main())
