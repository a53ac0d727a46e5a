"""Recipe: the whole practice as one immutable, hashable tree of parts."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import model_validator

from deepwright.core.families import (
    Baseline,
    Decision,
    Loss,
    Metric,
    Network,
    Optimizer,
    Schedule,
    Source,
    Splitter,
)
from deepwright.core.part import Part, option
from deepwright.core.prepare import Prepare

STEPS, FEWEST_EPOCHS, MOST_EPOCHS = 8_000, 40, 200
"""How many epochs a training has whose recipe names none (docs/log.md, 2026-11-21, on five small regressions)."""


class Train(Part):
    """How the network learns."""

    epochs: int | None = option(
        None,
        "passes over the training part, at most; none: those of 8,000 steps, at least 40 and at most 200",
        low=1,
        high=100_000,
        search=(5, 200, "log"),
    )
    batch_size: int = option(256, "rows per step", low=1, high=1_048_576, search=(32, 4096, "log"))
    optimizer: Optimizer = option("adamw", "how weights move")
    schedule: Schedule = option("cosine", "the learning rate over the run")
    loss: Loss | None = option(None, "what training lowers; none: cross_entropy for classes, mse for values")
    class_weights: tuple[str, ...] = option(
        (), "balanced: every class counts alike; or LEVEL=WEIGHT for some classes (others 1); empty: every row counts 1"
    )
    patience: int | None = option(
        8, "epochs without a better validation value before stopping, more where epochs are; none: never", low=1
    )
    watch: Metric | None = option(
        None, "the validation value that decides on stopping and the best epoch; none: log_loss for classes, or metric"
    )
    clip_norm: float | None = option(None, "bound on the norm of all gradients together; none: no bound", above=0)
    l1: float = option(0.0, "penalty on the size of matrix weights: this times their sum is added to the loss", low=0)
    noise: float = option(0.0, "sd of the normal noise added to number inputs in a training step", low=0)
    ema: float | None = option(
        None,
        "memory of the weights averaged over steps, which then are judged and kept; none: no average",
        above=0,
        below=1,
        search=(0.9, 0.9999, "log"),
    )
    swa: float | None = option(
        None,
        "share of the run after which the weights at each epoch's end are averaged, judged and kept; none: no average",
        low=0,
        below=1,
    )
    micro_batches: int = option(
        1, "pieces a batch goes through in, for less memory; the gradients are the whole batch's", low=1, high=1_048_576
    )
    speed: Literal["exact", "auto"] = option(
        "exact", "exact: steps as torch does them; auto: what is measured to be faster here and passes its checks"
    )
    checkpoint_s: float = option(30.0, "seconds between checkpoints inside an epoch", unit="s", low=0, high=86_400)
    sample: int = option(4096, "training rows (a fixed sample) judged after each epoch", low=1, high=10_000_000)
    threads: int | None = option(None, "CPU threads; none: as many as a step can feed, at most 8", low=1, high=1024)

    def passes(self, rows: int) -> tuple[int, int | None]:
        """Epochs at most, and the patience, for so many training rows.

        Where epochs are left open a small table, of few steps each, gets more of them, and as many times the patience.

        >>> Train(batch_size=128).passes(rows=700), Train(epochs=40).passes(rows=700)
        ((200, 40), (40, 8))
        """
        if self.epochs is not None:
            return self.epochs, self.patience
        epochs = min(max(STEPS // -(-rows // self.batch_size), FEWEST_EPOCHS), MOST_EPOCHS)
        return epochs, None if self.patience is None else self.patience * epochs // FEWEST_EPOCHS


class Allowance(Part):
    """An explicit exemption from a rule, printed on the report."""

    rule: str = option(help="the rule's name, as the error gave it")
    reason: str = option(help="why it is right here")


class Recipe(Part):
    """Everything that decides a run. Equal recipes on equal data give equal bits."""

    source: Source = option(help="where raw rows come from")
    target: str | None = option(None, "the column to predict; none: the one that the source has, as images have label")
    problem: Literal["classification", "regression"] | None = option(None, "none: as the target column shows")
    ignore: tuple[str, ...] = option((), "columns that no model may see")
    weight: str | None = option(None, "column that says how much each row counts (0 or more); never an input")
    group: str | None = option(None, "column that says which rows belong together, as of one patient; never an input")
    time: str | None = option(None, "column that says when each row was known; never an input")
    known_afterwards: tuple[str, ...] = option((), "columns known only after the moment of prediction; never an input")
    max_set_aside: float = option(0.01, "share of rows that may be set aside before the run stops", low=0, high=1)
    split: Splitter | None = option(
        None, "none: by time or groups where declared, stratified for small tables of classes, else random"
    )
    prepare: Prepare = option(Prepare, "columns to tensors")
    network: Network = option("tabm", "the network")
    baselines: tuple[Baseline, ...] = option(("constant", "linear", "boosting"), "what stands beside the network")
    blend: bool = option(True, "whether the weighted mean of network and boosting is a member too")
    train: Train = option(Train, "how the network learns")
    metric: Metric | None = option(None, "what chooses; none: accuracy for classes, rmse for values")
    decision: Decision = option("most_probable", "which of two classes the bundle answers, from their probabilities")
    metrics: tuple[Metric, ...] = option((), "further metrics to report; none: the usual ones of the problem")
    ship: Literal["best", "network"] = option(
        "best", "which member becomes the bundle: the best on validation, or the network"
    )
    seed: int = option(0, "decides every random draw of training", low=0, high=2**31 - 1)
    plugin: str | None = option(None, "a Python file with parts of your own (--with)")
    plugin_sha256: str | None = option(None, "its hash, filled in when it is loaded")
    allow: tuple[Allowance, ...] = option((), "exemptions from rules, each with a reason")

    @model_validator(mode="before")
    @classmethod
    def _train_as_suits_the_network(cls, data: Any) -> Any:
        """What is left open in `train` is as the network's kind recommends, so that the recipe shows it."""
        if not isinstance(data, dict):
            return data
        network = data.get("network", cls.model_fields["network"].default)
        return {**data, "train": _completed(data.get("train", {}), suited_to(network))}


def suited_to(network: Any) -> Mapping[str, Any]:
    """Options of `train` that a network recommends, in plain data. network: a part, its plain data, or its kind."""
    kind = network.get("kind") if isinstance(network, dict) else getattr(network, "kind", network)
    found = Network.kinds.get(kind) if isinstance(kind, str) else None
    return getattr(found, "suited", {})


def _completed(given: Any, suited: Mapping[str, Any]) -> Any:
    """A part's options as given, and those that suit where none is given; within parts of the same kind likewise."""
    named = {"kind": given} if isinstance(given, str) else _named(given) if isinstance(given, Part) else given
    if not isinstance(named, dict) or named.get("kind") != suited.get("kind"):
        return given
    inner = {k: _completed(named[k], v) for k, v in suited.items() if isinstance(v, dict) and k in named}
    return {**suited, **named, **inner}


def _named(part: Part) -> dict[str, Any]:
    """The options that were named when the part was made, and its kind."""
    named = {name: getattr(part, name) for name in part.model_fields_set}
    return {"kind": part.kind, **named} if part.kind else named
