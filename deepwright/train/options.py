"""The plain options of one training, checked together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deepwright.core.errors import RecipeError
from deepwright.train.judge import Metric
from deepwright.train.speed import SpeedPlan


@dataclass(frozen=True)
class Options:
    """The plain options of one training; see `fit`."""

    epochs: int
    batch_size: int
    seed: int
    patience: int | None
    metrics: Mapping[str, Metric]
    watch: str
    greater_is_better: bool
    answer: Callable[[Any], Any] | None
    sample: int
    budget_s: float | None
    threads: int | None
    speed: Literal["exact", "auto"] | SpeedPlan
    micro_batches: int
    lengths: str | None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "sample", "micro_batches"):
            if getattr(self, name) < 1:
                raise RecipeError("train.below_one", name=name, found=getattr(self, name))
        if "loss" in self.metrics:
            raise RecipeError("train.metric_named_loss")
        if self.watch != "loss" and self.watch not in self.metrics:
            known = ", ".join(["loss", *self.metrics])
            raise RecipeError("train.watch_unknown", watch=self.watch, known=known)
        if not (isinstance(self.speed, SpeedPlan) or self.speed in ("exact", "auto")):
            raise RecipeError("train.speed_unknown", found=self.speed)
