"""Beginning: a new network takes over the weights that its recipe names, and learns on from them as it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deepwright.core.errors import RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, finding
from deepwright.core.schema import Schema
from deepwright.model.images import ImageNetwork
from deepwright.model.stages import stages_of
from deepwright.practice.origin import origin_of

if TYPE_CHECKING:
    from torch import nn

HEADED = ("classification", "multi-label")
"""Problems whose head may be kept: its outputs have names."""


@dataclass(frozen=True)
class Begun:
    """rates: factors on the learning rate, and frozen: epochs for which a parameter stays as it is, by its name.
    facts: what the report says of it."""

    rates: Mapping[str, float] | None = None
    frozen: Mapping[str, int | None] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def begin(recipe: Recipe, module: "nn.Module", schema: Schema) -> Begun:
    """Put the weights that the recipe names into its new network; without any the network stays as it was drawn.

    The head stays as drawn unless the classes are the same. Raises DataError where the weights do not fit, RecipeError
    for more stages than there are.
    """
    transfer = recipe.transfer
    if transfer is None:
        return Begun()
    from deepwright.model.pretrained import take_over

    if not isinstance(recipe.network, ImageNetwork):
        raise RecipeError("transfer.network", network=recipe.network.kind)
    origin = origin_of(transfer)
    channels = len(module.pixels.mean)
    if channels != origin.shape[2]:
        raise RecipeError("transfer.channels", path=transfer.path, found=channels, due=origin.shape[2])
    is_same = schema.problem in HEADED and (origin.problem, origin.levels) == (schema.problem, schema.target.levels)
    taken = take_over(module, origin.tensors, recipe.network.kind, has_new_head=not is_same, where=transfer.path)
    stages = stages_of(recipe.network.kind, module)
    count = len(stages.trunk)
    if transfer.frozen(count) > count:
        raise RecipeError("transfer.too_many_stages", found=transfer.frozen(count) - 1, most=count - 1)
    epochs = transfer.frozen_epochs(count)
    rates = {name: rate for stage, rate in transfer.rates(count).items() for name in stages.trunk[stage]}
    rates |= dict.fromkeys(stages.head, transfer.rate) if is_same else {}
    facts = {
        "path": transfer.path,
        "digest": origin.digest,
        "library": origin.library,
        "licence": transfer.licence or origin.licence,
        "network": origin.network.dump(defaults=False),
        "tensors": taken.count,
        "has_new_head": not is_same,
        "resized": taken.resized,
        "dropped": list(origin.dropped),
        "stages": count,
        "frozen": len(epochs),
        "mean": [round(float(each), 4) for each in module.pixels.mean],
        "sd": [round(float(each), 4) for each in module.pixels.sd],
    }
    frozen = {name: length for stage, length in epochs.items() for name in stages.trunk[stage]}
    return Begun({name: rate for name, rate in rates.items() if rate != 1.0} or None, frozen or None, facts)


def transfer_findings(recipe: Recipe, notes: Mapping[str, Any], *, has_scratch: bool) -> tuple[Finding, ...]:
    """Where the network's first weights are from, and how they learned on. notes: the network's own."""
    transfer, facts = recipe.transfer, notes.get("transfer")
    if transfer is None or not facts:
        return ()
    where = facts["path"]
    network = " ".join(f"{name} {value}" for name, value in facts["network"].items() if name != "kind")
    values = {"digest": facts["digest"][:12], "kind": facts["network"]["kind"], "network": network or "-"}
    values |= {"tensors": facts["tensors"], "licence": facts["licence"] or "-"}
    found = [finding("transfer_begun", "note", where, **values)]
    if facts["library"] is not None:
        shown = {name: ", ".join(map(str, facts[name])) for name in ("mean", "sd")}
        found.append(finding("transfer_file", "note", where, library=facts["library"], **shown))
    rule = "transfer_new_head" if facts["has_new_head"] else "transfer_same_head"
    found.append(finding(rule, "note", where, rate=f"{transfer.rate:g}", stage_rate=f"{transfer.stage_rate:g}"))
    if facts["resized"]:
        found.append(finding("transfer_places", "note", where))
    if facts["dropped"]:
        found.append(finding("transfer_dropped", "note", where, names=", ".join(facts["dropped"])))
    if facts["frozen"]:
        values = {"frozen": facts["frozen"], "of": facts["stages"]}
        if transfer.unfreeze_every is None:
            found.append(finding("transfer_frozen", "note", where, **values))
        else:
            found.append(finding("transfer_thawing", "note", where, every=transfer.unfreeze_every, **values))
    if transfer.compare and not has_scratch:
        found.append(finding("transfer_no_scratch", "warning", where))
    return tuple(found)
