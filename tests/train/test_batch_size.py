import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from deepwright.core.errors import RecipeError, ResourceError
from deepwright.train.batch_size import ENOUGH, Steps, find_batch_size
from deepwright.train.batches import open_part


@pytest.fixture(autouse=True)
def short_measurements(monkeypatch):
    monkeypatch.setattr("deepwright.train.batch_size.MEASURE_S", 0.001)


def refusing(limit: int):
    """A layer for which the machine has no memory above `limit` rows: a true allocation that no machine can serve."""

    class Refusing(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if len(x) > limit:
                torch.empty(2**60, dtype=torch.uint8)
            return super().forward(x)

    torch.manual_seed(0)
    return Refusing(64, 10)


def test_the_largest_size_is_the_last_before_memory_is_refused(digits):
    found = find_batch_size(refusing(100), digits[0])
    assert [each.batch_size for each in found.tried] == [8, 16, 32, 64, 128]
    assert [each.rows_per_s is None for each in found.tried] == [False, False, False, False, True]
    assert (found.largest, found.tried[-1].is_predicted) == (64, True)


def test_a_limit_is_held_by_prediction_and_by_measurement(digits, make_mlp):
    free = find_batch_size(make_mlp(), digits[0], high=1024)
    peaks = {each.batch_size: each.peak_bytes for each in free.tried}
    assert free.largest == 1024 and not any(each.is_predicted for each in free.tried)
    for size in (16, 64, 256):
        held = find_batch_size(make_mlp(), digits[0], high=1024, memory_limit_bytes=peaks[size])
        assert (held.largest, held.limit_bytes) == (size, peaks[size])
        assert held.tried[-1].batch_size == 2 * size and held.tried[-1].rows_per_s is None


def test_any_other_error_is_not_taken_for_a_lack_of_memory(digits):
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        find_batch_size(nn.Linear(3, 10), digits[0])


def networks():
    torch.manual_seed(0)
    yield nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
    yield nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(576, 10)
    )


@pytest.mark.parametrize("size", [8, 512])
@pytest.mark.parametrize("net", list(networks()), ids=["mlp", "cnn"])
def test_the_bytes_counted_are_those_that_torchs_profiler_sees(digits, net, size):
    part = open_part("train", digits[0], device=torch.device("cpu"), dtype=torch.float32)
    steps = Steps(
        net, part, lambda inputs, target: nn.functional.cross_entropy(net(*inputs), target),
        torch.optim.AdamW(net.parameters(), fused=True), 0,
    )  # fmt: skip
    counted = steps.peak_bytes(size)

    batch = next(steps._batches(size))
    for parameter in net.parameters():
        parameter.grad = None
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profiler:
        steps._step(batch)
    now = most = 0
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    tensors = [*net.parameters(), *net.buffers(), *(v for s in steps.optimizer.state.values() for v in s.values())]
    shuffled = digits[0][0].nbytes + digits[0][1].nbytes  # a batch is a view of the rows in their new order
    assert counted == pytest.approx(most + sum(t.nbytes for t in tensors) + shuffled, rel=0.01)


def test_the_recommended_size_is_the_smallest_that_is_nearly_the_fastest(digits, make_mlp):
    found = find_batch_size(make_mlp(), digits[0])
    best = max(each.rows_per_s for each in found.tried)
    assert [each.batch_size for each in found.tried] == [8, 16, 32, 64, 128, 256, 512, 1024]
    assert found.recommended == next(e.batch_size for e in found.tried if e.rows_per_s >= ENOUGH * best)
    assert found.recommended > 8, "so small a step is mostly overhead"


def test_the_module_is_as_it_was(digits, make_mlp):
    net = make_mlp(normalisation="batch", dropout=0.5).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    find_batch_size(net, digits[0], high=64)
    assert not net.training and all(p.grad is None for p in net.parameters())
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_no_size_that_fits_is_said_with_the_bytes(digits, make_mlp):
    with pytest.raises(ResourceError, match=r"8 rows at once want \d+ bytes and the limit is 1000 bytes") as caught:
        find_batch_size(make_mlp(), digits[0], memory_limit_bytes=1000)
    assert caught.value.exit_code == 5


def test_what_it_does_not_take_is_refused(digits, make_mlp):
    net = make_mlp()
    with pytest.raises(RecipeError, match="low is 64 and high is 8"):
        find_batch_size(net, digits[0], low=64, high=8)
    with pytest.raises(RecipeError, match="found a SGD that is built already"):
        find_batch_size(net, digits[0], optimizer=torch.optim.SGD(net.parameters()))
    loader = DataLoader(TensorDataset(*map(torch.from_numpy, digits[0])), batch_size=8)
    with pytest.raises(RecipeError, match="found a DataLoader, which makes its batches itself"):
        find_batch_size(net, loader)


def test_few_rows_end_the_curve(make_mlp):
    x = np.zeros((5, 64), np.float32)
    assert find_batch_size(make_mlp(), (x, np.arange(5))).largest == 5
