"""A user's own network: an nn.Module class and its arguments."""

import importlib
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator

from deepwright.core.errors import RecipeError, did_you_mean
from deepwright.core.families import Form, Network, Tensor
from deepwright.core.part import option
from deepwright.core.text import text

if TYPE_CHECKING:
    from torch import nn


class Module(Network, kind="module"):
    """Your own `nn.Module` by class and arguments, so that a run can be repeated from its recipe.

    The class takes x [B, F] float32 (scaled numbers, then one-hot categories) and gives [B, num_outputs].

    >>> own = Module(name="torch.nn:Linear", arguments=("in_features=inputs", "out_features=outputs"))
    >>> own.build((Tensor("x", 5),), num_outputs=3)
    Linear(in_features=5, out_features=3, bias=True)
    """

    form: ClassVar[Form] = "flat"

    name: str = option(help="'my_file:Net' (my_file.py given by --with) or 'package.module:Net'")
    arguments: tuple[str, ...] = option(
        (), "'key=value' for the class; the word inputs stands for the width of x, outputs for the number of outputs"
    )

    @field_validator("name")
    @classmethod
    def _name_has_two_parts(cls, name: str) -> str:
        place, colon, class_name = name.partition(":")
        if not (colon and class_name.isidentifier() and all(part.isidentifier() for part in place.split("."))):
            raise ValueError(text("model.module_name"))
        return name

    @field_validator("arguments")
    @classmethod
    def _arguments_have_keys(cls, arguments: tuple[str, ...]) -> tuple[str, ...]:
        keys = [argument.partition("=")[0].strip() for argument in arguments]
        for argument, key in zip(arguments, keys, strict=True):
            if "=" not in argument or not key.isidentifier():
                raise ValueError(text("model.module_argument", argument=argument))
            if keys.count(key) > 1:
                raise ValueError(text("model.module_argument_twice", key=key))
        return arguments

    def build(self, inputs: tuple[Tensor, ...], num_outputs: int) -> "nn.Module":
        """Raises RecipeError when the class is not found, refuses its arguments, or gives another shape."""
        width = sum(tensor.width for tensor in inputs)
        arguments = {}
        for argument in self.arguments:
            key, _, value = argument.partition("=")
            arguments[key.strip()] = {"inputs": width, "outputs": num_outputs}.get(value.strip(), scalar(value))
        try:
            module = self._find()(**arguments)
        except (TypeError, ValueError) as error:
            raise RecipeError("model.module_refused", name=self.name, given=_shown(arguments), why=error) from error
        return self._checked(module, width, num_outputs)

    def _find(self) -> "type[nn.Module]":
        from torch import nn

        place, _, class_name = self.name.partition(":")
        try:
            home = sys.modules.get(place) or importlib.import_module(place)
        except ImportError as error:
            raise RecipeError("model.module_not_imported", name=self.name, place=place, why=error) from error
        found = getattr(home, class_name, None)
        if not (isinstance(found, type) and issubclass(found, nn.Module)):
            known = sorted(n for n, v in vars(home).items() if isinstance(v, type) and issubclass(v, nn.Module))
            raise RecipeError(
                "model.module_no_class",
                name=self.name,
                known=", ".join(known[:20]) or "-",
                hint=did_you_mean(class_name, known),
            )
        return found

    def _checked(self, module: "nn.Module", width: int, num_outputs: int) -> "nn.Module":
        """The module after one pass of two zero rows, which also sizes lazy layers."""
        import torch

        module.eval()
        try:
            with torch.no_grad():
                output = module(torch.zeros(2, width))
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise RecipeError("model.module_fails", name=self.name, width=width, why=error) from error
        shape = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
        if shape != (2, num_outputs):
            raise RecipeError("model.module_shape", name=self.name, width=width, found=shape, outputs=num_outputs)
        return module.train()


def scalar(word: str) -> Any:
    """A YAML 1.2 scalar, or a flat list of them, as Python has it.

    >>> [scalar(word) for word in ("3", "1e-3", "true", "no", "null", "[64, 32]", "'3'")]
    [3, 0.001, True, 'no', None, [64, 32], '3']
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        value = YAML(typ="safe", pure=True).load(word)
    except YAMLError as error:
        raise RecipeError("model.module_value", value=word) from error
    items = value if isinstance(value, list) else [value]
    if not all(item is None or isinstance(item, bool | int | float | str) for item in items):
        raise RecipeError("model.module_value", value=word)
    return value


def _shown(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in arguments.items()) or "-"
