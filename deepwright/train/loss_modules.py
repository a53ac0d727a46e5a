"""Losses that torch has no module for; imports torch, so it is loaded only when one is built.

Shapes: B rows, K classes, Q quantiles, D size of an embedding.
"""

import torch
from torch import nn


class Focal(nn.Module):
    """Cross-entropy in which a row counts (1 - probability of its class) ** gamma."""

    weight: torch.Tensor | None

    def __init__(self, gamma: float, smoothing: float, weight: torch.Tensor | None) -> None:
        super().__init__()
        self.gamma, self.smoothing = gamma, smoothing
        self.register_buffer("weight", weight)

    def forward(self, output_BK: torch.Tensor, target_B: torch.Tensor) -> torch.Tensor:
        each = nn.functional.cross_entropy(
            output_BK, target_B, weight=self.weight, label_smoothing=self.smoothing, reduction="none"
        )
        true = torch.softmax(output_BK, dim=1).gather(1, target_B[:, None])[:, 0]
        counted = each * (1 - true) ** self.gamma
        return counted.mean() if self.weight is None else counted.sum() / self.weight[target_B].sum()


class Pinball(nn.Module):
    """Lowest where output q is the conditional quantile of level q."""

    levels: torch.Tensor

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.float32))

    def forward(self, output_BQ: torch.Tensor, target_B1: torch.Tensor) -> torch.Tensor:
        error = target_B1.reshape(len(output_BQ), 1) - output_BQ
        levels = self.levels.to(error.dtype)
        return torch.maximum(levels * error, (levels - 1) * error).mean()


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
