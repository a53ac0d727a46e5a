"""Batch: what one step sees, as tensors where the device reaches them."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core.errors import DataError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Batch:
    """inputs: tensors [B, ...] in the order of the module's arguments. rows: [B] row numbers from 0, if known."""

    inputs: "tuple[torch.Tensor, ...]"
    target: "torch.Tensor"
    rows: "torch.Tensor | None" = None


def as_tensor(part: str, name: str, value: Any, device: "torch.device", dtype: "torch.dtype") -> "torch.Tensor":
    """Numbers take `dtype`, whole numbers int64; bytes and truth values stay. Raises DataError for what is neither."""
    import torch

    if not isinstance(value, torch.Tensor):
        is_mapped = isinstance(value, np.memmap)
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise DataError("train.not_numbers", part=part, name=name, found=array.dtype)
        if (not array.flags.writeable and not is_mapped) or any(stride < 0 for stride in array.strides):
            array = array.copy()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # a map on disk, only read
            value = torch.from_numpy(np.ascontiguousarray(array))
    if value.is_floating_point():
        return value.to(device, dtype)
    return value.to(device) if value.dtype in (torch.bool, torch.uint8) else value.to(device, torch.int64)
