"""A network on images that is written as a list of layers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator

from deepwright.core.part import option
from deepwright.core.text import text
from deepwright.model.custom_layers import chain
from deepwright.model.images import ImageNetwork, Shape
from deepwright.model.layer import Layer, parsed

if TYPE_CHECKING:
    from torch import nn


class Custom(ImageNetwork, kind="custom"):
    """A network of your own as a list of layers; a mean over the image and a last linear layer follow by themselves.

    Each layer is checked against the shape that reaches it. In a recipe's file:

        network:
          kind: custom
          layers:
            - {kind: conv, width: 32}
            - norm
            - activation
            - kind: residual
              layers: [{kind: conv, width: 32}, norm, activation, squeeze_excite]
            - pool
            - {kind: dense_connection, layers: [{kind: conv, width: 16}, activation]}

    >>> import torch
    >>> from deepwright.core.families import Tensor
    >>> net = Custom(layers=("norm", {"kind": "conv", "width": 8, "stride": 2}, "activation", "flatten"))
    >>> module = net.build((Tensor("image", 3, "uint8", shape=(8, 10, 3)),), num_outputs=2)
    >>> module.head
    Linear(in_features=160, out_features=2, bias=True)
    """

    has_free_size: ClassVar[bool] = False
    suited: ClassVar[Mapping[str, Any]] = {
        "optimizer": {"kind": "adamw", "lr": 2e-3, "weight_decay": 0.05},
        "schedule": {"kind": "cosine", "warmup": 0.1},
        "batch_size": 128,
        "epochs": 30,
        "ema": 0.998,
    }

    layers: tuple[Layer, ...] = option(help="the layers in order; a flag takes 'conv width=32; norm; activation; pool'")

    @field_validator("layers", mode="before")
    @classmethod
    def _layers_are_numbered(cls, layers: Any) -> Any:
        return parsed(layers, "network.layers")

    @field_validator("layers")
    @classmethod
    def _there_are_layers(cls, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
        if not layers:
            raise ValueError(text("model.no_layers"))
        return layers

    def layers_for(self, shape: Shape, num_outputs: int) -> "nn.Module":
        from torch import nn

        from deepwright.model.convolution import Summary
        from deepwright.model.pixels import Pixels

        height, width, channels = shape
        layers, after = chain(self.layers, (channels, height, width), where="", activation=self.activation)
        module = nn.Sequential()
        module.add_module("pixels", Pixels(channels))
        module.add_module("layers", layers)
        if len(after) == 3:
            module.add_module("summary", Summary("mean"))
        if self.dropout:
            module.add_module("dropout", nn.Dropout(self.dropout))
        module.add_module("head", nn.Linear(after[0], num_outputs))
        return module
