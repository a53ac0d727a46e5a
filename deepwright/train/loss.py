"""Losses: what training lowers; each gives the mean over a batch."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import field_validator

from deepwright.core.families import Loss
from deepwright.core.part import option
from deepwright.core.schema import Problem
from deepwright.core.text import text

if TYPE_CHECKING:
    from torch import nn


class CrossEntropy(Loss, kind="cross_entropy"):
    """Minus the log probability of the true class, in nats.

    With class weights the mean is over weights. With `focal` a row counts (1 - probability of its class) ** focal.

    >>> import torch
    >>> round(CrossEntropy().build()(torch.zeros(1, 4), torch.tensor([2])).item(), 4)  # ln 4
    1.3863
    >>> round(CrossEntropy(focal=2.0).build()(torch.zeros(1, 4), torch.tensor([2])).item(), 4)  # times (3/4)^2
    0.7798

    References: Szegedy et al. 2016 (smoothing), arXiv 1512.00567; Lin et al. 2017 (focal), arXiv 1708.02002.
    """

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)

    smoothing: float = option(
        0.0, "share of the truth spread evenly over all classes", low=0, below=1, search=(0.0, 0.2)
    )
    focal: float = option(0.0, "how much rows that are right already count less; 0: not", low=0, high=10)
    weights: tuple[float, ...] | None = option(None, "one per class, in the order of the levels; none: all count 1")

    @field_validator("weights")
    @classmethod
    def _weights_are_positive(cls, weights: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if weights is not None and not (weights and all(weight > 0 for weight in weights)):
            raise ValueError(text("train.class_weights"))
        return weights

    def build(self) -> "nn.Module":
        import torch

        weight = None if self.weights is None else torch.tensor(self.weights, dtype=torch.float32)
        if self.focal == 0:
            return torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=self.smoothing)
        from deepwright.train.loss_modules import Focal

        return Focal(self.focal, self.smoothing, weight)


class Binary(Loss, kind="binary"):
    """Cross-entropy of one score per row against 0 or 1: output [B, 1], target [B] or [B, 1] as floats.

    >>> import torch
    >>> round(Binary().build()(torch.zeros(1, 1), torch.ones(1, 1)).item(), 4)  # ln 2
    0.6931
    """

    problems: ClassVar[tuple[Problem, ...]] = ()
    """A table's network gives one score per class, for which `cross_entropy` is the same."""

    positive_weight: float = option(1.0, "what a row of class 1 counts", above=0, high=1e6)

    def build(self) -> "nn.Module":
        import torch

        weight = None if self.positive_weight == 1 else torch.tensor([self.positive_weight], dtype=torch.float32)
        return torch.nn.BCEWithLogitsLoss(pos_weight=weight)


class MultiLabel(Loss, kind="multi_label"):
    """The mean of K independent binary cross-entropies: output [B, K], target [B, K] of zeros and ones as floats.

    >>> import torch
    >>> round(MultiLabel().build()(torch.zeros(1, 3), torch.tensor([[1.0, 0.0, 1.0]])).item(), 4)  # ln 2
    0.6931
    """

    problems: ClassVar[tuple[Problem, ...]] = ("multi-label",)

    def build(self) -> "nn.Module":
        from torch import nn

        return nn.BCEWithLogitsLoss()


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


class Quantile(Loss, kind="quantile"):
    """Pinball loss: output [B, Q] are the conditional quantiles of the given levels, target [B] or [B, 1].

    A table's network gives one value, so there it takes one level.

    >>> import torch
    >>> round(Quantile(levels=(0.9,)).build()(torch.zeros(2, 1), torch.tensor([[1.0], [-1.0]])).item(), 4)
    0.5

    Reference: Koenker and Bassett 1978, Regression quantiles.
    """

    problems: ClassVar[tuple[Problem, ...]] = ("regression",)

    levels: tuple[float, ...] = option((0.1, 0.5, 0.9), "levels, one per output, each above 0 and below 1")

    @field_validator("levels")
    @classmethod
    def _levels_lie_within(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if not (levels and all(0 < level < 1 for level in levels)):
            raise ValueError(text("train.quantile_levels"))
        return levels

    def build(self) -> "nn.Module":
        from deepwright.train.loss_modules import Pinball

        return Pinball(self.levels)


class Poisson(Loss, kind="poisson"):
    """For counts: the output is the log of the expected count, output [B, 1], target [B] or [B, 1] from 0 up.

    >>> import torch
    >>> round(Poisson().build()(torch.tensor([[1.0]]), torch.tensor([[2.0]])).item(), 4)  # e - 2
    0.7183
    """

    problems: ClassVar[tuple[Problem, ...]] = ()
    """A table's values are brought to mean 0 before they are learned, so they are no counts any more."""

    def build(self) -> "nn.Module":
        from torch import nn

        return nn.PoissonNLLLoss(log_input=True)


class Contrastive(Loss, kind="contrastive"):
    """Supervised contrastive: rows of one class together, others apart; output [B, D] embeddings, target [B] classes.

    >>> import torch
    >>> apart = torch.eye(2).repeat(2, 1)
    >>> round(Contrastive(temperature=1.0).build()(apart, torch.tensor([0, 1, 0, 1])).item(), 4)
    0.5514

    Reference: Khosla et al. 2020, arXiv 2004.11362.
    """

    problems: ClassVar[tuple[Problem, ...]] = ()
    """A table's network gives scores, no embeddings."""

    temperature: float = option(
        0.1, "how sharply near rows are told apart", above=0, high=10, search=(0.05, 1.0, "log")
    )

    def build(self) -> "nn.Module":
        from deepwright.train.loss_modules import SupervisedContrastive

        return SupervisedContrastive(self.temperature)
