"""Numbers of a table as a network takes them in: clipped smoothly, in pieces, or as waves; imports torch.

Shapes: B rows, F numbers, N bins or frequencies, D numbers that stand for one.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from deepwright.model.bins import bin_edges

NEVER = 3.3e38
"""The lower edge of a bin that a number does not have; prepared numbers end at 3e38."""
FAR = 1e6
"""Held here, the square of no float32 number is infinite."""


class SmoothClip(nn.Module):
    """(x - centre) / spread, drawn smoothly into -3 to 3: z / sqrt(1 + (z / 3) ** 2).

    Centre and spread are the median and the distance of the quartiles once `adapt` has seen the training rows (half the
    range where the quartiles are equal), before that 0 and 1.

    Reference: Holzmüller, Grinsztajn, Steinwart 2024, Better by default (RealMLP), arXiv 2407.04491.
    """

    centre: torch.Tensor
    spread: torch.Tensor

    def __init__(self, num_numbers: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(num_numbers))
        self.register_buffer("spread", torch.ones(num_numbers))

    def adapt(self, numbers: np.ndarray) -> None:
        """numbers: float32 [rows, F] of the training part."""
        low, middle, high = np.quantile(numbers.astype(np.float64), (0.25, 0.5, 0.75), axis=0)
        half_range = (numbers.max(axis=0).astype(np.float64) - numbers.min(axis=0)) / 2
        spread = np.where(high > low, high - low, half_range)
        self.centre.copy_(torch.from_numpy(middle))
        self.spread.copy_(torch.from_numpy(np.where(spread > 0, spread, 1.0)))

    def forward(self, x_BF: torch.Tensor) -> torch.Tensor:
        z_BF = ((x_BF - self.centre) / self.spread).clamp(-FAR, FAR)
        return z_BF / torch.sqrt(1 + (z_BF / 3) ** 2)


class PiecewiseLinear(nn.Module):
    """Each number [B, F] as D numbers [B, F * D] that are a piecewise-linear function of it, over bins of its own.

    Number n of the encoding is the share of bin n that x has passed, in [0, 1]; beyond the training rows' range the
    encoding stays as it is at the end. At the start the function is one straight line (of the smoothly clipped number),
    and the pieces learn what to add. The bins are standard normal quantiles until `adapt` has seen the training rows.

    Reference: Gorishniy, Rubachev, Babenko 2022, arXiv 2203.05556; the straight start: Gorishniy, Kotelnikov, Babenko
    2024 (TabM), arXiv 2410.24210.
    """

    low: torch.Tensor
    width: torch.Tensor

    def __init__(self, num_numbers: int, num_bins: int, dim: int) -> None:
        super().__init__()
        self.num_bins = num_bins
        self.clip = SmoothClip(num_numbers)
        self.register_buffer("low", torch.empty(num_numbers, num_bins))
        self.register_buffer("width", torch.empty(num_numbers, num_bins))
        self.pieces = nn.Parameter(torch.zeros(num_numbers, num_bins, dim))
        self.line = nn.Parameter(torch.empty(num_numbers, dim).uniform_(-1, 1) / math.sqrt(dim))
        self.bias = nn.Parameter(torch.empty(num_numbers * dim).uniform_(-1, 1) / math.sqrt(dim))
        normal = torch.special.ndtri(torch.linspace(0, 1, num_bins + 1, dtype=torch.float64)[1:-1]).numpy()
        self._set_edges([np.concatenate([[-3.0], normal, [3.0]])] * num_numbers)

    def adapt(self, numbers: np.ndarray) -> None:
        """numbers: float32 [rows, F] of the training part."""
        self.clip.adapt(numbers)
        self._set_edges([bin_edges(column, self.num_bins) for column in numbers.T])

    def _set_edges(self, edges: Sequence[np.ndarray]) -> None:
        """A number with fewer bins gets the last ones where it never comes to."""
        self.low.fill_(NEVER)
        self.width.fill_(1.0)
        for place, each in enumerate(edges):
            self.low[place, : len(each) - 1] = torch.from_numpy(each[:-1])
            self.width[place, : len(each) - 1] = torch.from_numpy(np.diff(each))

    def forward(self, x_BF: torch.Tensor) -> torch.Tensor:
        passed_BFN = ((x_BF[:, :, None] - self.low) / self.width).clamp(0, 1)
        pieces_BFD = torch.bmm(passed_BFN.transpose(0, 1), self.pieces).transpose(0, 1)
        line_BFD = self.clip(x_BF)[:, :, None] * self.line
        return (pieces_BFD + line_BFD).flatten(1) + self.bias


class Periodic(nn.Module):
    """Each number [B, F] as D numbers [B, F * D]: sines and cosines of learned frequencies, a linear layer, ReLU (PLR).

    scale: sd of the frequencies at the start, in waves per unit of the smoothly clipped number.

    Reference: Gorishniy, Rubachev, Babenko 2022, arXiv 2203.05556.
    """

    def __init__(self, num_numbers: int, num_frequencies: int, scale: float, dim: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(2 * num_frequencies)
        self.clip = SmoothClip(num_numbers)
        self.frequencies = nn.Parameter(torch.randn(num_numbers, num_frequencies).clamp(-3, 3) * scale)
        self.linear = nn.Parameter(torch.empty(num_numbers, 2 * num_frequencies, dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(num_numbers * dim).uniform_(-bound, bound))

    def adapt(self, numbers: np.ndarray) -> None:
        """numbers: float32 [rows, F] of the training part."""
        self.clip.adapt(numbers)

    def forward(self, x_BF: torch.Tensor) -> torch.Tensor:
        angle_BFN = 2 * math.pi * self.clip(x_BF)[:, :, None] * self.frequencies
        waves_FBN = torch.cat([angle_BFN.cos(), angle_BFN.sin()], dim=2).transpose(0, 1)
        return torch.relu(torch.bmm(waves_FBN, self.linear).transpose(0, 1).flatten(1) + self.bias)
