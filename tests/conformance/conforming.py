"""What every kind of intervals and of sets must do."""

import numpy as np

from deepwright.core.conformal import Conformal, rows_needed
from deepwright.core.families import Intervals, Sets

NUM, ROWS, NEW = 400, 39, 50
MOST_OFF = 0.015
"""Of a mean over 400 draws whose standard deviation is about 0.05 to 0.06: five standard errors."""


def intervals_hold_new_values_as_often_as_they_say(part: Intervals) -> None:
    found = []
    for seed in range(NUM):
        draw = np.random.default_rng(seed)
        scale = np.exp(draw.normal(size=ROWS + NEW))
        target, value = scale * draw.normal(size=ROWS + NEW), 0.1 * draw.normal(size=ROWS + NEW)
        conformal = part.calibrate(target[:ROWS], value[:ROWS], scale[:ROWS])
        ends = conformal.interval(value[ROWS:], scale[ROWS:] if part.takes_scale else None)
        found.append(((ends[:, 0] <= target[ROWS:]) & (target[ROWS:] <= ends[:, 1])).mean())
    assert abs(np.mean(found) - _due(part.level)) <= MOST_OFF, f"{np.mean(found):.3f} at level {part.level}"


def sets_hold_new_classes_as_often_as_they_say(part: Sets) -> None:
    found = []
    for seed in range(NUM):
        target, true = classes_of(part, np.random.default_rng(seed), ROWS + NEW)
        sets = part.calibrate(target[:ROWS], true[:ROWS]).sets(true[ROWS:])
        if target.ndim == 2:
            found.append(1 - (target[ROWS:] & ~sets).any(axis=1).mean())
        else:
            found.append(sets[np.arange(NEW), target[ROWS:]].mean())
    assert abs(np.mean(found) - _due(part.level)) <= MOST_OFF, f"{np.mean(found):.3f} at level {part.level}"


def what_conforms_is_plain_data(part: Intervals | Sets) -> None:
    rows = rows_needed(part.level)
    draw = np.random.default_rng(0)
    if isinstance(part, Intervals):
        found = part.calibrate(draw.normal(size=rows), np.zeros(rows), np.ones(rows))
    else:
        found = part.calibrate(*classes_of(part, draw, rows))
    assert (found.rows, found.level, found.is_interval) == (rows, part.level, isinstance(part, Intervals))
    assert Conformal.model_validate_json(found.model_dump_json()) == found


def the_order_of_calibration_rows_does_not_matter(part: Intervals | Sets) -> None:
    draw = np.random.default_rng(1)
    order = draw.permutation(ROWS)
    if isinstance(part, Intervals):
        given = draw.normal(size=ROWS), draw.normal(size=ROWS), draw.uniform(1, 2, ROWS)
    else:
        given = classes_of(part, draw, ROWS)
    assert part.calibrate(*given) == part.calibrate(*(each[order] for each in given))


def classes_of(part: Sets, draw: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Class numbers [N], or labels [N, 6] where the part is for them, and their true probabilities [N, 6]."""
    if part.problems == ("multi-label",):
        true = draw.beta(0.5, 1.0, (rows, 6))
        return draw.random(true.shape) < true, true
    true = draw.dirichlet(np.full(6, 0.6), rows)
    return (draw.random(rows)[:, None] > true.cumsum(axis=1)[:, :-1]).sum(axis=1), true


def _due(level: float) -> float:
    """What n calibration rows come to: the next step of 1 / (n + 1) from the level on."""
    return float(np.ceil((ROWS + 1) * level - 1e-9) / (ROWS + 1))
