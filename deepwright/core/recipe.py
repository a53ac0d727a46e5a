"""Recipe: the whole practice as one immutable, hashable tree of parts."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import model_validator

from deepwright.core.augmentation import Augmentation, Predict
from deepwright.core.families import (
    Baseline,
    Decision,
    Intervals,
    Loss,
    Metric,
    Network,
    Optimizer,
    Schedule,
    Sets,
    Source,
    Splitter,
)
from deepwright.core.part import Part, option
from deepwright.core.prepare import Prepare
from deepwright.core.transfer import Transfer

STEPS, FEWEST_EPOCHS, MOST_EPOCHS = 8_000, 40, 200
"""How many epochs a training has whose recipe names none (docs/log.md, 2026-11-21, on five small regressions)."""


USUAL: Mapping[str, Mapping[str, Any]] = {
    "image": {
        "network": "resnet",
        "baselines": (
            "constant",
            {"kind": "linear", "max_iter": 100},
            {"kind": "nearest", "k": 5, "max_rows": 5000, "beyond": "sample"},
        ),
        "train": {"least_steps": 1000, "most_steps": 3000, "patience": 10, "speed": "auto"},
    }
}
"""What a recipe has where it names nothing else and its source holds no table: by what the source holds.

The steps are those of some ten minutes on two cores with small images (docs/log.md, 2026-11-21). The patience, a third
of the usual epochs, stops what has learned its few images by heart; where a cosine schedule still gained, a quarter of
the epochs at most passed without a better one. A step is long, so that the seconds of finding the faster kernels
pay."""

AUGMENTED = ("flip", "crop")
"""How images are changed where a recipe does not say (docs/log.md, 2026-11-21)."""
QUALITY_EPOCHS = {"fast": 0.25, "best": 3.0}
"""Times the epochs, and the patience, that a network recommends."""
BOUNDS = frozenset({"least_steps", "most_steps"})
QUALITY_SIDES = {"fast": 32, "best": 96}
"""Pixels of the shorter side of images, at most; `good` has the default of `prepare.images.most`."""
FAST_EPOCHS, BEST_PATIENCE = 10, 40
"""For networks that recommend no epochs."""


class Train(Part):
    """How the network learns."""

    epochs: int | None = option(
        None,
        "passes over the training part, at most; none: those of 8,000 steps, at least 40 and at most 200",
        low=1,
        high=100_000,
        search=(5, 200, "log"),
    )
    least_steps: int | None = option(
        None, "steps of a run at least: where its epochs have fewer, there are more; none: as many as they have", low=1
    )
    most_steps: int | None = option(
        None, "steps of a run at most: where its epochs have more, there are fewer; none: as many as they have", low=1
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
    device: Literal["cpu", "cuda"] = option("cpu", "where the network's steps run; cuda: an NVIDIA GPU")

    def passes(self, rows: int) -> tuple[int, int | None]:
        """Epochs at most, and the patience, for so many training rows.

        Where epochs are left open a small table, of few steps each, gets more of them, and as many times the patience;
        `least_steps` and `most_steps` bound the steps of those that are not left open.

        >>> Train(batch_size=128).passes(rows=700), Train(epochs=40).passes(rows=700)
        ((200, 40), (40, 8))
        >>> Train(epochs=30, batch_size=128, least_steps=1000).passes(rows=700)
        (180, 48)
        >>> Train(epochs=30, batch_size=128, most_steps=3000).passes(rows=48_000)
        (8, 8)
        """
        if self.epochs is not None:
            steps = -(-rows // self.batch_size)
            epochs = self.epochs if self.most_steps is None else min(self.epochs, max(1, self.most_steps // steps))
            times = min(-(-(self.least_steps or 0) // (steps * epochs)), MOST_EPOCHS) or 1
            return epochs * times, None if self.patience is None else self.patience * times
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
    labels: str | None = option(
        None, "what stands between several labels in a cell of the target, such as |; none: a cell is one class"
    )
    ignore: tuple[str, ...] = option((), "columns that no model may see")
    weight: str | None = option(None, "column that says how much each row counts (0 or more); never an input")
    group: str | None = option(None, "column that says which rows belong together, as of one patient; never an input")
    time: str | None = option(None, "column that says when each row was known; never an input")
    known_afterwards: tuple[str, ...] = option((), "columns known only after the moment of prediction; never an input")
    max_set_aside: float = option(0.01, "share of rows that may be set aside before the run stops", low=0, high=1)
    split: Splitter | None = option(
        None, "none: by time or groups where declared, stratified for small tables of classes or labels, else random"
    )
    prepare: Prepare = option(Prepare, "columns to tensors")
    quality: Literal["fast", "good", "best"] = option(
        "good", "one word for the epochs, the size and the views of images, where these are left open"
    )
    network: Network = option("tabm", "the network; of images resnet")
    transfer: Transfer | None = option(None, "weights that the network begins with (--from); none: random ones")
    baselines: tuple[Baseline, ...] = option(("constant", "linear", "boosting"), "what stands beside the network")
    blend: bool = option(True, "whether the weighted mean of network and boosting is a member too")
    augment: Augmentation = option(Augmentation, "how training images are changed at random")
    train: Train = option(Train, "how the network learns")
    metric: Metric | None = option(None, "what chooses; none: accuracy for classes, rmse for values")
    predict: Predict = option(Predict, "of how many views of an image the answers are averaged")
    temperature: bool = option(
        True, "whether probabilities are made as sure as they are right on validation, where that helps"
    )
    decision: Decision = option("most_probable", "which class the bundle answers, from the probabilities")
    intervals: Intervals | None = option("scaled", "what answered values have an interval by; none: they have none")
    sets: Sets | None = option(None, "what answers get a set of classes or labels by that may be true; none: none")
    calibration: float = option(
        0.3, "share of the validation rows held back for intervals and sets, which no choice sees", above=0, below=1
    )
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
    def _open_options_as_suits(cls, data: Any) -> Any:
        """What is left open is as the source, the network's kind and the quality recommend, so that the recipe shows
        it."""
        if not isinstance(data, dict):
            return data
        usual = dict(usual_for(data.get("source")))
        suited = usual.pop("train", {})
        data = {**usual, **data}
        network, quality = (data.get(name, cls.model_fields[name].default) for name in ("network", "quality"))
        suited = of_quality({**suited, **suited_to(network)}, quality)
        data = {**data, "train": _completed(data.get("train", {}), _without_steps(suited, data.get("train", {})))}
        if holds_of(data.get("source")) == "image":
            data["augment"] = _completed(data.get("augment", {}), {"changes": AUGMENTED})
            if quality == "best":
                data["predict"] = _completed(data.get("predict", {}), {"views": "auto"})
        if quality in QUALITY_SIDES:
            data["prepare"] = _completed(data.get("prepare", {}), {"images": {"most": QUALITY_SIDES[quality]}})
        return data


def holds_of(source: Any) -> str | None:
    """What a source holds that is no table. source: a part, its plain data, or its kind."""
    kind = source.get("kind") if isinstance(source, dict) else getattr(source, "kind", source)
    found = Source.kinds.get(kind) if isinstance(kind, str) else None
    inner = source.get("sources") if isinstance(source, dict) else getattr(source, "sources", None)
    held = [getattr(found, "holds", None), *map(holds_of, inner or ())]
    return next((each for each in held if each is not None), None)


def usual_for(source: Any) -> Mapping[str, Any]:
    """Options of a recipe that are usual for what its source holds, in plain data; none for a table."""
    return USUAL.get(holds_of(source) or "", {})


def of_quality(suited: Mapping[str, Any], quality: Any) -> Mapping[str, Any]:
    """What a network recommends, with the epochs and the patience of another quality than the usual."""
    factor = QUALITY_EPOCHS.get(quality)
    if factor is None:
        return suited
    epochs, patience = suited.get("epochs"), suited.get("patience", Train.model_fields["patience"].default)
    if epochs is None:
        return {**suited, "epochs": FAST_EPOCHS} if factor < 1 else {**suited, "patience": BEST_PATIENCE}
    for name in BOUNDS:
        if suited.get(name):
            suited = {**suited, name: round(suited[name] * factor)}
    longer = None if patience is None else max(1, round(patience * max(factor, 1)))
    return {**suited, "epochs": max(1, round(epochs * factor)), "patience": longer}


def _without_steps(suited: Mapping[str, Any], given: Any) -> Mapping[str, Any]:
    """Who names the epochs gets these and no more."""
    named = _named(given) if isinstance(given, Part) else given
    if isinstance(named, dict) and "epochs" in named and not BOUNDS & named.keys():
        return {name: value for name, value in suited.items() if name not in BOUNDS}
    return suited


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
