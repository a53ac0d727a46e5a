"""Where the weights of linear layers and convolutions begin: by a rule, or by the training rows; imports torch."""

from collections.abc import Callable, Sequence

import torch
from torch import nn

RULES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "kaiming_normal": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
    "kaiming_uniform": lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="relu"),
    "xavier_normal": nn.init.xavier_normal_,
    "xavier_uniform": nn.init.xavier_uniform_,
    "lecun_normal": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="linear"),
    "lecun_uniform": lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="linear"),
    "orthogonal": nn.init.orthogonal_,
    "truncated_normal": lambda weight: nn.init.trunc_normal_(weight, std=0.02),
}
WEIGHTED = (nn.Linear, nn.Conv2d)
DATA_ROWS = 1024


def initialise(module: nn.Module, rule: str) -> None:
    """Draw the weights of every linear layer and convolution by a rule; biases begin at zero. `torch` and `data` keep
    torch's own.

    The rules that look at a layer's size count its inputs, so that forward passes neither grow nor fade.

    References: He et al. 2015, arXiv 1502.01852; Glorot and Bengio 2010; LeCun et al. 1998, Efficient BackProp; Saxe et
    al. 2014, arXiv 1312.6120 (orthogonal).
    """
    if rule in ("torch", "data"):
        return
    for layer in module.modules():
        if isinstance(layer, WEIGHTED):
            RULES[rule](layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def fit_scale(module: nn.Module, tensors: Sequence[torch.Tensor]) -> None:
    """Scale each linear layer and convolution, in the order of the pass, so that its outputs on training rows have
    sd 1, and mean 0 where it has a bias.

    tensors: the training part's; the first 1024 rows are used.

    Reference: Mishkin and Matas 2016, All you need is a good init, arXiv 1511.06422.
    """
    rows = [tensor[:DATA_ROWS] for tensor in tensors]

    def rescale(layer: nn.Linear | nn.Conv2d, _: object, output: torch.Tensor) -> torch.Tensor:
        sd, mean = output.std().clamp(min=1e-6), output.mean()
        layer.weight.div_(sd)
        if layer.bias is None:
            return output / sd
        layer.bias.copy_((layer.bias - mean) / sd)
        return (output - mean) / sd

    was_training = module.training
    module.eval()
    handles = [layer.register_forward_hook(rescale) for layer in module.modules() if isinstance(layer, WEIGHTED)]
    with torch.no_grad():
        module(*rows)
    for handle in handles:
        handle.remove()
    module.train(was_training)
