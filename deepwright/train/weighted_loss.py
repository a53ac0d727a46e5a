"""A loss in which rows count differently; imports torch, so it is loaded only when one is built.

Shapes: B rows, K classes.
"""

import copy

import torch
from torch import nn

from deepwright.core.errors import RecipeError


class Weighted(nn.Module):
    """The mean over rows of weight * loss.

    target_B2: what is to be answered (a class number or a value), and the weight; a third column is not looked at.
    Where images were mixed, shares of all classes stand in place of the class number: [B, K + 2].
    Weights have mean 1 over the whole part, not in each batch, so a batch of light rows moves the network less.

    Raises RecipeError for a loss that is no mean over rows.
    """

    def __init__(self, loss: nn.Module, *, is_classes: bool) -> None:
        super().__init__()
        if getattr(loss, "reduction", None) != "mean":
            raise RecipeError("train.no_row_weights", loss=type(loss).__name__)
        self.each = copy.deepcopy(loss)
        self.each.reduction = "none"
        self.is_classes = is_classes

    def forward(self, output: torch.Tensor, target_B2: torch.Tensor) -> torch.Tensor:
        if self.is_classes and target_B2.shape[1] > 3:
            target, weight_B = target_B2[:, :-2], target_B2[:, -2]
        else:
            target, weight_B = target_B2[:, 0], target_B2[:, 1]
            if self.is_classes:
                target = target.long()
            elif output.ndim == 2:
                target = target[:, None]
        each = self.each(output, target).reshape(len(weight_B), -1).mean(dim=1)
        return (each * weight_B).mean()
