"""Loss and metrics of a part, in evaluation mode."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import deepwright.train.loss  # noqa: F401 - the kinds that a loss's name may mean
from deepwright.core.errors import RecipeError
from deepwright.core.families import Loss
from deepwright.train.batches import Rows, Stream, open_part
from deepwright.train.metrics import Metric, Metrics, metric_functions
from deepwright.train.objective import Objective, supervised

if TYPE_CHECKING:
    import torch
    from torch import nn

EVALUATION_BATCHES = 4
"""How many times the training batch an evaluation batch is: no gradients are kept."""


def judge(
    objective: Objective,
    part: Rows | Stream,
    *,
    batch_size: int,
    metrics: Mapping[str, Metric],
    answer: "Callable[[torch.Tensor], Any] | None",
    is_interrupted: Callable[[], bool] = lambda: False,
) -> dict[str, float] | None:
    """Loss (the mean over rows) and each metric; the caller has put the module into evaluation mode.

    Gives None when `is_interrupted` says so between two batches.
    """
    import torch

    loss_sum, num_rows = 0.0, 0
    answers: list[np.ndarray] = []
    targets: list[np.ndarray] = []
    with torch.no_grad():
        for batch in part.in_order(batch_size * EVALUATION_BATCHES):
            if is_interrupted():
                return None
            output, loss = objective.judge(batch.inputs, batch.target)
            rows = len(batch.target)
            loss_sum += loss.item() * rows
            num_rows += rows
            if metrics:
                answers.append(_array(output if answer is None else answer(output)))
                if isinstance(part, Stream):
                    targets.append(_array(batch.target))
    scores = {"loss": loss_sum / num_rows}
    if metrics:
        target = np.concatenate(targets) if isinstance(part, Stream) else part.target_array
        whole = np.concatenate(answers)
        scores |= {name: float(metric(target, whole)) for name, metric in metrics.items()}
    return scores


def evaluate(
    module: "nn.Module",
    data: Any,
    *,
    loss: "Loss | Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | str | None" = None,
    metrics: Metrics | None = None,
    answer: "Callable[[torch.Tensor], Any] | None" = None,
    batch_size: int = 256,
) -> dict[str, float]:
    """Loss and metrics of a trained module on rows, or on a loader, in evaluation mode; nothing is moved or drawn.

    data, loss, metrics, answer: as `fit` takes them, so `metrics=["accuracy", "f1"]` of scores [B, K] needs nothing
    more. Without a loss there is none among the scores.

    >>> import torch
    >>> x = torch.tensor([[1.0], [-1.0], [2.0]])
    >>> evaluate(torch.nn.Identity(), (x, torch.tensor([1.0, -1.0, 4.0])), loss="mse",
    ...          metrics={"largest error": lambda target, answer: abs(target - answer[:, 0]).max()})
    {'loss': 1.3333333730697632, 'largest error': 2.0}

    Raises DataError for data that are neither, RecipeError when there is nothing to judge by, and for a metric that
    takes other outputs.
    """
    import torch

    functions = metric_functions(metrics, is_answered=answer is not None)
    if loss is None and not functions:
        raise RecipeError("train.nothing_to_judge")
    first = next(module.parameters(), torch.zeros(()))
    dtype = first.dtype if first.is_floating_point() else torch.float32
    part = open_part("validation", data, device=first.device, dtype=dtype)
    lowered = built_loss(loss, first.device) if loss is not None else lambda output, target: output.new_zeros(())
    modes = [(layer, layer.training) for layer in module.modules()]
    module.eval()
    try:
        scores = judge(supervised(module, lowered), part, batch_size=batch_size, metrics=functions, answer=answer)
    finally:
        for layer, mode in modes:
            layer.training = mode
    assert scores is not None, "nothing interrupts it"
    return scores if loss is not None else {name: value for name, value in scores.items() if name != "loss"}


def built_loss(loss: Any, device: "torch.device") -> Any:
    """A part, or a kind's name, as its module on the device; anything else as it is."""
    part = Loss.parse(loss) if isinstance(loss, str) else loss
    return part.build().to(device) if isinstance(part, Loss) else part


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
