"""Losses: what training lowers; each gives the mean over a batch."""

from typing import TYPE_CHECKING, ClassVar

from deepwright.core.families import Loss
from deepwright.core.part import option
from deepwright.core.schema import Problem

if TYPE_CHECKING:
    from torch import nn


class CrossEntropy(Loss, kind="cross_entropy"):
    """Minus the log probability of the true class, in nats.

    >>> import torch
    >>> round(CrossEntropy().build()(torch.zeros(1, 4), torch.tensor([2])).item(), 4)  # ln 4
    1.3863
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)

    smoothing: float = option(
        0.0, "share of the truth spread evenly over all classes", low=0, below=1, search=(0.0, 0.2)
    )

    def build(self) -> "nn.Module":
        from torch import nn

        return nn.CrossEntropyLoss(label_smoothing=self.smoothing)


class MSE(Loss, kind="mse"):
    """Mean squared error.

    >>> import torch
    >>> MSE().build()(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [5.0]])).item()
    4.5
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)

    def build(self) -> "nn.Module":
        from torch import nn

        return nn.MSELoss()


class MAE(Loss, kind="mae"):
    """Mean absolute error; lowest at the median.

    >>> import torch
    >>> MAE().build()(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [5.0]])).item()
    1.5
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)

    def build(self) -> "nn.Module":
        from torch import nn

        return nn.L1Loss()


class Huber(Loss, kind="huber"):
    """Squared up to `delta`, straight beyond, so single large errors weigh less.

    >>> import torch
    >>> Huber().build()(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.5], [5.0]])).item()
    1.3125

    Reference: Huber 1964, Robust estimation of a location parameter.
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)

    delta: float = option(1.0, "where the square ends, in the scale of the target", above=0, search=(0.1, 10.0, "log"))

    def build(self) -> "nn.Module":
        from torch import nn

        return nn.HuberLoss(delta=self.delta)
