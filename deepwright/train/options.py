"""The plain options of one training, checked together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from deepwright.core.errors import RecipeError
from deepwright.train.metrics import Metric
from deepwright.train.speed import SpeedPlan

BATCH_SIZE = 256


@dataclass(frozen=True)
class Options:
    """The plain options of one training; see `fit`."""

    epochs: int
    batch_size: int | None
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
            found = getattr(self, name)
            if found is not None and found < 1:
                raise RecipeError("train.below_one", name=name, found=found)
        if "loss" in self.metrics:
            raise RecipeError("train.metric_named_loss")
        if self.watch != "loss" and self.watch not in self.metrics:
            known = ", ".join(["loss", *self.metrics])
            raise RecipeError("train.watch_unknown", watch=self.watch, known=known)
        if not (isinstance(self.speed, SpeedPlan) or self.speed in ("exact", "auto")):
            raise RecipeError("train.speed_unknown", found=self.speed)

    def with_batch_size_of(self, own: int | None) -> "Options":
        """These options with the size of the batches that there will be. own: that of batches made elsewhere.

        Raises RecipeError where another one was asked for.
        """
        if own is not None and self.batch_size not in (None, own):
            raise RecipeError("train.batch_size_disagrees", found=self.batch_size, own=own)
        return replace(self, batch_size=own or self.batch_size or BATCH_SIZE)
