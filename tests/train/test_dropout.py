import math
from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from deepwright.train.checkpoint import Checkpoints
from deepwright.train.dropout import CheapMasks, has_dropout, mask
from deepwright.train.events import Saved
from deepwright.train.loop import fit
from deepwright.train.speed import SpeedPlan

CHEAP = SpeedPlan(cheap_dropout=True)


def dropping():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.2, batch_first=True, norm_first=True)
    return nn.Sequential(nn.Unflatten(1, (4, 16)), layer, nn.Dropout(0.3), nn.Flatten(), nn.Linear(64, 10))


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_mask_drops_its_share_and_keeps_the_mean(rate, dtype):
    torch.manual_seed(0)
    found = mask(torch.empty(1000, 1001, dtype=dtype), rate).double()
    n = found.numel()
    share = (found == 0).double().mean().item()
    assert abs(share - rate) < 4 * math.sqrt(rate * (1 - rate) / n) + 2**-17
    factor = found.max().item()
    assert set(found.unique().tolist()) == {0.0, factor}
    assert factor == pytest.approx(1 / (1 - rate), rel=4e-3 if dtype is torch.bfloat16 else 2e-4)


def test_decisions_from_one_random_word_do_not_hang_together():
    torch.manual_seed(0)
    kept = (mask(torch.empty(400_000), 0.3) > 0).double().reshape(-1, 4)
    correlations = torch.corrcoef(kept.T) - torch.eye(4)
    along = torch.corrcoef(torch.stack([kept.flatten()[:-4], kept.flatten()[4:]]))[0, 1]
    assert correlations.abs().max() < 4 / math.sqrt(100_000) and abs(along) < 4 / math.sqrt(400_000)


def test_masks_are_a_function_of_the_generator():
    x = torch.ones(100)
    seen = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        with CheapMasks():
            seen.append(functional.dropout(x, 0.5))
    assert torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[2])


def test_outside_of_training_and_at_the_ends_torch_answers():
    x = torch.randn(8, 8)
    with CheapMasks():
        assert torch.equal(functional.dropout(x, 0.5, False), x)
        assert torch.equal(functional.dropout(x, 0.0), x) and not functional.dropout(x, 1.0).any()
        with pytest.raises(ValueError, match="probability"):
            functional.dropout(x, 1.5)
        y = x.clone()
        assert functional.dropout(y, 0.5, True, True) is y and (y == 0).any()


@pytest.mark.parametrize("kind", ["none", "bool", "float"])
def test_attention_is_torchs_but_for_its_masks(kind, monkeypatch):
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, 5, 8) for _ in range(3))
    allowed = torch.ones(5, 5).tril().bool()
    given = {"none": None, "bool": allowed, "float": torch.zeros(5, 5).masked_fill(~allowed, -math.inf)}[kind]
    expected = functional.scaled_dot_product_attention(q, k, v, given, scale=0.4)
    monkeypatch.setattr("deepwright.train.dropout.mask", lambda like, rate: torch.ones_like(like))
    with CheapMasks():
        found = functional.scaled_dot_product_attention(q, k, v, given, 0.1, scale=0.4)
    assert torch.allclose(found, expected, atol=1e-6)


def test_exact_draws_torchs_masks_and_cheap_ones_learn_alike(digits):
    def run(**options):
        return fit(dropping(), *digits, optimizer="adamw", epochs=4, **options).finish()

    exact, cheap = run(), run(speed=CHEAP)
    assert exact.digest != cheap.digest and not exact.plan["cheap_dropout"]
    assert cheap.best()["loss"] == pytest.approx(exact.best()["loss"], rel=0.15)
    after = run()
    assert after.digest == exact.digest  # nothing of the other training is left


def test_a_resumed_training_draws_the_same_masks(digits, tmp_path):
    def run(checkpoints=None):
        return fit(dropping(), *digits, optimizer="adamw", epochs=2, speed=CHEAP, checkpoints=checkpoints)

    whole = run().finish()
    for event in run(Checkpoints(tmp_path, every_s=0)):
        if isinstance(event, Saved) and event.step == 3:
            break
    assert run(Checkpoints(tmp_path)).finish().digest == whole.digest


@pytest.mark.parametrize("is_reentrant", [True, False])
def test_a_layer_that_is_run_again_on_the_way_back_has_the_same_masks_both_times(is_reentrant):
    torch.manual_seed(0)
    first, second, x = nn.Linear(6, 6), nn.Sequential(nn.Linear(6, 6), nn.Dropout(0.5), nn.Tanh()), torch.randn(9, 6)

    def gradients(is_again, masks):
        torch.manual_seed(3)
        with masks:
            hidden = first(x)
            output = checkpoint(second, hidden, use_reentrant=is_reentrant) if is_again else second(hidden)
        first.zero_grad()
        output.sum().backward()
        return [p.grad for p in first.parameters()]

    expected = gradients(False, nullcontext())
    found = gradients(True, CheapMasks())
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert not torch.equal(gradients(False, CheapMasks())[0], expected[0])


def test_only_layers_that_drop_something_are_worth_a_try():
    assert has_dropout(dropping()) and has_dropout(nn.MultiheadAttention(4, 2, dropout=0.1))
    assert not has_dropout(nn.Sequential(nn.Dropout(0.0), nn.Linear(2, 2), nn.MultiheadAttention(4, 2)))


def test_multi_head_attention_drops_with_cheap_masks_too(monkeypatch):
    drawn = []
    monkeypatch.setattr("deepwright.train.dropout.mask", lambda like, rate: drawn.append(rate) or torch.ones_like(like))
    torch.manual_seed(0)
    layer, x = nn.MultiheadAttention(8, 2, dropout=0.3, batch_first=True), torch.randn(2, 5, 8)
    for weights in (True, False):
        with CheapMasks():
            found = layer(x, x, x, need_weights=weights)[0]
        expected = layer.eval()(x, x, x, need_weights=weights)[0]
        layer.train()
        assert torch.allclose(found, expected, atol=1e-6)
    assert drawn == [0.3, 0.3]
