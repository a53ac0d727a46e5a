"""What every network must do."""

from typing import Any

import numpy as np

from deepwright.core.families import Network, Tensor

FORMS: dict[str, list[tuple[Tensor, ...]]] = {
    "mixed": [
        (Tensor("numbers", 3), Tensor("categories", 2, "int64", (4, 6))),
        (Tensor("numbers", 3),),
        (Tensor("categories", 2, "int64", (4, 6)),),
    ],
    "flat": [(Tensor("x", 5),)],
    "ordinal": [(Tensor("x", 5),)],
}


def tensors(inputs: tuple[Tensor, ...], size: int) -> list[Any]:
    import torch

    generator = torch.Generator().manual_seed(size)
    made = []
    for entry in inputs:
        if entry.dtype == "int64":
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
    numbers[:, 0] = 5.0
    numbers[:, 1] = np.where(np.arange(50) == 7, 3e38, 0.0)
    numbers[:, 2] = np.arange(50) % 2
    states = []
    for _ in range(2):
        torch.manual_seed(0)
        module = part.build(inputs, 3)
        part.adapt(module, prepared)
        states.append(module.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert all(bool(torch.isfinite(value).all()) for value in states[0].values()), "a weight or buffer is not finite"
    rows = tensors(inputs, 3)
    rows[0][0] = 1e6
    with torch.no_grad():
        assert bool(torch.isfinite(module.eval()(*rows)).all()), "an output is not finite"
