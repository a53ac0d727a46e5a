"""Label safety: whether images keep their labels when they are changed, asked of the training part before training.

A small classifier is fitted on one half of the training images and asked about the other half, plain and changed.
What jumps (a mirror image, a quarter turn) is judged by one that saw plain images alone: if mirror images are as good
as any, it cannot tell. What moves gradually (a crop, an angle) is judged by one that saw changed images too, for it
need not know them by itself; then what it gets wrong has lost its label, as a 6 that was turned to a 9.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.families import Augment
from deepwright.core.step import require_part
from deepwright.improve.patches import PatchClassifier

if TYPE_CHECKING:
    import torch

ROWS = 2000
"""Of each half that are used at most."""
LIMIT, CLASS_LIMIT = 0.15, 0.3
"""Share of what is right that may be lost, in all and within a class (docs/log.md, 2026-11-21, on five sets)."""
FEWEST = 10
"""Rows of a class, or of a half, that say something of it."""
SIDE, BLOCK = 64, 256
"""Pixels of the longer side at most: larger images are brought down to it first, so many at once."""
CONFIDENCE = 0.95


Outcome = Literal["kept", "off", "unclear", "few"]


@dataclass(frozen=True)
class Survival:
    """What of the labels survives a change.

    name: its kind and what of it was asked. outcome: off: more is lost than may be; kept: not so; unclear: the
    classifier knows too little to tell; few: there are not rows enough to ask. plain, changed: share of classes that it
    gets right, or of the variance that it explains. lost: 1 - changed / plain, with a 95 % interval; worst: the class
    that loses most, worst_lost its loss. rows: those asked.
    """

    name: str
    outcome: Outcome
    plain: float
    changed: float
    lost: float
    low: float
    high: float
    rows: int
    worst: str | None = None
    worst_lost: float | None = None

    def facts(self) -> dict[str, Any]:
        return asdict(self)


def survivals(
    train: Dataset, images: np.ndarray, target: np.ndarray, changes: Sequence[Augment], seed: int = 0
) -> list[Survival]:
    """One for each change. images: uint8 [N, H, W, C] of the training part; target: int64 [N] class numbers, bool
    [N, L] labels or float64 [N] values.

    Raises LeakError on any other part.
    """
    import torch

    require_part(train, "train", "augment")
    first, second = _halves(train, seed)
    rows = min(len(first), len(second))
    if rows < FEWEST:
        return [Survival(name_of(change), "few", 0.0, 0.0, 0.0, 0.0, 1.0, rows) for change in changes]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        question = _Question(images, target, first, second, seed)
        return [_worst([question.asked(each, train) for each in change.checked()]) for change in changes]


def name_of(change: Augment) -> str:
    """The kind and the options that differ from their default, but for the share of images.

    >>> from deepwright.improve.places import Flip
    >>> name_of(Flip(axis="vertical", share=1.0))
    'flip axis=vertical'
    """
    options = change.dump(defaults=False)
    return " ".join([change.kind, *(f"{k}={v}" for k, v in options.items() if k not in ("kind", "share"))])


class _Question:
    """The two halves, and the classifier that saw plain images alone."""

    def __init__(
        self, images: np.ndarray, target: np.ndarray, first: np.ndarray, second: np.ndarray, seed: int
    ) -> None:
        import torch

        self.seed = seed
        self.fitted, self.rest = (_small(images, rows) for rows in (first, second))
        self.is_class = target.dtype == np.int64
        if self.is_class:
            wanted, self.true = np.eye(int(target.max()) + 1)[target[first]], target[second]
        else:
            values = target.reshape(len(target), -1).astype(np.float64)
            mean, sd = values[first].mean(axis=0), values[first].std(axis=0) + 1e-12
            wanted, self.true = (values[first] - mean) / sd, (values[second] - mean) / sd
        self.wanted = torch.from_numpy(wanted.astype(np.float32))
        self.plain = PatchClassifier.fit(self.fitted, self.wanted, seed)
        self.base = np.bincount(self.true).max() / len(self.true) if self.is_class else 0.0

    def asked(self, change: Augment, train: Dataset) -> Survival:
        import torch

        classifier = self.plain
        if not change.jumps:
            both = torch.cat([self.fitted, change.change(self.fitted)])
            classifier = PatchClassifier.fit(both, torch.cat([self.wanted, self.wanted]), self.seed)
        plain, changed = (self._right(classifier.scores(each)) for each in (self.rest, change.change(self.rest)))
        lost, low, high = _lost(plain, changed, 1.0)
        know = float(plain.mean())
        knows_enough = know > 0 and (know - self.base) / know - (high - low) / 2 > LIMIT
        worst = self._worst_class(plain, changed, train.schema.target.levels) if self.is_class else None
        is_off = knows_enough and (low > LIMIT or (worst is not None and worst.low > CLASS_LIMIT))
        return Survival(
            name_of(change),
            "off" if is_off else "kept" if knows_enough else "unclear",
            know, float(changed.mean()), lost, low, high, len(plain),
            None if worst is None else worst.level,
            None if worst is None else worst.lost,
        )  # fmt: skip

    def _right(self, scores: "torch.Tensor") -> np.ndarray:
        """float64 [B], whose mean is the share that is right, or the share of variance that is explained."""
        found = scores.double().numpy()
        if self.is_class:
            return (found.argmax(axis=1) == self.true).astype(np.float64)
        variance = np.square(self.true - self.true.mean(axis=0)).mean()
        return np.asarray(1 - np.square(found - self.true).mean(axis=1) / max(variance, 1e-12))

    def _worst_class(self, plain: np.ndarray, changed: np.ndarray, levels: tuple[str, ...]) -> "_OfClass | None":
        """The class whose loss is the surest to be large; intervals hold for all classes together."""
        found = []
        for number, level in enumerate(levels):
            rows = self.true == number
            if rows.sum() >= FEWEST and plain[rows].any():
                lost, low, _ = _lost(plain[rows], changed[rows], len(levels))
                found.append(_OfClass(low, lost, level))
        return max(found, default=None)


@dataclass(frozen=True, order=True)
class _OfClass:
    """The loss of one class and the lower end of its interval."""

    low: float
    lost: float
    level: str


def _small(images: np.ndarray, rows: np.ndarray) -> "torch.Tensor":
    """uint8 [B, H, W, C] of these rows, with sides of at most 64 pixels."""
    import torch

    height, width = images.shape[1:3]
    scale = min(1.0, SIDE / max(height, width))
    size = [max(1, round(side * scale)) for side in (height, width)]
    found = []
    for low in range(0, len(rows), BLOCK):
        block = torch.from_numpy(np.array(images[rows[low : low + BLOCK]]))
        if scale < 1:
            values = torch.nn.functional.interpolate(block.permute(0, 3, 1, 2).float(), size=size, mode="area")
            block = values.round().to(torch.uint8).permute(0, 2, 3, 1)
        found.append(block)
    return torch.cat(found)


def _lost(plain: np.ndarray, changed: np.ndarray, times: float) -> tuple[float, float, float]:
    """1 - changed / plain, with its interval; times: intervals that are to hold together."""
    know = plain.mean()
    if know <= 0:
        return 0.0, 0.0, 1.0
    differences = (plain - changed) / know
    quantile = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2 / times)
    half = quantile * differences.std() / len(differences) ** 0.5
    return float(differences.mean()), float(differences.mean() - half), float(differences.mean() + half)


def _halves(train: Dataset, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of the two halves, at most 2,000 of each; a group stands in one of them."""
    group = train.of_role("group")
    units = np.arange(len(train)) if group is None else np.unique(group.astype(str), return_inverse=True)[1]
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(train))
    is_first = draw.permutation(units.max() + 1) < (units.max() + 1) / 2
    return np.sort(order[is_first[units[order]]][:ROWS]), np.sort(order[~is_first[units[order]]][:ROWS])


def _worst(found: list[Survival]) -> Survival:
    """Of the ways that a change has, the one that loses most."""
    return max(found, key=lambda each: (each.outcome == "off", each.lost))
