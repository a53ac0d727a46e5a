"""The three-line start in Python: `deepwright.run(data, target=...)`."""

from pathlib import Path
from typing import Any

from deepwright import parts
from deepwright.core.errors import UsageError
from deepwright.core.families import Network, Source
from deepwright.core.recipe import Recipe, Train
from deepwright.core.recipe_file import load_recipe
from deepwright.core.run import Run
from deepwright.core.transfer import Transfer
from deepwright.data.detect import source_for
from deepwright.practice.origin import begun_with
from deepwright.practice.run import practise
from deepwright.practice.show import Show, quiet


def run(
    data: Any,
    *,
    target: str | None = None,
    weight: str | None = None,
    group: str | None = None,
    time: str | None = None,
    test: Any = None,
    recipe: Recipe | None = None,
    network: Network | str | None = None,
    train: Train | None = None,
    transfer: Transfer | str | Path | None = None,
    seed: int | None = None,
    plugin: str | Path | None = None,
    runs: str | Path = "runs",
    name: str | None = None,
    final: bool = False,
    reason: str | None = None,
    budget_s: float | None = None,
    seeds: int = 1,
    show: Show = quiet,
) -> Run:
    """From raw rows to a judged bundle; the test part stays sealed unless `final`.

    data: what the command line takes (a table, a folder of images, ...), a recipe (.yaml), a polars or pandas frame, a
    mapping of columns [N], or (X [N, F], y [N]). weight, group, time: columns that say how much a row counts, which
    rows belong together, and when a row was known. test: your own test rows, in the same forms. transfer: a bundle, a
    run or a file of weights to begin with. recipe: all else; the other arguments change single options of it.
    budget_s: seconds of training at most.
    seeds: training seeds to learn with, to see their spread; the first one's bundle ships.

    Raises PracticeError kinds: UsageError and RecipeError, DataError, RuleError, ResourceError.
    """
    parts.load_installed()
    digest = parts.load_plugin(plugin) if plugin is not None else None
    is_file = isinstance(data, str | Path)
    if is_file and Path(data).suffix in (".yaml", ".yml"):
        recipe, is_file = load_recipe(Path(data)), False
        data = None
    changes: dict[str, Any] = {"network": network, "train": train, "seed": seed, "target": target}
    changes |= {"weight": weight, "group": group, "time": time}
    changes = {key: value for key, value in changes.items() if value is not None}
    if plugin is not None:
        changes |= {"plugin": str(plugin), "plugin_sha256": digest}
    test_file = str(test) if isinstance(test, str | Path) else None
    if recipe is None:
        found = source_for(str(data)) if is_file else {"kind": "table"}
        source = Source.parse(found if test_file is None else {**found, "test": test_file})
        if target is None and source.default_target is None:
            raise UsageError("api.no_target")
        recipe = Recipe(**_begun({"source": source, **changes}, transfer))
    else:
        if is_file:
            files = {"path": str(data)} | ({} if test_file is None else {"test": test_file})
            changes["source"] = recipe.source.replace(**files)
        recipe = recipe.replace(**changes, **({} if transfer is None else {"transfer": _weights(transfer)}))
    return practise(
        recipe,
        data=None if is_file else data,
        test=None if test_file is not None else test,
        runs=Path(runs),
        name=name,
        final=final,
        reason=reason,
        budget_s=budget_s,
        seeds=seeds,
        show=show,
    )


def _weights(transfer: Transfer | str | Path) -> Transfer:
    return transfer if isinstance(transfer, Transfer) else Transfer(path=str(transfer))


def _begun(options: dict[str, Any], transfer: Transfer | str | Path | None) -> dict[str, Any]:
    """A recipe's options with what the weights bring that it begins with."""
    if transfer is None:
        return options
    weights = _weights(transfer)
    return begun_with({**options, "transfer": weights.dump(defaults=False)}, weights.path)
