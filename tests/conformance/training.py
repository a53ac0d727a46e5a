"""What every loss, optimizer and schedule must do."""

import math
from typing import Any

from deepwright.core.families import Loss, Optimizer, Schedule

COMPARES_ROWS = ("contrastive",)
"""Losses of rows against one another: no mean over rows."""


def _situations(part: Loss) -> list[tuple[Any, Any, Any]]:
    """(the right output, a wrong one, the target) for every problem of the loss."""
    import torch

    labels, values = torch.tensor([0, 1, 2]), torch.tensor([[1.0], [2.0], [4.0]])
    of_problems = {
        "classification": (torch.eye(3) * 4.0, torch.eye(3).flip(0) * 4.0, labels),
        "regression": (values.clone(), values.flip(0), values),
        "multi-label": (8.0 * torch.eye(3) - 4.0, 4.0 - 8.0 * torch.eye(3), torch.eye(3)),
    }
    pairs = torch.tensor([0, 1, 0, 1])
    of_kinds = {
        "binary": (8.0 * values.gt(1) - 4.0, 4.0 - 8.0 * values.gt(1), values.gt(1).float()),
        "quantile": (values.expand(3, 3).clone(), values.flip(0).expand(3, 3).clone(), values),
        "poisson": (values.log(), values.log().flip(0), values),
        "contrastive": (torch.eye(2)[pairs], torch.eye(2)[pairs.sort().values], pairs),
    }
    if part.kind in of_kinds:
        return [of_kinds[part.kind]]
    assert part.problems, f"{part.kind} names no problems, and has no situation here"
    return [of_problems[problem] for problem in part.problems]


def a_loss_is_a_finite_scalar_with_a_gradient(part: Loss) -> None:
    import torch

    for right, wrong, target in _situations(part):
        far = (1e4 * wrong, 0.0 * wrong) if part.problems else ()
        for output in (right, wrong, *far):
            output = output.clone().requires_grad_()
            loss = part.build()(output, target)
            assert loss.shape == (), f"{tuple(loss.shape)} is no scalar"
            assert math.isfinite(loss.item()), f"{loss.item()} at {output}"
            loss.backward()
            assert output.grad is not None and bool(torch.isfinite(output.grad).all())


def a_loss_is_lower_at_the_truth(part: Loss) -> None:
    for right, wrong, target in _situations(part):
        loss = part.build()
        assert loss(right, target).item() < loss(wrong, target).item()


def a_loss_is_a_mean_and_no_sum(part: Loss) -> None:
    import torch

    if part.kind in COMPARES_ROWS:
        return
    for _, wrong, target in _situations(part):
        loss = part.build()
        once, twice = loss(wrong, target).item(), loss(torch.cat([wrong] * 2), torch.cat([target] * 2)).item()
        assert math.isclose(once, twice, rel_tol=1e-5), (once, twice)


def an_optimizer_lowers_a_quadratic(part: Optimizer) -> None:
    import torch

    for groups in (False, True):
        weights = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
        optimizer = part.build([{"params": [weights]}] if groups else [weights])
        start = weights.square().sum().item()
        for _ in range(100):
            optimizer.zero_grad()
            loss = weights.square().sum()
            loss.backward()
            optimizer.step()
        assert loss.item() < start - 1e-4, f"{start} to {loss.item()}"


def an_optimizers_state_can_be_kept(part: Optimizer) -> None:
    """Weights and state_dict taken over in the middle give the same steps."""
    import torch

    def steps(optimizer: Any, weights: Any, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            (weights - 1.0).pow(4).sum().backward()
            optimizer.step()

    whole = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    steps(part.build([whole]), whole, 6)
    first = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = part.build([first])
    steps(optimizer, first, 3)
    second = torch.nn.Parameter(first.detach().clone())
    resumed = part.build([second])
    resumed.load_state_dict(optimizer.state_dict())
    steps(resumed, second, 3)
    assert torch.equal(whole, second), (whole, second)


def a_schedule_starts_in_0_1_and_stays_finite(part: Schedule) -> None:
    for num_steps in (1, 2, 10, 1000):
        factors = [part.factor(step, num_steps) for step in range(num_steps)]
        assert 0.0 < factors[0] <= 1.0, f"starts at {factors[0]}"
        assert all(math.isfinite(f) and f >= 0.0 for f in factors), f"at {num_steps} steps"
        assert max(factors) > 0.0
