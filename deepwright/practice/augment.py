"""Augmentation in a run: which changes training images get, after the training part was asked if labels survive."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepwright.core.families import Augment, Tensor
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, finding
from deepwright.core.run import Run
from deepwright.core.seal import Split
from deepwright.core.text import text
from deepwright.improve.augment_image import Augmenter
from deepwright.improve.label_safety import survivals
from deepwright.practice.show import Show
from deepwright.practice.target import target_of

SURVIVALS = "labels survive"
"""The ledger's entry for what the training part said, so that a run that goes on trains as it began."""


@dataclass(frozen=True)
class Augmented:
    """change: what the training loop does with each batch; None: nothing. facts: for the report, plain data."""

    change: Augmenter | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def may_flip(self) -> bool:
        """Whether labels survive a mirror, so far as training rows were asked."""
        return not any(
            each["change"]["kind"] == "flip" and each["outcome"] == "off" for each in self.facts.get("survivals", ())
        )


def augmented(
    run: Run,
    recipe: Recipe,
    split: Split,
    inputs: tuple[Tensor, ...],
    prepared: Mapping[str, np.ndarray],
    *,
    show: Show,
) -> Augmented:
    """The recipe's changes, without those that labels do not survive."""
    changes = recipe.augment.changes
    if not changes:
        return Augmented()
    (images,) = [prepared[tensor.name] for tensor in inputs if tensor.shape is not None]
    asked = [change for change in changes if change.is_checked] if recipe.augment.check else []
    entry = run.entry(SURVIVALS)
    if asked and entry is None:
        show.say(text("augment.asking", changes=kinds_of(asked)))
        found = survivals(split.train, images, target_of(split.train), asked)
        entry = run.commit(SURVIVALS, of=[{"change": c.dump(), **s.facts()} for c, s in zip(asked, found, strict=True)])
    told = [] if entry is None or not asked else entry["of"]
    off = [Augment.parse(each["change"]) for each in told if each["outcome"] == "off"]
    for each in told:
        if each["outcome"] == "off":
            show.say(text("augment.left_out", change=each["name"], **_percent(each, "lost")))
    used = [change for change in changes if change not in off]
    problem, levels = split.train.schema.problem, split.train.schema.target.levels
    change = Augmenter(used, levels=len(levels) if problem == "classification" else None) if used else None
    facts = {
        "used": [each.kind for each in used],
        "checked": recipe.augment.check,
        "of_classes": problem == "classification",
        "survivals": told,
    }
    return Augmented(change, facts)


def kinds_of(changes: Any) -> str:
    """The kinds of some changes, in a row."""
    return ", ".join(change.kind for change in changes)


def augment_findings(facts: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What was done with training images, and what was left out and why. facts: of `Augmented`."""
    if not facts:
        return ()
    found = []
    for each in facts["survivals"]:
        figures = _percent(each, "plain", "changed", "lost", "low", "high")
        figures["what"] = text("augment.right") if facts["of_classes"] else text("augment.explained")
        if each["outcome"] == "off":
            worst = ""
            if each["worst"] is not None:
                worst = text("augment.worst", level=each["worst"], **_percent(each, "worst_lost"))
            found.append(finding("augment_off", "warning", each["name"], rows=each["rows"], worst=worst, **figures))
        elif each["outcome"] == "few":
            found.append(finding("augment_few", "warning", each["name"], rows=each["rows"]))
        elif each["outcome"] == "unclear":
            found.append(finding("augment_unclear", "warning", each["name"], rows=each["rows"], **figures))
    if not facts["checked"]:
        found.append(finding("augment_unchecked", "warning", ", ".join(facts["used"])))
    if facts["used"]:
        kept = [each for each in facts["survivals"] if each["outcome"] == "kept"]
        told = "; ".join(text("augment.kept", change=each["name"], **_percent(each, "lost", "high")) for each in kept)
        found.append(finding("augment_used", "note", "network", changes=", ".join(facts["used"]), told=told or "-"))
    return tuple(found)


def _percent(each: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: f"{100 * each[name]:.1f}" for name in names}
