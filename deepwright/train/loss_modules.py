"""Losses that torch has no module for; imports torch, so it is loaded only when one is built.

Shapes: B rows, K classes, M members of an ensemble, Q quantiles, D size of an embedding.
"""

import torch
from torch import nn

from deepwright.core.errors import RecipeError


class Focal(nn.Module):
    """Cross-entropy in which a row counts (1 - probability of its class) ** gamma; of several classes by their shares.

    target: class numbers int64 [B], or shares of classes float32 [B, K].
    """

    weight: torch.Tensor | None

    def __init__(self, gamma: float, smoothing: float, weight: torch.Tensor | None) -> None:
        super().__init__()
        self.gamma, self.smoothing, self.reduction = gamma, smoothing, "mean"
        self.register_buffer("weight", weight)

    def forward(self, output_BK: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        each = nn.functional.cross_entropy(
            output_BK, target, weight=self.weight, label_smoothing=self.smoothing, reduction="none"
        )
        probability = torch.softmax(output_BK, dim=1)
        is_soft = target.is_floating_point()
        true = (probability * target).sum(dim=1) if is_soft else probability.gather(1, target[:, None])[:, 0]
        counted = each * (1 - true) ** self.gamma
        if self.reduction == "none":
            return counted
        if self.weight is None or is_soft:  # torch's own cross-entropy of shares divides by rows, too
            return counted.mean()
        return counted.sum() / self.weight[target].sum()


class Pinball(nn.Module):
    """Lowest where output q is the conditional quantile of level q."""

    levels: torch.Tensor

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        self.reduction = "mean"
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.float32))

    def forward(self, output_BQ: torch.Tensor, target_B1: torch.Tensor) -> torch.Tensor:
        if output_BQ.ndim != 2 or output_BQ.shape[1] != len(self.levels):
            levels = ", ".join(f"{level:g}" for level in self.levels.tolist())
            raise RecipeError("train.quantile_outputs", levels=levels, output=tuple(output_BQ.shape))
        error = target_B1.reshape(len(output_BQ), 1) - output_BQ
        levels = self.levels.to(error.dtype)
        each = torch.maximum(levels * error, (levels - 1) * error)
        return each if self.reduction == "none" else each.mean()


class SupervisedContrastive(nn.Module):
    """Draws embeddings of the same class together and others apart; rows without a partner do not count."""

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, output_BD: torch.Tensor, target_B: torch.Tensor) -> torch.Tensor:
        unit = nn.functional.normalize(output_BD, dim=1)
        itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
        scores = (unit @ unit.T / self.temperature).masked_fill(itself, float("-inf"))
        log_share = scores - torch.logsumexp(scores, dim=1, keepdim=True)
        partners = (target_B[:, None] == target_B[None, :]) & ~itself
        counts = partners.sum(dim=1)
        of_rows = -log_share.masked_fill(~partners, 0.0).sum(dim=1) / counts.clamp(min=1)
        return of_rows.sum() / (counts > 0).sum().clamp(min=1)


class PerMember(nn.Module):
    """The mean of the members' losses: each of the M members' outputs [B, M, K] against the same target.

    reduction: the loss's own; at "none" it gives each row's [B, ...], the mean over its members.
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    @property
    def reduction(self) -> str:
        return self.loss.reduction

    @reduction.setter
    def reduction(self, word: str) -> None:
        self.loss.reduction = word

    def forward(self, output_BMK: torch.Tensor, target_B: torch.Tensor) -> torch.Tensor:
        rows, members, outputs = output_BMK.shape
        target = target_B.repeat_interleave(members, dim=0)
        if outputs == 1 and target.ndim == 1 and target.is_floating_point():
            target = target[:, None]
        value = self.loss(output_BMK.flatten(0, 1), target)
        return value.unflatten(0, (rows, members)).mean(dim=1) if value.ndim else value
