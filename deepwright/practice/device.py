"""Device: where the steps of a training run."""

from typing import TYPE_CHECKING

from deepwright.core.errors import ResourceError
from deepwright.core.recipe import Recipe

if TYPE_CHECKING:
    import torch


def require_device(recipe: Recipe) -> None:
    """Raises ResourceError where the recipe asks for a device that this machine, or its torch, does not have."""
    if recipe.train.device == "cpu":
        return
    import torch

    if not torch.cuda.is_available():
        raise ResourceError("run.no_cuda", torch=torch.__version__)


def device_of(recipe: Recipe) -> "torch.device":
    """The device that the recipe asks for, once `require_device` has found it."""
    import torch

    return torch.device(recipe.train.device)
