"""Views in a run: by how many views of an image a bundle answers, as asked or as is better on validation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core.families import Tensor
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, Severity, finding
from deepwright.core.schema import Problem
from deepwright.core.seal import Split
from deepwright.core.step import require_part
from deepwright.improve.views import Name, viewed, views_of
from deepwright.practice.target import target_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

CANDIDATES: tuple[Name, ...] = ("flip", "shift", "flip_shift")
SMALLEST = 1e-7
"""Probabilities below it count as this."""


@dataclass(frozen=True)
class Chosen:
    """module: what is exported in place of the answerer. answer: its answers on validation. facts: for the report."""

    module: "nn.Module"
    answer: np.ndarray
    facts: dict[str, Any] = field(default_factory=dict)


def choose_views(
    recipe: Recipe,
    answerer: "nn.Module",
    split: Split,
    inputs: tuple[Tensor, ...],
    answers: "Callable[[nn.Module], np.ndarray]",
    *,
    may_flip: bool,
) -> Chosen:
    """The answerer over the recipe's views; of `auto` those with the lowest loss on validation, if it is lower than
    that of one view by more than chance. answers: a module's on validation. may_flip: labels survive a mirror.

    Raises LeakError when the split's validation part is none.
    """
    require_part(split.validation, "validation", "predict.views")
    asked, one = recipe.predict.views, answers(answerer)
    shapes = [tensor.shape for tensor in inputs if tensor.shape is not None]
    if asked == "one" or (asked == "auto" and not shapes):
        return Chosen(answerer, one)
    height, width, _ = shapes[0]
    tried: list[Name] = [name for name in CANDIDATES if may_flip or "flip" not in name] if asked == "auto" else [asked]
    modules = {name: viewed(answerer, views_of(name, recipe.predict.shift), height, width) for name in tried}
    found = {name: answers(module) for name, module in modules.items()}
    problem, target, weight = split.validation.schema.problem, target_of(split.validation), split.validation.weight
    before = losses_of(problem, target, one)
    gains = {name: _gain(before - losses_of(problem, target, found[name]), weight, len(tried)) for name in tried}
    best = max(tried, key=lambda name: gains[name][0])
    gain, low, high = gains[best]
    views: Name = best if asked != "auto" or low > 0 else "one"
    facts = {
        "asked": asked, "views": views, "count": len(views_of(views, recipe.predict.shift)), "rows": len(target),
        "tried": tried, "loss": float(np.average(before, weights=weight)), "gain": gain, "low": low, "high": high,
    }  # fmt: skip
    return Chosen(answerer, one, facts) if views == "one" else Chosen(modules[views], found[views], facts)


def losses_of(problem: Problem, target: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """float64 [N]: minus the log of what the true class, or all labels, were given; the squared error of a value.

    >>> losses_of("classification", np.array([1]), np.array([[0.5, 0.5]])).round(3).tolist()
    [0.693]
    """
    if problem == "regression":
        return np.square(answer.astype(np.float64) - target)
    probability = np.clip(answer.astype(np.float64), SMALLEST, 1 - SMALLEST)
    if problem == "multi-label":
        return np.asarray(-np.where(target, np.log(probability), np.log1p(-probability)).sum(axis=1))
    return np.asarray(-np.log(probability[np.arange(len(target)), target]))


def views_findings(facts: Mapping[str, Any]) -> tuple[Finding, ...]:
    """By how many views answers are made, what that costs and what it gives. facts: of `Chosen`."""
    if not facts:
        return ()
    figures = {name: f"{facts[name]:.4f}" for name in ("loss", "gain", "low", "high")}
    values = {"rows": facts["rows"], "tried": ", ".join(facts["tried"]), **figures}
    if facts["views"] == "one":
        return (finding("views_one", "note", "network", **values),)
    severity: Severity = "warning" if facts["gain"] < 0 else "note"
    values["after"] = f"{facts['loss'] - facts['gain']:.4f}"
    return (finding("views", severity, "network", views=facts["views"], count=facts["count"], **values),)


def _gain(differences: np.ndarray, weight: np.ndarray | None, times: int) -> tuple[float, float, float]:
    """The weighted mean of paired differences, with an interval; `times` of them hold together at 95 %."""
    quantile = NormalDist().inv_cdf(1 - 0.025 / times)
    counts = np.ones(len(differences)) if weight is None else weight
    mean = float(np.average(differences, weights=counts))
    half = quantile * float(np.sqrt(np.square(counts * (differences - mean)).sum())) / float(counts.sum())
    return mean, mean - half, mean + half
