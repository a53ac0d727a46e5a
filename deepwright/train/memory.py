"""Memory: how much was held at most, what a lack of it looks like, whether a smaller batch is the same batch."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def peak_bytes() -> int:
    """The most memory of the host that this process has held at once since it began."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024  # macOS counts bytes, Linux KiB


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory, of the device or the host, does not suffice."""
    import torch

    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def has_batch_norm(module: "nn.Module") -> bool:
    """Whether some layer learns from the whole batch, so that pieces of it would give other gradients."""
    from torch.nn.modules.batchnorm import _BatchNorm

    return any(isinstance(layer, _BatchNorm) for layer in module.modules())
