"""The speed plan: which kernels and number formats a training's steps run on, and how a plan is put into force.

A plan is plain data. The same plan on the same machine gives the same bits, so it is chosen once (`probe.py`), told,
saved with each checkpoint and taken up again.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from deepwright.core.errors import RecipeError
from deepwright.train.events import Planned
from deepwright.train.state import load_optimizers, optimizer_tensors

if TYPE_CHECKING:
    import torch
    from torch import nn

Precision = Literal["highest", "high", "medium"]
_SWITCHES = ("channels_last", "bf16", "cheap_dropout", "one_thread", "keep_memory")


@dataclass(frozen=True, slots=True)
class SpeedPlan:
    """What a step runs on; the default is torch's own way, which is what `speed="exact"` means.

    precision: torch's setting for products of float32 numbers, which on a CPU chooses the kernel. channels_last: the
    weights of 2-d convolutions lie with their channels last. bf16: the module's passes in training use bfloat16 for
    products (autocast); weights, updates and judging stay float32. cheap_dropout: dropout draws other masks of the same
    distribution, on a CPU. one_thread: steps run on one CPU thread, whatever is allowed. keep_memory: freed memory
    stays in the process until the training ends, where the C library is glibc; no number changes by it.

    >>> str(SpeedPlan.parse({"precision": "medium", "bf16": True}))
    'medium + bf16 + keep_memory'
    """

    precision: Precision = "highest"
    channels_last: bool = False
    bf16: bool = False
    cheap_dropout: bool = False
    one_thread: bool = False
    keep_memory: bool = True

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> "SpeedPlan":
        """A plan from its record, as History.plan and the report hold it. Raises RecipeError for anything else."""
        plan = cls(**{each.name: given[each.name] for each in fields(cls) if each.name in given})
        is_known = set(given) <= {each.name for each in fields(cls)} and plan.precision in get_args(Precision)
        if not (is_known and all(isinstance(getattr(plan, name), bool) for name in _SWITCHES)):
            raise RecipeError("train.plan_unknown", found=dict(given))
        return plan

    @classmethod
    def of(cls, told: Planned) -> "SpeedPlan":
        """The plan that an event tells."""
        return cls(**{each.name: getattr(told, each.name) for each in fields(cls)})

    def record(self) -> dict[str, Any]:
        """This plan as a plain mapping."""
        return asdict(self)

    def __str__(self) -> str:
        """Its short form for a line of text, such as `medium + channels_last + keep_memory`."""
        return " + ".join([self.precision, *(name for name in _SWITCHES if getattr(self, name))])

    def autocast(self, device: "torch.device") -> AbstractContextManager[Any]:
        """What a training pass of the module stands in."""
        import torch

        return torch.autocast(device.type, torch.bfloat16) if self.bf16 else nullcontext()

    def masks(self) -> AbstractContextManager[Any]:
        """What a training pass of the module stands in, too."""
        if not self.cheap_dropout:
            return nullcontext()
        from deepwright.train.dropout import CheapMasks

        return CheapMasks()


@contextmanager
def in_force(plan: SpeedPlan, module: "nn.Module", optimizers: "list[torch.optim.Optimizer]") -> Iterator[None]:
    """Within it the plan holds for torch's products and the module's memory; then all is as before."""
    with products(plan.precision), threads(1 if plan.one_thread else None), laid_out(plan, module, optimizers):
        yield


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Within it torch has so many CPU threads, or its own for None; then it is as before."""
    import torch

    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def products(precision: Precision | None) -> Iterator[None]:
    """Within it torch's setting for float32 products is this one, or its own for None; then it is as before.

    A training holds it only while it works: one that is left behind must not decide how others multiply.
    """
    import torch

    before = torch.get_float32_matmul_precision()
    if precision is not None:
        torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def laid_out(plan: SpeedPlan, module: "nn.Module", optimizers: "list[torch.optim.Optimizer]") -> Iterator[None]:
    """Within it the module's weights lie in memory as the plan says, and the optimizers' state with them."""
    import torch

    if not plan.channels_last:
        yield
        return
    _lay(module, optimizers, torch.channels_last)
    try:
        yield
    finally:
        _lay(module, optimizers, torch.contiguous_format)


def _lay(module: "nn.Module", optimizers: "list[torch.optim.Optimizer]", order: "torch.memory_format") -> None:
    """Lay the weights out anew, and the optimizers' state with them: a fused step reads both in memory's order."""
    tensors, facts = optimizer_tensors(optimizers, copy=True)
    module.to(memory_format=order)
    load_optimizers(optimizers, tensors, facts)
