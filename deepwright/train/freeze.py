"""Freezing: parameters that stay as they are, for a number of epochs or for good."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from deepwright.core.errors import RecipeError

if TYPE_CHECKING:
    from torch import nn


class Freezing:
    """Which parameters learn in which epoch, as a function of the epoch alone, so that nothing of it is saved.

    A layer whose parameters are all frozen works as in evaluation: its normalisation keeps its statistics, and nothing
    in it is dropped.

    epochs: how many epochs each parameter stays frozen, by its name; None: all of them.
    """

    def __init__(self, module: "nn.Module", frozen: Mapping[str, int | None] | None) -> None:
        self.module = module
        self.epochs = _matched(module, frozen or {})
        self._parameters = {name: each for name, each in module.named_parameters() if name in self.epochs}
        self._learn = [parameter for parameter in self._parameters.values() if parameter.requires_grad]
        for name, epochs in self.epochs.items():
            if epochs is None:
                self._parameters[name].requires_grad_(False)

    def set(self, epoch: int) -> None:
        """Put the module, which is in training mode, as it learns in an epoch, counted from 0.

        Raises RecipeError where nothing learns in it.
        """
        if not self.epochs:
            return
        frozen = {name for name, epochs in self.epochs.items() if epochs is None or epoch < epochs}
        for parameter in self._learn:
            parameter.requires_grad_(True)
        for name in frozen:
            self._parameters[name].requires_grad_(False)
        if not any(parameter.requires_grad for parameter in self.module.parameters()):
            raise RecipeError("train.all_frozen", epoch=epoch + 1)
        held = {id(self._parameters[name]) for name in frozen}
        for layer in self.module.modules():
            parameters = [id(parameter) for parameter in layer.parameters()]
            if parameters and held.issuperset(parameters):
                layer.eval()

    @property
    def later(self) -> dict[int, int]:
        """The epochs before which a parameter does not learn, by its id, of those that learn at all."""
        return {id(self._parameters[name]): epochs for name, epochs in self.epochs.items() if epochs is not None}

    def undo(self) -> None:
        """Every parameter learns again that did before."""
        for parameter in self._learn:
            parameter.requires_grad_(True)


def _matched(module: "nn.Module", frozen: Mapping[str, int | None]) -> dict[str, int | None]:
    """The epochs of each parameter by the first pattern that its name matches."""
    found: dict[str, int | None] = {}
    names = [name for name, _ in module.named_parameters()]
    for pattern, epochs in frozen.items():
        if epochs is not None and epochs < 1:
            raise RecipeError("train.frozen_epochs", pattern=pattern, found=epochs)
        matching = [name for name in names if fnmatchcase(name, pattern)]
        if not matching:
            raise RecipeError("train.frozen_matches_nothing", pattern=pattern, known=", ".join(names))
        for name in matching:
            found.setdefault(name, epochs)
    return found
