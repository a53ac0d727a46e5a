"""Layer: one entry of a network that is written as a list."""

from typing import TYPE_CHECKING, Any

from deepwright.core.errors import RecipeError
from deepwright.core.flags import convert
from deepwright.core.part import Part
from deepwright.core.text import text

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, ...]
"""What enters a layer, without the batch: a map (channels, height, width), or a row of (width,) numbers."""


class Layer(Part, family="layer"):
    """One layer of a network that is written as a list; a flag takes `conv width=32; norm; activation; pool`."""

    @classmethod
    def read_line(cls, line: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """`conv width=32 kernel=5` as plain data; layers that hold layers need a recipe's file.

        Raises RecipeError for what is no option of that layer.

        >>> Layer.read_line("conv width=32 kernel=5")
        ({'kind': 'conv', 'width': 32, 'kernel': 5}, [])
        """
        name, *words = line.split() or [""]
        if name not in cls.kinds:
            cls.parse(name)
        fields = cls.kinds[name].model_fields
        data: dict[str, Any] = {"kind": name}
        for word in words:
            option, sign, value = word.partition("=")
            if not sign or option not in fields:
                raise RecipeError("model.layer_line", line=line.strip(), found=word, allowed=" ".join(fields) or "-")
            try:
                data[option] = convert(value, fields[option].annotation)
            except ValueError:
                data[option] = value  # refused with the others' words when the part is made
        return data, []

    def build(self, shape: Shape, *, where: str, activation: str) -> "nn.Module":
        """The layer for inputs [B, *shape].

        where: its number in the list, for errors. activation: the network's. Raises RecipeError where shape and options
        do not fit, with the shape that was found and what is allowed.
        """
        raise NotImplementedError

    def map_in(self, shape: Shape, where: str) -> tuple[int, int, int]:
        """The shape, if it is a map. Raises RecipeError."""
        if len(shape) != 3:
            raise RecipeError("model.layer_takes_map", where=where, kind=self.kind, found=shown(shape))
        return shape  # type: ignore[return-value]


def parsed(layers: Any, where: str) -> Any:
    """Layers in plain data as parts, so that an error names the number of the one that it is in.

    where: what stands before the number, `network.layers` for the network's own.
    """
    if not isinstance(layers, list | tuple):
        return layers
    parts = []
    for number, layer in enumerate(layers, start=1):
        place = f"{where}.{number}"
        if isinstance(layer, dict) and "layers" in layer:
            layer = {**layer, "layers": parsed(layer["layers"], place)}
        try:
            parts.append(Layer.parse(layer) if isinstance(layer, str | dict) else layer)
        except RecipeError as error:
            told = str(error.values.get("where", Layer.family))
            raise RecipeError(error.key, **{**error.values, "where": place + told.removeprefix(Layer.family)}) from None
    return tuple(parts)


def shown(shape: Shape) -> str:
    """A shape in words.

    >>> shown((16, 8, 9)), shown((64,))
    ('16 channels of 8 x 9', '64 numbers')
    """
    if len(shape) == 1:
        return text("model.shape_row", width=shape[0])
    return text("model.shape_map", channels=shape[0], height=shape[1], width=shape[2])
