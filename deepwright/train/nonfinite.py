"""Where a NaN or an infinity came from: the layer, and the rows of the batch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepwright.train.batch import Batch

if TYPE_CHECKING:
    import torch
    from torch import nn

MAX_ROWS = 8


@dataclass(frozen=True)
class Fault:
    """what: input, target, weight, output, loss or gradient. rows: the first training rows concerned, from 0."""

    phase: str
    what: str
    layer: str
    rows: tuple[int, ...]


class FiniteCheck:
    """Whether all gradients are finite, in one pass over them that costs about 10 us for a small network."""

    def __init__(self, device: "torch.device") -> None:
        import torch

        self._found = torch.zeros((), device=device)
        self._one = torch.ones((), device=device)

    def __call__(self, gradients: "list[torch.Tensor]") -> bool:
        import torch

        dense = [g.coalesce().values() if g.is_sparse else g for g in gradients]
        self._found.zero_()
        # What torch's GradScaler does before each step, here with a scale of 1.
        torch._amp_foreach_non_finite_check_and_unscale_(dense, self._found, self._one)
        return self._found.item() == 0.0


def all_finite(tensors: "Iterable[torch.Tensor]") -> bool:
    """Whether no float among these tensors is NaN or infinite."""
    import torch

    return all(bool(torch.isfinite(t).all()) for t in tensors if t.is_floating_point())


class Watch:
    """What a step leaves behind: an update can overflow although its gradient was finite.

    Looked at are weights, buffers such as a running variance, and what the optimizers remember. Buffers that were
    infinite to begin with (masks) are left alone.
    """

    def __init__(self, module: "nn.Module", optimizers: "list[torch.optim.Optimizer]", phase: str) -> None:
        self.module, self.optimizers, self.phase = module, optimizers, phase
        self._finite_at_start = {name for name, value in module.state_dict().items() if all_finite([value])}

    def fault(self) -> Fault | None:
        for name, value in self.module.state_dict().items():
            if name in self._finite_at_start and not all_finite([value]):
                return Fault(self.phase, "weight", name, ())
        names = {parameter: name for name, parameter in self.module.named_parameters()}
        for optimizer in self.optimizers:
            for parameter, remembered in optimizer.state.items():
                if not all_finite(value for value in remembered.values() if hasattr(value, "is_floating_point")):
                    return Fault(self.phase, "weight", names.get(parameter, "(optimizer)"), ())
        return None


def locate(
    module: "nn.Module", batch: Batch, phase: str, loss: "Callable[..., torch.Tensor]", reseed: Callable[[], None]
) -> Fault:
    """Do the step's forward and backward once more with eyes open, and name the first thing that is not finite.

    reseed: puts the generators where they were before the step.
    """
    import torch

    for place, tensor in enumerate(batch.inputs):
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            return Fault(phase, "input", f"input {place}", _rows(batch, tensor))
    if batch.target.is_floating_point() and not torch.isfinite(batch.target).all():
        return Fault(phase, "target", "target", _rows(batch, batch.target))
    for name, parameter in module.named_parameters():
        if not torch.isfinite(parameter).all():
            return Fault(phase, "weight", name, _rows(batch, None))
    with torch.enable_grad():
        return _locate_in_pass(module, batch, phase, loss, reseed)


def _locate_in_pass(
    module: "nn.Module", batch: Batch, phase: str, loss: "Callable[..., torch.Tensor]", reseed: Callable[[], None]
) -> Fault:
    import torch

    seen: list[tuple[str, torch.Tensor]] = []

    def watch(name: str) -> Callable[..., None]:
        def look(layer: Any, given: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and not seen and not torch.isfinite(output).all():
                seen.append((name, output.detach()))

        return look

    handles = [layer.register_forward_hook(watch(name or "(whole)")) for name, layer in module.named_modules()]
    try:
        reseed()
        value = loss(batch.inputs, batch.target)
    finally:
        for handle in handles:
            handle.remove()
    if seen:
        return Fault(phase, "output", seen[0][0], _rows(batch, seen[0][1]))
    if not torch.isfinite(value).all():
        return Fault(phase, "loss", "loss", _rows(batch, None))
    module.zero_grad(set_to_none=True)
    value.backward()
    # Gradients flow from the last layer to the first, so the last one named is the first concerned.
    for name, parameter in reversed(list(module.named_parameters())):
        if parameter.grad is not None and not torch.isfinite(parameter.grad).all():
            return Fault(phase, "gradient", name, _rows(batch, None))
    return Fault(phase, "gradient", "(not seen again)", _rows(batch, None))


def _rows(batch: Batch, tensor: "torch.Tensor | None") -> tuple[int, ...]:
    """The rows in which `tensor` [B, ...] is not finite, else the batch's first ones."""
    import torch

    size = len(batch.target)
    numbers = batch.rows if batch.rows is not None else torch.arange(size)
    if tensor is not None and tensor.ndim and len(tensor) == size:
        bad = ~torch.isfinite(tensor.reshape(size, -1)).all(dim=1)
        numbers = numbers[bad.cpu()]
    return tuple(numbers[:MAX_ROWS].tolist())
