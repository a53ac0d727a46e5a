"""What a contestant is given: one workload, its data, a clock, and the manner in which to train."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.clock import Clock
from benchmarks.workloads import Arrays, Workload

if TYPE_CHECKING:
    import torch
    from torch import nn

PROBE = 1024
"""Rows on which a trained network is judged, so that a contestant that did less work is seen."""


@dataclass(frozen=True)
class Job:
    """folder: for what a contestant writes. bf16, compiled: products in bfloat16; the step compiled."""

    workload: Workload
    inputs: Arrays
    target: np.ndarray
    epochs: int
    threads: int
    device: str
    clock: Clock
    folder: Path
    bf16: bool = False
    compiled: bool = False

    @property
    def num_rows(self) -> int:
        return len(self.target)

    @cached_property
    def steps(self) -> int:
        """In an epoch."""
        return -(-self.num_rows // self.workload.batch_size)

    def network(self) -> "nn.Module":
        """The network with the same first weights for everyone who uses torch."""
        import torch

        torch.manual_seed(0)
        return self.workload.network().to(self.device)

    def tensors(self) -> "tuple[dict[str, torch.Tensor], torch.Tensor]":
        import torch

        return {name: torch.from_numpy(value) for name, value in self.inputs.items()}, torch.from_numpy(self.target)

    def loss(self, logits_BK: np.ndarray) -> float:
        """Mean cross-entropy of the first rows' logits."""
        target = self.target[: len(logits_BK)]
        logits = logits_BK.astype(np.float64)
        logits -= logits.max(1, keepdims=True)
        chosen = logits[np.arange(len(target)), target]
        return float((np.log(np.exp(logits).sum(1)) - chosen).mean())

    def judged(self, network: "nn.Module") -> float:
        """Loss of a trained torch network on the first rows, in evaluation mode and float32."""
        import torch

        inputs, _ = self.tensors()
        network = network.to(self.device).eval()
        with torch.no_grad():
            logits = network(*(value[:PROBE].to(self.device) for value in inputs.values()))
        return self.loss(logits.float().cpu().numpy())


class ByLength:
    """A torch data set of (inputs..., target), where padded tokens are cut to the row's own length."""

    def __init__(self, job: Job) -> None:
        self._inputs, self._target = job.tensors()
        self._lengths = self._inputs[job.workload.length or ""].tolist()

    def __len__(self) -> int:
        return len(self._target)

    def __getitem__(self, row: int) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
        length = self._lengths[row]
        return self._inputs["tokens"][row, :length], self._inputs["lengths"][row], self._target[row]


def dataset(job: Job) -> Any:
    """The data as people give them to a DataLoader."""
    from torch.utils.data import TensorDataset

    if job.workload.length is not None:
        return ByLength(job)
    inputs, target = job.tensors()
    return TensorDataset(*inputs.values(), target)


def collate(rows: "list[tuple[torch.Tensor, ...]]") -> "tuple[torch.Tensor, ...]":
    """Pad the tokens to the longest row of the batch."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    tokens, lengths, target = zip(*rows, strict=True)
    return pad_sequence(list(tokens), batch_first=True), torch.stack(lengths), torch.stack(target)


def loader(job: Job) -> Any:
    """torch's DataLoader with its defaults, shuffled."""
    from torch.utils.data import DataLoader

    return DataLoader(
        dataset(job),
        batch_size=job.workload.batch_size,
        shuffle=True,
        collate_fn=collate if job.workload.length is not None else None,
    )
