"""What every layer of a network that is written as a list must do."""

from typing import Any

from deepwright.core.errors import RecipeError
from deepwright.model.layer import Layer

SHAPES = ((4, 8, 9), (12,))
"""A map of four channels, and a row of twelve numbers."""


def built(part: Layer, shape: tuple[int, ...]) -> Any:
    import torch

    torch.manual_seed(0)
    return part.build(shape, where="7", activation="relu")


def taken(part: Layer) -> list[tuple[int, ...]]:
    """The shapes that it takes; of the others it says so, with its number."""
    shapes = []
    for shape in SHAPES:
        try:
            built(part, shape)
            shapes.append(shape)
        except RecipeError as error:
            assert "layer 7" in str(error), f"the error does not name the layer: {error}"
    return shapes


def a_layer_takes_an_image_or_a_row(part: Layer) -> None:
    """And learns: every parameter gets a finite gradient, whatever the number of rows."""
    import torch

    shapes = taken(part)
    assert shapes, "it takes neither an image nor a row"
    for shape in shapes:
        module = built(part, shape).train()
        output = module(torch.randn(5, *shape))
        assert output.shape[0] == 5 and output.ndim in (2, 4), tuple(output.shape)
        (output * torch.randn(output.shape)).sum().backward() if output.requires_grad else None
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None, f"{name} gets no gradient"
            assert bool(torch.isfinite(parameter.grad).all()), f"the gradient of {name} is not finite"


def a_layer_answers_each_row_by_itself(part: Layer) -> None:
    import torch

    for shape in taken(part):
        module = built(part, shape).eval()
        rows = torch.randn(5, *shape)
        with torch.no_grad():
            alone = torch.cat([module(row[None]) for row in rows])
            assert torch.allclose(module(rows), alone, atol=1e-5), "a row's answer depends on the rows beside it"
