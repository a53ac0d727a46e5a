"""The stages of a network on images, from the input to the head: what is frozen, thawed and given a rate together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NUMBERED: Mapping[str, str] = {
    "resnet": r"layer(\d+)\.",
    "densenet": r"features\.denseblock(\d+)\.",
    "inception": r"inception(\d+)[a-z]\.",
    "convnext": r"stages\.(\d+)\.",
    "vit": r"blocks\.(\d+)\.",
}
"""What the weights of a stage's blocks are called. What stands before the first of them is the stem; what follows a
stage, such as the step to the next, belongs to it. Of other networks each layer with a matrix begins a stage."""


@dataclass(frozen=True)
class Stages:
    """Names of parameters. trunk: the stem and the groups of blocks, in order. head: the last linear layer."""

    trunk: tuple[tuple[str, ...], ...]
    head: tuple[str, ...]


def stages_of(kind: str, module: "nn.Module") -> Stages:
    """The stages of a network of this kind, as `ImageNetwork.build` gives it.

    >>> from deepwright.core.families import Tensor
    >>> from deepwright.model.resnet import ResNet
    >>> module = ResNet(depth=8).build((Tensor("image", 3, "uint8", shape=(32, 32, 3)),), num_outputs=2)
    >>> stages = stages_of("resnet", module)
    >>> [len(names) for names in stages.trunk], stages.trunk[0], stages.head
    ([3, 6, 9, 9], ('conv1.weight', 'bn1.weight', 'bn1.bias'), ('fc.weight', 'fc.bias'))
    """
    from torch import nn

    parameters = [name for name, _ in module.named_parameters()]
    last = [name for name, layer in module.named_modules() if isinstance(layer, nn.Linear)][-1]
    head = tuple(name for name in parameters if name.rpartition(".")[0] == last)
    names = [name for name in parameters if name not in head]
    pattern = NUMBERED.get(kind)
    if pattern is not None:
        return Stages(_by_number(names, pattern), head)
    matrices = {name: parameter.ndim > 1 for name, parameter in module.named_parameters()}
    groups: list[list[str]] = [[]]
    for name in names:
        if matrices[name] and any(matrices[other] for other in groups[-1]):
            groups.append([])
        groups[-1].append(name)
    return Stages(tuple(map(tuple, groups)), head)


def _by_number(names: Sequence[str], pattern: str) -> tuple[tuple[str, ...], ...]:
    groups: list[list[str]] = [[]]
    current = None
    for name in names:
        found = re.match(pattern, name)
        if found is not None and found[1] != current:
            current = found[1]
            groups.append([])
        groups[-1].append(name)
    return tuple(map(tuple, groups))
