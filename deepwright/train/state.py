"""The whole state of a training, to tensors and plain facts and back."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from deepwright.train.batches import tensor_bytes

if TYPE_CHECKING:
    import torch
    from torch import nn


PHASES = ("data", "forward", "backward", "update", "judging", "checkpoints")


@dataclass
class Position:
    """Where a training stands; all of it is plain data. Epochs, batches and steps are counts of those done."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    """Sum over this epoch's batches of loss times rows, and their rows: what the running loss is made of."""
    loss_rows: int = 0
    epoch_s: float = 0.0
    seconds: float = 0.0
    epochs: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    best_value: float | None = None
    best_epoch: int | None = None
    epochs_since_best: int = 0
    attempts: int = 0
    lr_scale: float = 1.0
    stopped: str | None = None
    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    """Seconds of this training's work by phase, over all resumes; what consumers of the events take is in none."""
    micro_batch: int | None = None
    """Rows that go through the module at once, where a whole batch does not fit."""

    def facts(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Good:
    """The state at the start of an epoch, to go back to when a NaN is met."""

    module: "dict[str, torch.Tensor]"
    optimizer: "dict[str, torch.Tensor]"
    optimizer_facts: list[Any]
    position: dict[str, Any]
    average: "dict[str, torch.Tensor]"


class State:
    """Everything that a training changes: weights, optimizers, position, the best weights so far."""

    def __init__(self, module: "nn.Module", optimizers: "list[torch.optim.Optimizer]") -> None:
        self.module = module
        self.optimizers = optimizers
        self.position = Position()
        self.best: dict[str, torch.Tensor] = {}
        self.average: dict[str, torch.Tensor] = {}
        self.good = Good({}, {}, [], {}, {})
        self._places = list(_places(module))

    def keep_best(self) -> None:
        """Remember the weights that are judged: the averaged ones, or the module's own."""
        self.best = copied(self.average) or module_tensors(self.module, copy=True)

    def move_average(self, memory: float) -> None:
        """Move the averaged weights towards the module's: average = memory * average + (1 - memory) * weights."""
        import torch

        if not self.average:
            self.average = module_tensors(self.module, copy=True)
        averages, now = [], []
        with torch.no_grad():
            for name, owner, key in self._places:  # state_dict() would take longer than the averaging
                average, value = self.average[name], owner[key]
                if value.is_floating_point():
                    averages.append(average)
                    now.append(value)
                else:
                    average.copy_(value)
            torch._foreach_lerp_(averages, now, 1 - memory)

    @contextmanager
    def judged_weights(self) -> Iterator[None]:
        """Within it the module holds the averaged weights, if there are any."""
        if not self.average:
            yield
            return
        own = module_tensors(self.module, copy=True)
        self.module.load_state_dict(self.average)
        try:
            yield
        finally:
            self.module.load_state_dict(own)

    def keep_good(self) -> None:
        """Remember this moment, the start of an epoch."""
        optimizer, facts = optimizer_tensors(self.optimizers, copy=True)
        self.good = Good(
            module_tensors(self.module, copy=True), optimizer, facts, self.position.facts(), copied(self.average)
        )

    def go_back(self) -> None:
        """Back to the moment of `keep_good`; notes, attempts and time spent stay."""
        self.module.load_state_dict(self.good.module)
        load_optimizers(self.optimizers, self.good.optimizer, self.good.optimizer_facts)
        self.average = copied(self.good.average)
        for name in ("batch", "step", "loss_sum", "loss_rows", "epoch_s"):
            setattr(self.position, name, self.good.position[name])

    def dump(self) -> "tuple[dict[str, torch.Tensor], dict[str, Any]]":
        """Tensors by name, and everything else as plain facts."""
        optimizer, optimizer_facts = optimizer_tensors(self.optimizers)
        tensors = {
            **prefixed("module", module_tensors(self.module)),
            **prefixed("optimizer", optimizer),
            **prefixed("best", self.best),
            **prefixed("average", self.average),
        }
        facts: dict[str, Any] = {"position": self.position.facts(), "optimizer": optimizer_facts}
        if self.position.batch:  # at the start of an epoch the good state is the state itself
            tensors |= prefixed("good.module", self.good.module) | prefixed("good.optimizer", self.good.optimizer)
            tensors |= prefixed("good.average", self.good.average)
            facts["good"] = {"optimizer": self.good.optimizer_facts, "position": self.good.position}
        return tensors, facts

    def load(self, tensors: "dict[str, torch.Tensor]", facts: dict[str, Any]) -> None:
        """Put back what `dump` gave."""
        self.module.load_state_dict(unprefixed("module", tensors))
        load_optimizers(self.optimizers, unprefixed("optimizer", tensors), facts["optimizer"])
        self.best, self.average = unprefixed("best", tensors), unprefixed("average", tensors)
        vars(self.position).update(facts["position"])
        if "good" in facts:
            module, optimizer = unprefixed("good.module", tensors), unprefixed("good.optimizer", tensors)
            average = unprefixed("good.average", tensors)
            self.good = Good(module, optimizer, facts["good"]["optimizer"], facts["good"]["position"], average)


def _places(module: "nn.Module") -> Iterator[tuple[str, dict[str, Any], str]]:
    """Where each tensor of a module's state_dict is held: its name, the mapping that holds it, and its key there.

    A mapping, because a layer may put a new tensor in the place of a buffer.
    """
    for prefix, layer in module.named_modules(remove_duplicate=False):
        for held in (layer._parameters, layer._buffers):
            for key, value in held.items():
                if value is not None and key not in layer._non_persistent_buffers_set:
                    yield f"{prefix}.{key}" if prefix else key, held, key  # type: ignore[misc]


def copied(tensors: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    return {name: value.detach().clone() for name, value in tensors.items()}


def module_tensors(module: "nn.Module", *, copy: bool = False) -> "dict[str, torch.Tensor]":
    """A module's parameters and buffers by name, as they are or as a copy that stays."""
    tensors = {name: value.detach() for name, value in module.state_dict().items()}
    return copied(tensors) if copy else tensors


def optimizer_tensors(
    optimizers: "list[torch.optim.Optimizer]", *, copy: bool = False
) -> "tuple[dict[str, torch.Tensor], list[Any]]":
    """The optimizers' tensors under `number.parameter.name`, and everything else as plain facts."""
    import torch

    tensors: dict[str, torch.Tensor] = {}
    facts: list[Any] = []
    for number, optimizer in enumerate(optimizers):
        state = optimizer.state_dict()
        plain: dict[str, dict[str, Any]] = {}
        for parameter, entries in state["state"].items():
            plain[str(parameter)] = {}
            for name, value in entries.items():
                if isinstance(value, torch.Tensor):
                    tensors[f"{number}.{parameter}.{name}"] = value.detach().clone() if copy else value.detach()
                else:
                    plain[str(parameter)][name] = value
        groups = [{k: v for k, v in group.items() if _is_plain(v) and k != "params"} for group in state["param_groups"]]
        facts.append({"state": plain, "groups": groups})
    return tensors, facts


def load_optimizers(
    optimizers: "list[torch.optim.Optimizer]", tensors: "dict[str, torch.Tensor]", facts: list[Any]
) -> None:
    """Put back what `optimizer_tensors` gave."""
    import torch

    for number, (optimizer, fact) in enumerate(zip(optimizers, facts, strict=True)):
        state: dict[int, dict[str, Any]] = {int(p): dict(entries) for p, entries in fact["state"].items()}
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for key, value in tensors.items():
            owner, index, name = key.split(".", 2)
            if int(owner) == number:
                parameter = parameters[int(index)]
                # A fused step reads weight and state in the order they lie in memory, so both must lie alike.
                alike = torch.empty_like(parameter if value.shape == parameter.shape else value, dtype=value.dtype)
                state.setdefault(int(index), {})[name] = alike.copy_(value)
        groups = optimizer.state_dict()["param_groups"]
        for group, plain in zip(groups, fact["groups"], strict=True):
            group.update({k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()})
        optimizer.load_state_dict({"state": state, "param_groups": groups})


def digest(module: "nn.Module") -> str:
    """SHA-256 over every parameter and buffer in the order of their names, as 64 hex digits."""
    whole = hashlib.sha256()
    for name, value in sorted(module_tensors(module).items()):
        whole.update(f"{name}\0{value.dtype}\0{tuple(value.shape)}\0".encode())
        whole.update(tensor_bytes(value))
    return whole.hexdigest()


def prefixed(prefix: str, tensors: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    return {f"{prefix}/{name}": value for name, value in tensors.items()}


def unprefixed(prefix: str, tensors: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(f"{prefix}/")}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, bool | int | float | str)
