"""Choices that options of several networks take."""

from typing import Literal

Activation = Literal[
    "relu", "leaky_relu", "relu6", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "hardswish", "softplus",
    "softsign", "tanh", "sigmoid",
]  # fmt: skip
Initialisation = Literal[
    "torch", "kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform", "lecun_normal", "lecun_uniform",
    "orthogonal", "truncated_normal", "data",
]  # fmt: skip
ImageNormalisation = Literal["batch", "group", "layer", "none"]
