"""Metrics as a training takes them: parts, their names, or functions of one's own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from deepwright.core.errors import RecipeError
from deepwright.core.families import Metric as MetricPart

Metric = Callable[[np.ndarray, np.ndarray], float]
"""(target, answer) to a number."""
Metrics = Mapping[str, "Metric | MetricPart | str"] | Iterable["MetricPart | str"]


@dataclass(frozen=True)
class OfOutput:
    """A metric part on what a module gives: scores [B, K] become probabilities, a value [B, 1] becomes [B].

    A target [B, K] of zeros and ones has a score for each label, which becomes its probability.
    """

    part: MetricPart

    def __call__(self, target: np.ndarray, output: np.ndarray) -> float:
        """Raises RecipeError where target and output are not of the metric's problem."""
        problems = set(self.part.problems)
        if "multi-label" in problems and (target[:1].size > 1 or problems == {"multi-label"}):
            return self.part.value(self._labels(target, output), label_probabilities(output))
        if problems and problems <= {"classification", "multi-label"}:
            return self.part.value(self._classes(target, output), probabilities(output))
        if problems == {"regression"}:
            return self.part.value(*self._values(target, output))
        return self.part.value(target, output)

    @property
    def greater_is_better(self) -> bool:
        return self.part.greater_is_better

    def _classes(self, target: np.ndarray, output: np.ndarray) -> np.ndarray:
        if target.dtype.kind not in "iub" or target.ndim != 1 or output.ndim != 2 or output.shape[1] < 2:
            raise RecipeError("train.metric_of_classes", **self._found(target, output))
        return target.astype(np.int64)

    def _labels(self, target: np.ndarray, output: np.ndarray) -> np.ndarray:
        if target.ndim != 2 or target.shape != output.shape or not np.isin(target, (0, 1)).all():
            raise RecipeError("train.metric_of_labels", **self._found(target, output))
        return target > 0

    def _values(self, target: np.ndarray, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        is_single = output.size == len(output) and target.size == len(target)
        if target.dtype.kind != "f" or not is_single:
            raise RecipeError("train.metric_of_values", **self._found(target, output))
        return target.reshape(-1).astype(np.float64), output.reshape(-1).astype(np.float64)

    def _found(self, target: np.ndarray, output: np.ndarray) -> dict[str, object]:
        return {"name": self.part.name, "output": output.shape, "target": f"{target.dtype} {target.shape}"}


def metric_functions(metrics: Metrics | None, *, is_answered: bool) -> dict[str, Metric]:
    """Every metric as a function, by its name.

    is_answered: the caller turns outputs into what a metric part takes; else each part does that for itself.
    Raises RecipeError for an unknown name and for two metrics of one name.
    """
    if metrics is None:
        return {}
    given: list[tuple[str | None, object]]
    given = list(metrics.items()) if isinstance(metrics, Mapping) else [(None, each) for each in metrics]
    found: dict[str, Metric] = {}
    for name, each in given:
        part = MetricPart.parse(each) if isinstance(each, str) else each
        if name is None and not isinstance(part, MetricPart):
            raise RecipeError("train.metric_unnamed", found=type(part).__name__)
        name = name or part.name  # type: ignore[attr-defined]
        if name in found:
            raise RecipeError("train.metric_twice", name=name)
        if isinstance(part, MetricPart):
            found[name] = part.value if is_answered else OfOutput(part)
        elif callable(part):
            found[name] = part
        else:
            raise RecipeError("train.metric_unnamed", found=type(part).__name__)
    return found


def is_greater_better(metric: Metric | None) -> bool:
    """What a metric part says of itself; of all else, as of a loss, less is better."""
    part = getattr(metric, "__self__", metric)
    return isinstance(part, MetricPart | OfOutput) and part.greater_is_better


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Softmax of [B, K] as float64.

    >>> probabilities(np.array([[0.0, 0.0], [1000.0, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    shares = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def label_probabilities(scores: np.ndarray) -> np.ndarray:
    """The logistic function of each score [B, K] as float64.

    >>> label_probabilities(np.array([[0.0, 1000.0], [-1000.0, 0.0]])).tolist()
    [[0.5, 1.0], [0.0, 0.5]]
    """
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scores.astype(np.float64))))
