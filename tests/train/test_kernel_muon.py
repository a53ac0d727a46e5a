"""Muon for convolutions: torch's rule on the same numbers as a matrix, whatever their order in memory."""

import numpy as np
import pytest
import torch
from torch import nn

from deepwright.train.kernel_muon import KernelMuon, orthogonal


def walk(optimizer: torch.optim.Optimizer, weight: nn.Parameter, steps: int = 20) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    for _ in range(steps):
        weight.grad = torch.randn(weight.shape, generator=draw)
        optimizer.step()
    return weight.detach()


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (64, 2, 3, 3), (6, 5, 4)], ids=["wide", "tall", "one dimension"])
def test_a_kernel_is_stepped_as_torch_steps_the_matrix_of_its_numbers(shape: tuple[int, ...]):
    start = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    kernel, matrix = nn.Parameter(start.clone()), nn.Parameter(start.flatten(1).clone())
    ours = walk(KernelMuon([kernel], lr=0.02, momentum=0.9, weight_decay=0.1), kernel)
    draw = torch.Generator().manual_seed(1)
    theirs = torch.optim.Muon([matrix], lr=0.02, momentum=0.9, weight_decay=0.1)
    for _ in range(20):
        matrix.grad = torch.randn(shape, generator=draw).flatten(1)
        theirs.step()
    moved = (matrix.detach() - start.flatten(1)).abs().max()
    assert (ours.flatten(1) - matrix.detach()).abs().max() < 0.02 * moved  # torch iterates in bfloat16


def test_a_step_is_nearly_orthogonal_for_every_matrix_of_a_stack():
    matrices = (
        torch.randn(3, 8, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([1e-4, 1.0, 1e4])[:, None, None]
    )
    values = torch.linalg.svdvals(orthogonal(matrices))
    assert values.min() > 0.3 and values.max() < 1.5
    assert torch.linalg.svdvals(matrices)[1].max() > 3


def test_kernels_of_one_shape_do_not_see_each_other():
    torch.manual_seed(0)
    kernels = [nn.Parameter(torch.randn(4, 3, 3, 3)) for _ in range(2)]
    alone = [nn.Parameter(k.detach().clone()) for k in kernels]
    gradients = [torch.randn(4, 3, 3, 3) for _ in range(2)]
    for weight, gradient in zip([*kernels, *alone], gradients * 2, strict=True):
        weight.grad = gradient
    options = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.0}
    KernelMuon(kernels, **options).step()
    for weight in alone:
        KernelMuon([weight], **options).step()
    for together, by_itself in zip(kernels, alone, strict=True):
        np.testing.assert_allclose(together.detach(), by_itself.detach(), atol=1e-6)


def test_the_order_in_memory_does_not_matter():
    start = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    found = []
    for order in (torch.contiguous_format, torch.channels_last):
        weight = nn.Parameter(start.clone(memory_format=order))
        found.append(walk(KernelMuon([weight], lr=0.1, momentum=0.9, weight_decay=0.0), weight))
    assert torch.equal(found[0], found[1])


def test_a_kernel_without_a_gradient_stays():
    kernel = nn.Parameter(torch.ones(2, 2, 1, 1))
    KernelMuon([kernel], lr=1.0, momentum=0.9, weight_decay=0.5).step()
    assert torch.equal(kernel.detach(), torch.ones(2, 2, 1, 1))
