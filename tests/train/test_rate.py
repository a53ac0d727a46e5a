import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.train.loop import fit
from deepwright.train.optim import SGD, AdamW
from deepwright.train.rate import find_rate


def test_the_suggestion_for_a_parabola_lies_below_where_it_diverges_and_not_far():
    # The loss (w x - 0)^2 with x = 1 has curvature 2: gradient descent is stable below a rate of 1.
    net = nn.Linear(1, 1, bias=False)
    nn.init.ones_(net.weight)
    x = np.ones((64, 1), np.float32)
    found = find_rate(net, (x, x * 0), loss="mse", optimizer=SGD(momentum=0.0), batch_size=64)
    assert 0.01 < found.suggested < 1.0


def test_digits_train_well_at_the_suggested_rate(digits, make_mlp, accuracy):
    found = find_rate(make_mlp(), digits[0], batch_size=64)
    history = fit(
        make_mlp(), *digits, optimizer=AdamW(lr=found.suggested), schedule="cosine", epochs=10, batch_size=64,
        metrics=accuracy, watch="accuracy", greater_is_better=True,
    ).finish()  # fmt: skip
    assert history.best()["accuracy"] > 0.95


def test_the_module_is_as_it_was(digits, make_mlp):
    net = make_mlp(normalisation="batch").eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    find_rate(net, digits[0])
    assert not net.training and all(p.grad is None for p in net.parameters())
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_rates_rise_in_equal_factors_and_end_where_the_loss_runs_away(digits, make_mlp):
    found = find_rate(make_mlp(), digits[0], low=1e-4, high=1e4, steps=81, optimizer="sgd")
    assert np.allclose(np.diff(np.log10(found.rates)), 0.1)
    assert len(found.rates) == len(found.losses) < 81
    assert found.losses[-1] <= 4 * min(found.losses)


def test_the_same_search_gives_the_same_rate(digits, make_mlp):
    assert find_rate(make_mlp(dropout=0.5), digits[0]) == find_rate(make_mlp(dropout=0.5), digits[0])


@pytest.mark.parametrize("options", [{"low": 0.0}, {"low": 1.0, "high": 0.1}, {"steps": 5}])
def test_an_empty_range_is_refused(digits, make_mlp, options):
    with pytest.raises(RecipeError, match="low must be above 0 and below high, with at least 10 steps"):
        find_rate(make_mlp(), digits[0], **options)


def test_an_optimizer_with_a_state_of_its_own_is_refused(digits, make_mlp):
    net = make_mlp()
    with pytest.raises(RecipeError, match="found a SGD that is built already"):
        find_rate(net, digits[0], optimizer=torch.optim.SGD(net.parameters(), lr=0.1))


def test_a_loss_that_never_falls_is_said(digits, make_mlp):
    def rising(output, target):
        rising.calls += 1
        return output.sum() * 0 + rising.calls

    rising.calls = 0
    with pytest.raises(RecipeError, match="does not fall at any rate from 1e-06 to 10"):
        find_rate(make_mlp(), digits[0], loss=rising)
