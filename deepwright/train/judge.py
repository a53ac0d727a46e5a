"""Loss and metrics of a part, in evaluation mode."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.train.batches import Rows, Stream
from deepwright.train.objective import Objective

if TYPE_CHECKING:
    import torch

Metric = Callable[[np.ndarray, np.ndarray], float]
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


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
