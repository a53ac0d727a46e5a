"""What a lack of memory looks like, and whether a smaller batch is the same batch."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory, of the device or the host, does not suffice."""
    import torch

    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def has_batch_norm(module: "nn.Module") -> bool:
    """Whether some layer learns from the whole batch, so that pieces of it would give other gradients."""
    from torch.nn.modules.batchnorm import _BatchNorm

    return any(isinstance(layer, _BatchNorm) for layer in module.modules())
