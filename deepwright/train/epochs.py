"""The end of an epoch: whether it is the best so far, and whether it is the last."""

import math

from deepwright.train.events import Scores
from deepwright.train.options import Options
from deepwright.train.state import Position


def close_epoch(position: Position, options: Options, validation: Scores, *, seconds: float, is_cut: bool) -> bool:
    """Count an epoch that is judged as done and decide whether training stops; gives whether it is the best so far.

    validation: its scores, empty without a validation part. is_cut: the budget ended it.
    """
    position.epoch += 1
    position.batch = 0
    position.loss_sum, position.loss_rows, position.epoch_s = 0.0, 0, 0.0
    position.seconds += seconds
    value = validation.get(options.watch, math.nan)
    is_best = is_better(value, position.best_value, greater_is_better=options.greater_is_better)
    if is_best:
        position.best_value, position.best_epoch, position.epochs_since_best = value, position.epoch, 0
    else:
        position.epochs_since_best += 1
    if is_cut:
        position.stopped = "budget"
    elif position.epoch >= options.epochs:
        position.stopped = "epochs"
    elif validation and options.patience is not None and position.epochs_since_best >= options.patience:
        position.stopped = "patience"
    return is_best


def is_better(value: float, best: float | None, *, greater_is_better: bool) -> bool:
    """Whether a watched value beats the best one; a NaN never does.

    >>> is_better(0.9, None, greater_is_better=False), is_better(0.9, 0.8, greater_is_better=False)
    (True, False)
    """
    if math.isnan(value):
        return False
    return best is None or (value > best if greater_is_better else value < best)


def watched(position: Position, options: Options, part: str) -> list[float | None]:
    """The watched value of each epoch so far on one part."""
    return [epoch[part].get(options.watch) for epoch in position.epochs]
