"""Dropout with masks that cost a third of torch's; imports torch, so it is loaded only when a training uses it.

torch draws each decision apart, 4 to 6 ns a number on a CPU; here four decisions come from each 64 random bits, 1.5 ns.
"""

import math
import types
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_LEVELS = 2**16
"""A decision has 16 bits, so a rate is met to 1 in 131,072."""


class CheapMasks(TorchFunctionMode):
    """While this is entered, dropout and attention with dropout draw their masks cheaply, from the same generator.

    Modules stay as they are. Dropout inside a kernel, such as between the layers of an LSTM, stays torch's.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        kinds: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is functional.dropout:
            return _dropout(*args, **kwargs)
        if func is functional.multi_head_attention_forward:
            return _multi_head_attention(*args, **kwargs)
        if func is functional.scaled_dot_product_attention:
            return _attention(*args, **kwargs)
        return func(*args, **kwargs)


def mask(like: torch.Tensor, rate: float) -> torch.Tensor:
    """Zeros with probability `rate`, else a factor that keeps the mean, in the shape and type of `like`."""
    count, dropped = like.numel(), round(rate * _LEVELS)
    words = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    draws = words.view(torch.int16)[:count].view(like.shape)
    kept = torch.empty(like.shape, dtype=like.dtype)
    return torch.ge(draws, dropped - _LEVELS // 2, out=kept).mul_(_LEVELS / (_LEVELS - dropped))


def has_dropout(module: nn.Module) -> bool:
    """Whether a layer of the module drops something that cheap masks can drop."""
    return any(
        (isinstance(layer, nn.Dropout) and _is_ours(layer.p))
        or (isinstance(layer, nn.MultiheadAttention) and _is_ours(layer.dropout))
        for layer in module.modules()
    )


def _is_ours(rate: float) -> bool:
    return 0 < round(rate * _LEVELS) < _LEVELS


def _is_left(x: torch.Tensor) -> bool:
    """Whether torch is to drop here: on another device, and in layers whose pass is done again on the way back
    (`torch.utils.checkpoint`), which no mode can see: the masks of both passes have to be the same."""
    is_done_again = (
        torch._C._autograd._top_saved_tensors_default_hooks(False) is not None or not torch.is_grad_enabled()
    )
    return is_done_again or x.device.type != "cpu"


def _dropout(x: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
    if not (training and _is_ours(p) and x.is_floating_point()) or _is_left(x):
        return functional.dropout(x, p, training, inplace)
    return x.mul_(mask(x, p)) if inplace else x * mask(x, p)


def _attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **others: Any,
) -> torch.Tensor:
    """As torch's reference of it does, which a CPU runs where something is dropped."""
    if not _is_ours(dropout_p) or is_causal or others.get("enable_gqa") or _is_left(query):
        return functional.scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, **others)
    scale = others.get("scale")
    scores = (query * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)) @ key.transpose(-2, -1)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype is torch.bool else scores + attn_mask
    weights = torch.softmax(scores, dim=-1)
    return (weights * mask(weights, dropout_p)) @ value


def _multi_head_attention(*args: Any, **kwargs: Any) -> Any:
    """torch's own, with these dropouts in the place of its own: a mode does not see into a function that it was
    asked about."""
    theirs = functional.multi_head_attention_forward
    names = {
        **vars(functional), "dropout": _dropout, "scaled_dot_product_attention": _attention,
        "has_torch_function": lambda tensors: False,
    }  # fmt: skip
    ours = types.FunctionType(theirs.__code__, names, theirs.__name__, theirs.__defaults__, theirs.__closure__)
    ours.__kwdefaults__ = theirs.__kwdefaults__
    return ours(*args, **kwargs)
