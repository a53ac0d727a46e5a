"""Views in a run: by how many views of an image a bundle answers, as asked or as is better on validation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwright.core.families import Tensor
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, Severity, finding
from deepwright.core.seal import Split
from deepwright.core.step import require_part
from deepwright.evaluation.classify import LogLoss
from deepwright.evaluation.differences import Pair, differences
from deepwright.evaluation.draws import Dependence
from deepwright.evaluation.regress import Mse
from deepwright.improve.views import Name, viewed, views_of
from deepwright.practice.target import target_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

CANDIDATES: tuple[Name, ...] = ("flip", "shift", "flip_shift")


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
    data = split.validation
    target, weight = target_of(data), data.weight
    metric = Mse() if data.schema.problem == "regression" else LogLoss()
    pairs = [Pair(metric, (one,), (found[name],)) for name in tried]
    dependence = Dependence.of(data.of_role("group"), data.of_role("time"))
    gains = dict(zip(tried, differences(target, pairs, weight=weight, dependence=dependence), strict=True))
    best = max(tried, key=lambda name: gains[name].value)
    views: Name = best if asked != "auto" or gains[best].better == "b" else "one"
    facts = {
        "asked": asked, "views": views, "count": len(views_of(views, recipe.predict.shift)), "rows": len(target),
        "tried": tried, "loss": metric.value(target, one, weight),
        "gain": gains[best].value, "low": gains[best].low, "high": gains[best].high,
    }  # fmt: skip
    return Chosen(answerer, one, facts) if views == "one" else Chosen(modules[views], found[views], facts)


def views_findings(facts: Mapping[str, Any]) -> tuple[Finding, ...]:
    """By how many views answers are made, what that costs and what it gives. facts: of `Chosen`."""
    if not facts:
        return ()
    figures = {name: "-" if facts[name] is None else f"{facts[name]:.4f}" for name in ("loss", "gain", "low", "high")}
    values = {"rows": facts["rows"], "tried": ", ".join(facts["tried"]), **figures}
    if facts["views"] == "one":
        return (finding("views_one", "note", "network", **values),)
    severity: Severity = "warning" if facts["gain"] < 0 else "note"
    values["after"] = f"{facts['loss'] - facts['gain']:.4f}"
    return (finding("views", severity, "network", views=facts["views"], count=facts["count"], **values),)
