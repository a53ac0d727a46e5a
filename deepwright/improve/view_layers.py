"""The layer that makes views; imports torch, so it is loaded only where views are asked for.

Shapes: V views, B images, H height, W width, C channels.
"""

import torch
from torch import nn

from deepwright.improve.views import View


class Viewed(nn.Module):
    """Images [B, H, W, C] to the mean of `answerer`'s answers [B, ...] over the views of each.

    >>> first = nn.Sequential(nn.Flatten(), nn.Linear(2, 1, bias=False))
    >>> with torch.no_grad():
    ...     _ = first[1].weight.copy_(torch.tensor([[1.0, 0.0]]))
    >>> Viewed(first, (View(), View(is_mirrored=True)), 1, 2)(torch.tensor([[[[4.0], [8.0]]]])).tolist()
    [[6.0]]
    """

    rows_VH: torch.Tensor
    columns_VW: torch.Tensor

    def __init__(self, answerer: nn.Module, views: tuple[View, ...], height: int, width: int) -> None:
        super().__init__()
        self.answerer = answerer
        rows = [_places(height, round(view.shift * height)) for view in views]
        columns = [_places(width, round(view.shift * width)) for view in views]
        columns = [each.flip(0) if view.is_mirrored else each for each, view in zip(columns, views, strict=True)]
        self.register_buffer("rows_VH", torch.stack(rows), persistent=False)
        self.register_buffer("columns_VW", torch.stack(columns), persistent=False)

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        (images_BHWC,) = tensors
        count = self.rows_VH.shape[0]
        views = [
            images_BHWC.index_select(1, self.rows_VH[view]).index_select(2, self.columns_VW[view])
            for view in range(count)
        ]
        answer = self.answerer(torch.stack(views, dim=1).flatten(0, 1))
        return answer.reshape(-1, count, *answer.shape[1:]).mean(dim=1)


def _places(size: int, shift: int) -> torch.Tensor:
    """int64 [size]: where each pixel of a moved axis is taken from, mirrored at the ends."""
    period = max(2 * (size - 1), 1)
    place = (torch.arange(size) - shift).remainder(period)
    return torch.minimum(place, period - place).clamp(max=size - 1)
