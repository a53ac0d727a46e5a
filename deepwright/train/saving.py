"""A training's checkpoints: what they say of it, when one is due, and which of them it may be taken up from."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from deepwright.core.errors import RecipeError
from deepwright.train.checkpoint import Checkpoints, Loaded
from deepwright.train.events import Resumed, Saved
from deepwright.train.nonfinite import Watch
from deepwright.train.options import Options
from deepwright.train.rates import Rates
from deepwright.train.regularize import Regularize
from deepwright.train.state import State

if TYPE_CHECKING:
    import torch
    from torch import nn


class Saving:
    """Writes a training's state to its checkpoints and takes it up from them; without a folder it does nothing.

    identity: what makes this training the one whose checkpoints may be taken up. environment: what else its bits
    depend on, as it is now; a change is no hindrance, but it is told.
    """

    def __init__(
        self,
        checkpoints: Checkpoints | None,
        state: State,
        watch: Watch,
        *,
        identity: dict[str, Any],
        environment: Callable[[], dict[str, Any]],
    ) -> None:
        self.checkpoints = checkpoints
        self._state, self._watch = state, watch
        self._identity, self._environment = identity, environment

    def look(self) -> tuple[Loaded | None, tuple[str, ...]]:
        """The newest undamaged checkpoint, if there is one, and the names of damaged ones that were passed over.

        Raises RecipeError where it is another training's.
        """
        if self.checkpoints is None:
            return None, ()
        loaded, refused = self.checkpoints.load_latest()
        for name, value in loaded.facts["identity"].items() if loaded is not None else ():
            now = self._identity.get(name)
            if now != value:
                raise RecipeError(
                    "train.other_training", folder=self.checkpoints.folder, what=name, found=value, now=now
                )
        return loaded, refused

    def take_up(self, loaded: Loaded, refused: tuple[str, ...]) -> Resumed:
        """Put the state where the checkpoint left it."""
        self._state.load(loaded.tensors, loaded.facts)
        then, now = loaded.facts["environment"], self._environment()
        changes = tuple(f"{name}: {then.get(name)} > {now[name]}" for name in now if now[name] != then.get(name))
        event = Resumed(self._state.position.epoch, self._state.position.step, refused, changes)
        self._state.position.notes.append(event.record())
        return event

    def due(self, *, epoch_end: bool) -> Iterator[Saved]:
        """One checkpoint if it is time for one; training's end is."""
        is_end = self._state.position.stopped is not None
        if self.checkpoints is not None and (is_end or self.checkpoints.is_due(epoch_end=epoch_end)):
            event = self.save()
            if event is not None:
                yield event

    def save(self) -> Saved | None:
        """Write a checkpoint; a state with a NaN in it is never written, the next step will find it."""
        started = time.monotonic()
        if self.checkpoints is None or self._watch.fault() is not None:
            return None
        tensors, facts = self._state.dump()
        facts |= {"identity": self._identity, "environment": self._environment()}
        path, num_bytes, seconds = self.checkpoints.save(tensors, facts, started=started)
        self._state.position.spent["checkpoints"] += seconds
        return Saved(self._state.position.step, str(path), num_bytes, seconds)


def identity(
    module: "nn.Module",
    optimizers: "list[torch.optim.Optimizer]",
    options: Options,
    rates: Rates,
    regularize: Regularize | None,
    parts: dict[str, Any],
    augment: Any = None,
) -> dict[str, Any]:
    """What decides the bits of a training, as plain data; parts: its rows by the name of their part, None for none.

    augment: known by its `fingerprint`, else by its name.
    """
    name = getattr(augment, "__qualname__", type(augment).__qualname__)
    return {
        "seed": options.seed,
        "batch_size": options.batch_size,
        "epochs": options.epochs,
        "patience": options.patience,
        "watch": options.watch,
        **{name: part and part.fingerprint() for name, part in parts.items()},
        "weights": {name: list(value.shape) for name, value in module.state_dict().items()},
        "optimizers": [type(each).__name__ for each in optimizers],
        "rates": rates.base,
        "schedule": None if rates.schedule is None else rates.schedule.hash,
        "micro_batches": options.micro_batches,
        "lengths": options.lengths,
        "regularize": None if regularize is None else regularize.hash,
        "augment": None if augment is None else getattr(augment, "fingerprint", name),
    }
