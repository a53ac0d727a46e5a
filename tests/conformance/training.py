"""What every loss, optimizer and schedule must do."""

import math
from typing import Any

from deepwright.core.families import Loss, Optimizer, Schedule


def a_loss_is_a_finite_scalar_with_a_gradient(part: Loss) -> None:
    import torch

    assert part.problems, "a loss names its problems"
    for problem in part.problems:
        for scale in (0.0, 1.0, 1e4):
            classes = problem == "classification"
            output = (
                torch.linspace(-1, 1, 21).reshape(7, 3) * scale
                if classes
                else torch.linspace(-1, 1, 7)[:, None] * scale
            )
            output = output.clone().requires_grad_()
            target = torch.tensor([0, 1, 2, 0, 1, 2, 0]) if classes else torch.linspace(3, 4, 7)[:, None]
            loss = part.build()(output, target)
            assert loss.shape == (), f"{tuple(loss.shape)} is no scalar"
            assert math.isfinite(loss.item()), f"{loss.item()} at outputs of size {scale}"
            loss.backward()
            assert output.grad is not None and bool(torch.isfinite(output.grad).all())


def a_loss_is_lower_at_the_truth(part: Loss) -> None:
    import torch

    for problem in part.problems:
        if problem == "classification":
            target = torch.tensor([0, 1, 2])
            right = torch.eye(3) * 4.0
        else:
            target = torch.tensor([[1.0], [2.0], [3.0]])
            right = target.clone()
        loss = part.build()
        assert loss(right, target).item() < loss(right.flip(0), target).item()


def a_loss_is_a_mean_and_no_sum(part: Loss) -> None:
    import torch

    for problem in part.problems:
        output = (
            torch.linspace(-1, 1, 12).reshape(4, 3) if problem == "classification" else torch.linspace(0, 1, 4)[:, None]
        )
        target = torch.tensor([0, 1, 2, 1]) if problem == "classification" else torch.linspace(1, 3, 4)[:, None]
        loss = part.build()
        once, twice = loss(output, target).item(), loss(torch.cat([output] * 2), torch.cat([target] * 2)).item()
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
