"""What a network answers: probabilities of classes or labels, or a value in the target's unit."""

from typing import TYPE_CHECKING

from deepwright.core.schema import Problem

if TYPE_CHECKING:
    from torch import nn


def answering(module: "nn.Module", problem: Problem, mean: float = 0.0, sd: float = 1.0) -> "nn.Module":
    """The network with its answer: `probability` [B, K] (of labels [B, L]), or `value` [B] = output * sd + mean. This
    is what is exported; its method `answer(output)` is the last step alone.

    mean, sd: the target's mean and standard deviation in the training part; used for regression only.

    >>> import torch
    >>> answering(torch.nn.Identity(), "regression", mean=40.0, sd=10.0)(torch.tensor([[0.5], [-1.0]])).tolist()
    [45.0, 30.0]
    """
    from deepwright.model.layers import LabelAnswer, ProbabilityAnswer, ValueAnswer

    if problem == "multi-label":
        return LabelAnswer(module)
    return ProbabilityAnswer(module) if problem == "classification" else ValueAnswer(module, mean, sd)
