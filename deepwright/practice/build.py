"""The recipe's network as it is built for its rows, before any training; the same for a run and a dry run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Loss, Tensor
from deepwright.core.recipe import Recipe
from deepwright.core.schema import Problem
from deepwright.core.step import Fitted
from deepwright.data.prepare import fit_prepare
from deepwright.model.answer import answering
from deepwright.model.export import export_network
from deepwright.practice.begin import Begun, begin
from deepwright.practice.prepared import tensors
from deepwright.practice.target import class_weights, learning_target, num_outputs, row_weights, target_scale
from deepwright.train.loss import MSE, CrossEntropy, MultiLabel
from deepwright.train.threads import thread_count

if TYPE_CHECKING:
    from torch import nn

LOSSES: Mapping[Problem, Loss] = {"classification": CrossEntropy(), "multi-label": MultiLabel(), "regression": MSE()}
"""What training lowers where the recipe names nothing."""
PLACES = 16
"""Pixels for each place that a kernel is laid on, in the middle of a network that halves the sides several times."""


@dataclass(frozen=True)
class Built:
    """A network before its training, and what prepares the rows it takes.

    prepared: the tensors [N, ...] of the rows it was built with. answerer: the module and what makes answers of its
    outputs. mean, sd: of the training part's values; 0 and 1 of classes. of_classes: float64 [K], what a row of each
    class counts. is_weighted: rows count differently.
    """

    fitted: Fitted
    inputs: tuple[Tensor, ...]
    prepared: dict[str, np.ndarray]
    module: "nn.Module"
    answerer: "nn.Module"
    begun: Begun
    problem: Problem
    mean: float
    sd: float
    of_classes: np.ndarray | None
    is_weighted: bool

    def tensors(self, part: Dataset) -> dict[str, np.ndarray]:
        """Some rows as the module takes them, [N, ...] by name."""
        return tensors(self.fitted, self.inputs, part.inputs)

    def target(self, part: Dataset) -> np.ndarray:
        """What the loss compares with, see `target.learning_target`."""
        return learning_target(part, self.mean, self.sd, self.of_classes)

    def threads(self, recipe: Recipe) -> int:
        """Those that the recipe names, or as many as a step can feed."""
        uses = weight_uses(self.inputs)
        return recipe.train.threads or thread_count(self.module, recipe.train.batch_size, uses=uses)

    def loss(self, recipe: Recipe) -> "Loss | nn.Module":
        """What a step lowers, for targets as `target` gives them."""
        return network_loss(recipe, self.problem, is_weighted=self.is_weighted)


def build_network(recipe: Recipe, train: Dataset, whole: Dataset) -> Built:
    """The recipe's network with the weights that it begins with; one that cannot be exported is refused here, before
    the first epoch.

    train: the training part, decoded, or some rows of it. whole: all of it, for what the target's scale and the weights
    of its classes are.
    """
    import torch

    schema = whole.schema
    fitted, inputs = fit_prepare(train, recipe.prepare, recipe.network.form)
    mean, sd = target_scale(whole)
    torch.manual_seed(recipe.seed)
    module = recipe.network.build(inputs, num_outputs(whole))
    prepared = tensors(fitted, inputs, train.inputs)
    recipe.network.adapt(module, prepared)
    begun = begin(recipe, module, schema)
    answerer = answering(module, schema.problem, mean, sd)
    export_network(answerer, inputs, schema.problem)
    of_classes = class_weights(whole, recipe)
    is_weighted = row_weights(whole, of_classes) is not None
    return Built(fitted, inputs, prepared, module, answerer, begun, schema.problem, mean, sd, of_classes, is_weighted)


def network_loss(recipe: Recipe, problem: Problem, *, is_weighted: bool) -> "Loss | nn.Module":
    """The recipe's loss, or the problem's usual one; of each member alone where the network has several.

    is_weighted: the target has the weights of `target.learning_target` beside it.
    """
    loss = recipe.train.loss or LOSSES[problem]
    if recipe.network.num_members == 1 and not is_weighted:
        return loss
    module = loss.build()
    if recipe.network.num_members > 1:
        from deepwright.train.loss_modules import PerMember

        module = PerMember(module)
    if is_weighted:
        from deepwright.train.weighted_loss import Weighted

        module = Weighted(module, is_classes=problem == "classification")
    return module


def weight_uses(inputs: tuple[Tensor, ...]) -> int:
    """About how many times a step uses each weight for a row: a kernel is laid on many places of an image."""
    return max((max(1, t.shape[0] * t.shape[1] // PLACES) for t in inputs if t.shape is not None), default=1)
