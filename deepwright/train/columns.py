"""Epochs as rows of a table: a head with the names of loss and metrics, then one line of fixed width per epoch."""

import unicodedata

from deepwright.core.text import text
from deepwright.train.events import Epoch

VALUE = 7
"""Cells for a number; most take six."""
GAP = "  "
MAX_SCORES = 57
"""Cells for all scores: what 80 leave beside epoch, mark and time left."""


def head(event: Epoch) -> str:
    """What stands over the epochs' columns: what the values are of, and the columns' names."""
    pairs = _pairs(event)
    cells = [_right(text("train.live.epoch"), _epoch_width(event)), " "]
    cells += [_right(name, _width(name, pairs[name])) for name in pairs]
    legend = text("train.live.legend") if event.validation else text("train.live.legend_train")
    return "\n".join([legend, GAP.join([*cells, text("train.live.left")])])


def row(event: Epoch, left: str) -> str:
    """One epoch's line; `*` marks the best so far. left: the time left, in words."""
    pairs = _pairs(event)
    cells = [_right(f"{event.epoch}/{event.num_epochs}", _epoch_width(event)), "*" if event.is_best else " "]
    cells += [_right(" / ".join(values), _width(name, values)) for name, values in pairs.items()]
    return GAP.join([*cells, left])


def short(value: float) -> str:
    """A number in six or seven cells.

    >>> short(0.61234), short(47.75), short(12345.6), short(1.234e7), short(4.1e-5), short(-3e20), short(-0.25)
    ('0.6123', '47.750', '12346', '1.2e+07', '4.1e-05', '-3e+20', '-0.250')
    """
    size = abs(value)
    if size and not 1e-3 <= size < 1e6:
        return f"{value:.{int(value > 0)}e}" if size < float("inf") else str(value)
    whole = len(str(int(size))) + (value < 0)
    return f"{value:.{max(0, 5 - whole)}f}"


def _pairs(event: Epoch) -> dict[str, list[str]]:
    """Loss and metrics, each on training and validation rows; where they would not fit into a line, on validation rows
    alone from the second on."""
    train = event.train or {"loss": event.running_loss}
    names = dict.fromkeys([*train, *event.validation])
    scores = {name: [part[name] for part in (train, event.validation) if name in part] for name in names}
    pairs = {name: [short(value) for value in values] for name, values in scores.items()}
    if sum(_width(name, values) + len(GAP) for name, values in pairs.items()) > MAX_SCORES:
        return {name: values if name == "loss" else values[-1:] for name, values in pairs.items()}
    return pairs


def _width(name: str, values: list[str]) -> int:
    """A column's cells: by its name and the number of its values, so that every epoch has the same."""
    return max(len(name), VALUE * len(values) + len(" / ") * (len(values) - 1))


def _epoch_width(event: Epoch) -> int:
    return max(_cells(text("train.live.epoch")), 2 * len(str(event.num_epochs)) + 1)


def _right(words: str, width: int) -> str:
    return " " * (width - _cells(words)) + words


def _cells(words: str) -> int:
    """The cells that words take on a terminal, where a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in words)
