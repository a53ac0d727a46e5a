"""Networks as a user would write them; some are at fault on purpose."""

import torch
from torch import nn


class Net(nn.Module):
    """A sound one."""

    def __init__(self, width: int, classes: int, hidden: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class Branches(nn.Module):
    """Its path depends on the data, which no graph can carry."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layer(x)
        return y * 2 if y.sum() > 0 else y


class OneSize(nn.Module):
    """It works at three rows only."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, classes)
        self.shift = nn.Parameter(torch.zeros(3, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + self.shift


class Wide(nn.Module):
    """It gives the wrong number of outputs."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)
