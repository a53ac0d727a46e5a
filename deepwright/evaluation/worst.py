"""Examples: the rows on which a member errs most, for the page alone; no report and no bundle ever holds them."""

import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deepwright.core.bundle import Answers
from deepwright.core.dataset import Dataset
from deepwright.core.schema import Feature
from deepwright.core.step import require_part
from deepwright.evaluation.classify import LogLoss

NUM_WORST = 10
NUM_PAIRS, PER_PAIR = 5, 3
NO_LABEL = "\N{EN DASH}"
"""Stands where a row has, or is answered, none of several labels."""
MOST_LETTERS = 240
"""Of a text in an example; the rest is cut off."""
MOST_PIXELS = 96
"""Of either side of an image in an example; a larger one is made smaller."""


@dataclass(frozen=True)
class Example:
    """One row. row: its number in the source, from 1. file: its file's name, where there are several. truth, said: the
    target and the answer in words. loss: -log of the true class's probability, of several labels their mean, or the
    absolute error. values: its inputs in words, None where missing. pictures: its images as the bundle sees them, PNG
    files."""

    row: int
    file: str | None
    truth: str
    said: str
    loss: float
    values: dict[str, str | None]
    pictures: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Examples:
    """worst: the largest losses first. confused: (true, answered, rows, the surest of them) of the most confused pairs
    of more than two classes. n: rows that were judged. has_classes: losses are of classes, not of values."""

    worst: tuple[Example, ...]
    confused: tuple[tuple[str, str, int, tuple[Example, ...]], ...]
    n: int
    has_classes: bool


def worst_examples(data: Dataset, target: np.ndarray, given: Answers, *, first: Sequence[str] = ()) -> Examples:
    """The worst rows of validation. target: as in `Metric.value`. first: inputs to show before the others.

    Raises LeakError for another part: rows of the test part are shown to nobody.
    """
    require_part(data, "validation", "examples")
    names = {feature.name: feature for feature in data.schema.inputs}
    order = [names[name] for name in dict.fromkeys([*first, *names]) if name in names]
    if given.probability is None:
        losses = np.abs(target - given.answer.astype(np.float64))
        by_loss = np.argsort(-losses, kind="stable")
        worst = _examples(data, target, given, losses, by_loss[losses[by_loss] > 0], order)
        return Examples(worst, (), len(data), has_classes=False)
    losses = LogLoss().losses(target, given.probability)
    by_loss = np.argsort(-losses, kind="stable")
    is_wrong = (given.decided != target).reshape(len(target), -1).any(axis=1)
    wrong = by_loss[is_wrong[by_loss]]
    has_pairs = len(given.levels) > 2 and not given.has_labels
    pairs = _confused(data, target, given, losses, wrong, order) if has_pairs else ()
    return Examples(_examples(data, target, given, losses, wrong, order), pairs, len(data), has_classes=True)


def _confused(
    data: Dataset, target: np.ndarray, given: Answers, losses: np.ndarray, wrong: np.ndarray, order: list[Feature]
) -> tuple[tuple[str, str, int, tuple[Example, ...]], ...]:
    pairs: dict[tuple[int, int], list[int]] = {}
    for row in wrong.tolist():
        pairs.setdefault((int(target[row]), int(given.decided[row])), []).append(row)
    most = sorted(pairs.items(), key=lambda pair: -len(pair[1]))[:NUM_PAIRS]
    return tuple(
        (
            given.levels[true],
            given.levels[said],
            len(rows),
            _examples(data, target, given, losses, np.array(rows[:PER_PAIR]), order),
        )
        for (true, said), rows in most
    )


def _examples(
    data: Dataset, target: np.ndarray, given: Answers, losses: np.ndarray, rows: np.ndarray, order: list[Feature]
) -> tuple[Example, ...]:
    found = []
    for row in rows[:NUM_WORST].tolist():
        file = None if data.file_of is None else data.files[data.file_of[row]]
        values = {feature.name: _words(feature, data.columns[feature.name][row]) for feature in order}
        truth, said = _truth_and_said(target, given, row)
        pictures = {name: picture(each.pixels[row]) for name, each in data.decoded.items()}
        found.append(Example(int(data.origin[row]), file, truth, said, float(losses[row]), values, pictures))
    return tuple(found)


def _truth_and_said(target: np.ndarray, given: Answers, row: int) -> tuple[str, str]:
    if given.probability is None:
        return f"{target[row]:.6g}", f"{given.answer[row]:.6g}"
    chances = given.probability[row]

    def named(places: Sequence[int]) -> str:
        return ", ".join(f"{given.levels[place]} ({chances[place]:.1%})" for place in places) or NO_LABEL

    if given.has_labels:
        return named(np.flatnonzero(target[row]).tolist()), named(np.flatnonzero(given.decided[row]).tolist())
    return named([int(target[row])]), named([int(given.decided[row])])


def _words(feature: Feature, value: object) -> str | None:
    if value is None or value != value:
        return None
    if isinstance(value, str):
        return value if len(value) <= MOST_LETTERS else value[:MOST_LETTERS] + " …"
    number = float(value)  # type: ignore[arg-type]
    if feature.type == "timestamp":
        return datetime.datetime.fromtimestamp(number, datetime.UTC).strftime("%Y-%m-%d %H:%M").removesuffix(" 00:00")
    return f"{number:.6g}"


def picture(pixels: np.ndarray) -> bytes:
    """uint8 [H, W, C] as a PNG file, drawn anew: nothing of the user's file but what it shows. One channel is grey."""
    from PIL import Image

    drawn = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels[..., :3]))
    drawn.thumbnail((MOST_PIXELS, MOST_PIXELS))
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return file.getvalue()
