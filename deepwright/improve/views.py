"""Views: several versions of an image that is answered about, whose answers' mean is the answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import nn

Name = Literal["one", "flip", "shift", "flip_shift"]


@dataclass(frozen=True)
class View:
    """is_mirrored: left and right changed. shift: moved down and right by this share of the sides, mirrored edges."""

    is_mirrored: bool = False
    shift: float = 0.0


def views_of(name: Name, shift: float) -> tuple[View, ...]:
    """The views that a name stands for, the image itself first.

    >>> len(views_of("flip", 0.06)), [view.shift for view in views_of("shift", 0.06)]
    (2, [0.0, -0.06, 0.06])
    """
    shifts = (0.0, -shift, shift) if "shift" in name else (0.0,)
    return tuple(View(mirrored, by) for mirrored in ((False, True) if "flip" in name else (False,)) for by in shifts)


def viewed(answerer: "nn.Module", views: tuple[View, ...], height: int, width: int) -> "nn.Module":
    """A module of one image [B, H, W, C] that answers with the mean of the answerer's answers on the views.

    It stands in the place of the answerer in an exported graph; all views of a batch go through it together.

    Reference: Krizhevsky, Sutskever and Hinton 2012 (ten views of each photograph).
    """
    from deepwright.improve.view_layers import Viewed

    return Viewed(answerer, views, height, width).train(answerer.training)
