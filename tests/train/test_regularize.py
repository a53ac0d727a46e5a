import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.core.recipe import Train
from deepwright.train.checkpoint import Checkpoints
from deepwright.train.events import Epoch, Saved, Step
from deepwright.train.loop import fit
from deepwright.train.regularize import Regularize


def parameters():
    torch.manual_seed(0)
    found = [nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.randn(4))]
    for parameter in found:
        parameter.grad = torch.randn_like(parameter) * 3
    return found


def test_clipping_by_norm_scales_all_gradients_together():
    found = parameters()
    before = torch.cat([p.grad.flatten() for p in found])
    Regularize(clip_norm=1.0).change_gradients(found)
    after = torch.cat([p.grad.flatten() for p in found])
    assert after.norm().item() == pytest.approx(1.0, rel=1e-5)
    assert torch.allclose(after / after.norm(), before / before.norm(), atol=1e-6)


@pytest.mark.parametrize("bound", [0.1, 1.0, 100.0])
def test_clipping_does_what_torchs_own_does(bound):
    ours, torchs = parameters(), parameters()
    Regularize(clip_norm=bound).change_gradients(ours)
    nn.utils.clip_grad_norm_(torchs, bound)
    assert all(torch.allclose(a.grad, b.grad, rtol=1e-6) for a, b in zip(ours, torchs, strict=True))


def test_clipping_by_norm_refuses_sparse_gradients():
    layer = nn.Embedding(5, 2, sparse=True)
    layer(torch.tensor([1])).sum().backward()
    with pytest.raises(RecipeError, match=r"clip_norm is 1\.0 and a gradient is sparse"):
        Regularize(clip_norm=1.0).change_gradients(list(layer.parameters()))


def test_clipping_by_value_bounds_each():
    found = parameters()
    Regularize(clip_value=0.5).change_gradients(found)
    assert max(p.grad.abs().max().item() for p in found) == 0.5


def test_l1_is_the_gradient_of_the_penalty_on_matrices():
    found = parameters()
    before = [p.grad.clone() for p in found]
    Regularize(l1=0.01).change_gradients(found)
    assert torch.allclose(found[0].grad, before[0] + 0.01 * found[0].sign())
    assert torch.equal(found[1].grad, before[1])


def test_l1_sets_weights_that_do_not_matter_near_zero(digits, make_mlp):
    def small_share(l1):
        net = nn.Sequential(nn.Linear(64, 10))
        torch.manual_seed(0)
        nn.init.normal_(net[0].weight, std=0.1)
        fit(net, digits[0], optimizer="adam", epochs=20, regularize=Regularize(l1=l1)).finish()
        return (net[0].weight.abs() < 0.01).float().mean().item()

    assert small_share(0.02) > 2 * small_share(0.0)


def test_noise_changes_numbers_and_leaves_level_numbers():
    x, c = torch.zeros(20_000, 1), torch.ones(20_000, 1, dtype=torch.int64)
    noised = Regularize(noise=0.3).noised((x, c))
    assert noised[0].std().item() == pytest.approx(0.3, rel=0.05) and torch.equal(noised[1], c)
    assert Regularize().noised((x, c))[0] is x


def test_noise_is_drawn_anew_each_step_and_can_be_repeated(digits, make_mlp):
    seen = []

    class Keep(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = make_mlp()

        def forward(self, x):
            if self.training:
                seen.append(x[0, 0].item())
            return self.layer(x)

    x = np.zeros((4, 64), np.float32)
    for _ in range(2):
        fit(Keep(), (x, np.zeros(4, int)), optimizer="adamw", epochs=3, regularize=Regularize(noise=1.0)).finish()
    assert len(set(seen)) == 3 and seen[:3] == seen[3:]


def test_the_average_is_its_closed_form_also_for_batch_statistics(digits, make_mlp):
    rule = Regularize(ema=0.8)
    net = make_mlp(normalisation="batch")
    by_hand, steps = {}, 0
    for event in fit(net, digits[0], optimizer="adamw", epochs=2, batch_size=300, regularize=rule):
        if isinstance(event, Step):
            now = {name: value.double() for name, value in net.state_dict().items()}
            memory = min(0.8, (1 + steps) / (10 + steps))
            by_hand = {name: memory * by_hand.get(name, now[name]) + (1 - memory) * now[name] for name in now}
            steps += 1
    assert steps == 8
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value.double(), by_hand[name], atol=1e-6), name
        else:
            assert value == 8, "the count of batches is the last one, not an average"


def test_the_averaged_weights_are_judged_and_kept_and_the_steps_go_on_from_their_own(digits, make_mlp):
    plain, averaged = make_mlp(), make_mlp()
    losses = [e.loss for e in fit(plain, *digits, optimizer="adamw", epochs=2) if isinstance(e, Step)]
    training = fit(averaged, *digits, optimizer="adamw", epochs=2, regularize=Regularize(ema=0.99))
    assert [e.loss for e in training if isinstance(e, Step)] == losses
    judged = training.finish().best()["loss"]
    x, y = (torch.from_numpy(a) for a in digits[1])
    with torch.no_grad():
        assert nn.functional.cross_entropy(averaged(x), y).item() == pytest.approx(judged, rel=1e-5)
        assert nn.functional.cross_entropy(plain.eval()(x), y).item() != pytest.approx(judged, rel=1e-3)


def test_weights_at_the_ends_of_the_last_epochs_are_averaged(digits, make_mlp):
    net, kept, judged = make_mlp(normalisation="batch"), [], []
    training = fit(net, *digits, optimizer="adamw", epochs=5, batch_size=400, regularize=Regularize(swa=0.4))
    for event in training:
        if isinstance(event, Step) and event.batch == event.num_batches and event.epoch > 2:
            kept.append({name: value.clone() for name, value in net.state_dict().items()})
        if isinstance(event, Epoch):
            judged.append(event.validation["loss"])
    assert len(kept) == 3 and training.finish().best_epoch == 5
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            mean = torch.stack([each[name] for each in kept]).double().mean(0)
            assert torch.allclose(value.double(), mean, atol=1e-6), name
    x, y = (torch.from_numpy(a) for a in digits[1])
    with torch.no_grad():
        assert nn.functional.cross_entropy(net(x), y).item() == pytest.approx(judged[-1], rel=1e-5)


@pytest.mark.parametrize("last", [5, 9, 11])
def test_an_average_of_epochs_resumes_to_the_same_bits(digits, make_mlp, tmp_path, last):
    def run(checkpoints=None):
        options = {"epochs": 4, "batch_size": 400, "regularize": Regularize(swa=0.25)}
        return fit(make_mlp(), *digits, optimizer="adamw", checkpoints=checkpoints, **options)

    whole = run().finish()
    for event in run(Checkpoints(tmp_path, every_s=0)):
        if isinstance(event, Saved) and event.step == last:
            break
    assert run(Checkpoints(tmp_path)).finish().digest == whole.digest


def test_a_recipes_section_becomes_a_rule_only_when_it_asks_for_something():
    assert Regularize.of(Train()) is None
    asked = {"clip_norm": 1.5, "l1": 1e-4, "noise": 0.1, "ema": 0.9}
    assert Regularize.of(Train(**asked)) == Regularize(**asked)
    assert Regularize.of(Train(swa=0.5)) == Regularize(swa=0.5)


def test_two_kinds_of_average_at_once_are_refused():
    with pytest.raises(RecipeError, match=r"ema is 0\.9 and swa is 0\.5; there is one average at most"):
        Regularize(ema=0.9, swa=0.5)


def test_everything_together_resumes_to_the_same_bits(digits, make_mlp, tmp_path):
    regularize = Regularize(clip_norm=0.5, l1=1e-4, noise=0.1, ema=0.9)

    def run(checkpoints=None):
        net = make_mlp(normalisation="batch", dropout=0.3)
        return fit(net, *digits, optimizer="adamw", epochs=3, regularize=regularize, checkpoints=checkpoints)

    whole = run().finish()
    for event in run(Checkpoints(tmp_path, every_s=0)):
        if isinstance(event, Saved) and event.step == 8:
            break
    resumed = run(Checkpoints(tmp_path)).finish()
    assert resumed.digest == whole.digest and resumed.best() == whole.best()
