"""What every network must do."""

from typing import Any

import numpy as np

from deepwright.core.errors import RuleError
from deepwright.core.families import Network, Tensor
from deepwright.evaluation.last_layer import read_before_last_layer
from deepwright.model.answer import answering
from deepwright.model.export import export_network

FORMS: dict[str, list[tuple[Tensor, ...]]] = {
    "mixed": [
        (Tensor("numbers", 3), Tensor("categories", 2, "int64", (4, 6))),
        (Tensor("numbers", 3),),
        (Tensor("categories", 2, "int64", (4, 6)),),
    ],
    "flat": [(Tensor("x", 5),)],
    "ordinal": [(Tensor("x", 5),)],
    "image": [(Tensor("image", 3, "uint8", shape=(8, 11, 3)),), (Tensor("image", 1, "uint8", shape=(16, 16, 1)),)],
}
SMALLER: dict[str, dict[str, Any]] = {
    "resnet": {"depth": 8},
    "cnn": {"widths": (4, 8), "repeats": 1},
    "inception": {"width": 4, "blocks": (1, 1, 1)},
    "densenet": {"blocks": (2, 2)},
    "convnext": {"depths": (1, 1), "width": 8},
    "vit": {"dim": 16, "depth": 1, "heads": 2},
}
"""Options with which a network is exported here: an exporter takes time for each layer."""


def tensors(inputs: tuple[Tensor, ...], size: int) -> list[Any]:
    import torch

    generator = torch.Generator().manual_seed(size)
    made = []
    for entry in inputs:
        if entry.shape is not None:
            made.append(torch.randint(0, 256, (size, *entry.shape), generator=generator, dtype=torch.uint8))
        elif entry.dtype == "int64":
            columns = [torch.randint(0, codes, (size,), generator=generator) for codes in entry.num_codes]
            made.append(torch.stack(columns, dim=1))
        else:
            made.append(torch.randn(size, entry.width, generator=generator))
    return made


def a_network_gives_one_row_of_outputs_per_row(part: Network) -> None:
    import torch

    for inputs in FORMS[part.form]:
        for num_outputs in (1, 3):
            torch.manual_seed(0)
            module = part.build(inputs, num_outputs).eval()
            for size in (1, 7):
                with torch.no_grad():
                    output = module(*tensors(inputs, size))
                members = () if part.num_members == 1 else (part.num_members,)
                assert output.shape == (size, *members, num_outputs), f"{tuple(output.shape)} for {size} rows"
                assert output.dtype == torch.float32, output.dtype
                assert bool(torch.isfinite(output).all()), "an output is not finite"


def a_network_answers_each_row_by_itself(part: Network) -> None:
    """In evaluation, a row's answer does not depend on the rows beside it."""
    import torch

    inputs = FORMS[part.form][0]
    torch.manual_seed(0)
    module = part.build(inputs, 3).eval()
    rows = tensors(inputs, 7)
    with torch.no_grad():
        together = module(*rows)
        alone = torch.cat([module(*(tensor[i : i + 1] for tensor in rows)) for i in range(7)])
    assert torch.allclose(together, alone, atol=1e-5), float((together - alone).abs().max())


def a_network_starts_the_same_from_the_same_seed(part: Network) -> None:
    import torch

    inputs = FORMS[part.form][0]
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(part.build(inputs, 3).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def a_network_learns(part: Network) -> None:
    """Every parameter gets a finite gradient."""
    import torch

    inputs = FORMS[part.form][0]
    torch.manual_seed(0)
    module = part.build(inputs, 3).train()
    module(*tensors(inputs, 7)).square().mean().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, f"{name} gets no gradient"
        assert bool(torch.isfinite(parameter.grad).all()), f"the gradient of {name} is not finite"


def a_network_takes_any_training_rows_in(part: Network) -> None:
    """Columns without spread, with one far value, and of two values leave answers finite, far outside their range too;
    the same rows give the same start."""
    import torch

    inputs = FORMS[part.form][0]
    prepared = {entry.name: tensor.numpy() for entry, tensor in zip(inputs, tensors(inputs, 50), strict=True)}
    numbers = prepared[inputs[0].name]
    is_image = inputs[0].shape is not None
    features = numbers.reshape(-1, numbers.shape[-1])  # a channel of an image is a feature of its pixels
    rows_of_it = np.arange(len(features))
    features[:, 0] = 5
    features[:, 1] = np.where(rows_of_it == 7, 255 if is_image else 3e38, 0)
    features[:, 2] = rows_of_it % 2
    states = []
    for _ in range(2):
        torch.manual_seed(0)
        module = part.build(inputs, 3)
        part.adapt(module, prepared)
        states.append(module.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert all(bool(torch.isfinite(value).all()) for value in states[0].values()), "a weight or buffer is not finite"
    rows = tensors(inputs, 3)
    rows[0][0] = 255 if is_image else 1e6
    with torch.no_grad():
        assert bool(torch.isfinite(module.eval()(*rows)).all()), "an output is not finite"


def a_networks_graph_answers_as_torch_does(part: Network) -> None:
    """Also at numbers of rows that it was not traced at. Of our own networks it shows rows before the last layer, so
    that a report can draw their map."""
    import torch

    inputs = FORMS[part.form][0]
    torch.manual_seed(0)
    part = part.replace(**SMALLER.get(part.kind, {}))
    module = part.build(inputs, 3)
    part.adapt(module, {e.name: t.numpy() for e, t in zip(inputs, tensors(inputs, 20), strict=True)})
    as_trained(module)
    try:
        graph, _ = export_network(answering(module, "classification"), inputs, "classification")
    except RuleError as error:
        raise AssertionError(str(error)) from error
    if type(part).__module__.startswith("deepwright."):
        rows = {entry.name: tensor.numpy() for entry, tensor in zip(inputs, tensors(inputs, 7), strict=True)}
        found = read_before_last_layer(graph, [rows])
        assert found is not None and len(found) == 7, "no row can be seen before the last layer"
        assert np.ptp(found, axis=0).max() > 0, "all rows are alike before the last layer"


def as_trained(module: Any) -> None:
    """Normalisations with numbers of their own, so that a graph that left one out would differ."""
    import torch
    from torch import nn

    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.uniform_(-0.3, 0.3)
            layer.running_var.uniform_(0.5, 2.0)
        if isinstance(layer, nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm):
            with torch.no_grad():
                layer.weight.uniform_(0.5, 1.5)
