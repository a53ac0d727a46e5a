import copy

import pytest
import torch
from torch import nn

from deepwright.train.fused_adam import FusedAdam, FusedAdamW
from deepwright.train.optim import AdamW, groups_of


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3))


def groups(module):
    matrices = [p for p in module.parameters() if p.ndim > 1]
    vectors = [p for p in module.parameters() if p.ndim == 1]
    return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0, "lr": 0.02}]


def steps(module, optimizer, numbers, skipped=()):
    """Steps with gradients that only their number decides; in `skipped` ones the last bias has none."""
    for number in numbers:
        draw = torch.Generator().manual_seed(number)
        for parameter in module.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=draw)
        if number in skipped:
            module[-1].bias.grad = None
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in module.parameters()])


@pytest.mark.parametrize(("ours", "torchs"), [(FusedAdamW, torch.optim.AdamW), (FusedAdam, torch.optim.Adam)])
@pytest.mark.parametrize("skipped", [(), (0, 7, 8, 30)])
def test_a_hundred_steps_are_torchs_to_the_bit(ours, torchs, skipped):
    mine, theirs = network(), network()
    options = {"lr": 0.01, "weight_decay": 0.1}
    found = steps(mine, ours(groups(mine), **options), range(100), skipped)
    expected = steps(theirs, torchs(groups(theirs), fused=True, **options), range(100), skipped)
    assert torch.equal(found, expected)


def test_parameters_that_count_alike_share_one_counter():
    module = network()
    optimizer = AdamW().build(groups_of(module))
    steps(module, optimizer, range(3))
    counters = {id(state["step"]) for state in optimizer.state.values()}
    assert len(counters) == 1 and {s["step"].item() for s in optimizer.state.values()} == {3}


def test_it_goes_on_to_the_bit_from_its_saved_state_and_from_a_copy():
    module = network()
    optimizer = FusedAdamW(groups(module), lr=0.01)
    steps(module, optimizer, range(5))
    twin, other = copy.deepcopy(module), copy.deepcopy(module)
    loaded = FusedAdamW(groups(twin), lr=0.01)
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    back = torch.optim.AdamW(groups(other), lr=0.01, fused=True)
    back.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    expected = steps(module, optimizer, range(5, 10))
    assert torch.equal(steps(twin, loaded, range(5, 10)), expected)
    assert torch.equal(steps(other, back, range(5, 10)), expected)


def test_state_that_is_loaded_or_dropped_in_the_middle_is_not_overlooked():
    module, fresh = network(), network()
    optimizer = FusedAdamW(groups(module), lr=0.01)
    start = copy.deepcopy((module.state_dict(), optimizer.state_dict()))
    steps(module, optimizer, range(4))
    module.load_state_dict(start[0])
    optimizer.load_state_dict(start[1])
    expected = steps(fresh, FusedAdamW(groups(fresh), lr=0.01), range(4))
    assert torch.equal(steps(module, optimizer, range(4)), expected)
    module.load_state_dict(start[0])
    optimizer.state.clear()
    assert torch.equal(steps(module, optimizer, range(4)), expected)


def test_a_group_that_joins_late_counts_from_its_own_first_step():
    def run(kind, **options):
        module, late = network(), nn.Parameter(torch.ones(4))
        optimizer = kind(groups(module), lr=0.01, **options)
        steps(module, optimizer, range(3))
        optimizer.add_param_group({"params": [late]})
        for _ in range(3):
            late.grad = torch.full((4,), 0.5)
            optimizer.step()
        return late.detach()

    assert torch.equal(run(FusedAdamW), run(torch.optim.AdamW, fused=True))


def test_torchs_hooks_on_a_step_are_called():
    module, seen = network(), []
    optimizer = FusedAdamW(groups(module))
    optimizer.register_step_post_hook(lambda *given: seen.append(1))
    steps(module, optimizer, range(3))
    assert seen == [1, 1, 1]


def test_factors_of_torchs_gradient_scaler_are_heeded():
    module = network()
    optimizer = FusedAdamW(groups(module))
    before = steps(module, optimizer, range(2))
    optimizer.grad_scale, optimizer.found_inf = torch.tensor(1.0), torch.tensor(1.0)
    assert torch.equal(steps(module, optimizer, range(2, 3)), before)
