import json

import pytest
import torch
from torch import nn

from deepwright.train.state import State, copied, digest, module_tensors, optimizer_tensors


def make(seed=0):
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    return State(module, [torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)])


def step(state, seed):
    torch.manual_seed(seed)
    state.optimizers[0].zero_grad()
    state.module(torch.randn(8, 3)).square().mean().backward()
    state.optimizers[0].step()
    state.move_average(0.5)
    state.position.batch += 1
    state.position.step += 1
    state.position.loss_sum += 0.1


def everything(state):
    optimizer, facts = optimizer_tensors(state.optimizers, copy=True)
    position = state.position.facts()
    return module_tensors(state.module, copy=True), optimizer, copied(state.average), facts, position


def assert_equal(one, other):
    for first, second in zip(one[:3], other[:3], strict=True):
        assert first.keys() == second.keys()
        assert all(torch.equal(first[name], second[name]) for name in first)
    assert one[3:] == other[3:]


def test_going_back_restores_weights_optimizer_average_and_position():
    state = make()
    step(state, 1)
    state.position.batch = 0
    state.keep_good()
    before = everything(state)
    for seed in (2, 3):
        step(state, seed)
    changed = everything(state)
    assert not torch.equal(changed[1]["0.0.momentum_buffer"], before[1]["0.0.momentum_buffer"])
    state.go_back()
    assert_equal(everything(state), before)
    step(state, 2)  # what is good stays good while the steps go on
    state.go_back()
    assert_equal(everything(state), before)


def test_notes_and_attempts_stay_when_going_back():
    state = make()
    state.keep_good()
    state.position.attempts, state.position.lr_scale = 2, 0.25
    state.position.notes.append({"event": "nonfinite"})
    state.go_back()
    assert (state.position.attempts, state.position.lr_scale, len(state.position.notes)) == (2, 0.25, 1)


def test_a_dump_through_json_and_copies_loads_into_the_same_state():
    state = make()
    step(state, 1)
    state.position.batch = 0
    state.keep_good()
    state.keep_best()
    step(state, 2)
    tensors, facts = state.dump()
    other = make(seed=9)
    other.load({name: value.clone() for name, value in tensors.items()}, json.loads(json.dumps(facts)))
    assert_equal(everything(other), everything(state))
    assert all(torch.equal(other.best[name], value) for name, value in state.best.items())
    state.go_back()
    other.go_back()
    assert_equal(everything(other), everything(state))


@pytest.mark.parametrize("change", ["weight", "buffer"])
def test_the_digest_sees_one_changed_number(change):
    state = make()
    before = digest(state.module)
    assert before == digest(make().module) and len(before) == 64
    with torch.no_grad():
        (state.module[0].weight if change == "weight" else state.module[1].running_mean).view(-1)[0] += 1e-6
    assert digest(state.module) != before


def test_the_average_begins_at_the_first_weights_it_sees():
    state = make()
    state.move_average(0.9)
    assert all(torch.equal(state.average[name], value) for name, value in module_tensors(state.module).items())


def test_judged_weights_are_the_average_within_and_ones_own_again_after():
    state = make()
    for seed in (1, 2):
        step(state, seed)
    own = digest(state.module)
    with pytest.raises(ZeroDivisionError), state.judged_weights():
        assert torch.equal(state.module[0].weight, state.average["0.weight"])
        raise ZeroDivisionError
    assert digest(state.module) == own
