import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.core.families import Loss
from deepwright.train.loop import fit
from deepwright.train.loss import (
    MAE,
    MSE,
    Binary,
    Contrastive,
    CrossEntropy,
    Huber,
    MultiLabel,
    Poisson,
    Quantile,
)

DRAW = np.random.default_rng(0)
SCORES = DRAW.standard_normal((50, 4)).astype(np.float32)
CLASSES = DRAW.integers(0, 4, 50)
OUTPUT = (DRAW.standard_normal((50, 1)) * 2).astype(np.float32)
TARGET = DRAW.standard_normal((50, 1)).astype(np.float32)


def value(loss, output, target):
    return loss.build()(torch.from_numpy(output), torch.from_numpy(target)).item()


def log_probability():
    scores = SCORES.astype(np.float64)
    return scores - np.log(np.exp(scores).sum(1, keepdims=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_minus_the_log_probability_of_the_smoothed_truth(smoothing):
    truth = np.eye(4)[CLASSES] * (1 - smoothing) + smoothing / 4
    expected = -(truth * log_probability()).sum(1).mean()
    assert value(CrossEntropy(smoothing=smoothing), SCORES, CLASSES) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("focal", [0.0, 2.0])
def test_class_weights_weigh_rows_and_focal_lessens_the_easy_ones(focal):
    weights = (1.0, 2.0, 0.5, 4.0)
    of_row, each = np.array(weights)[CLASSES], log_probability()[np.arange(50), CLASSES]
    expected = -(of_row * each * (1 - np.exp(each)) ** focal).sum() / of_row.sum()
    assert value(CrossEntropy(weights=weights, focal=focal), SCORES, CLASSES) == pytest.approx(expected, rel=1e-6)


def test_focal_without_weights_is_a_plain_mean():
    each = log_probability()[np.arange(50), CLASSES]
    expected = -(each * (1 - np.exp(each)) ** 1.5).mean()
    assert value(CrossEntropy(focal=1.5), SCORES, CLASSES) == pytest.approx(expected, rel=1e-6)


def test_losses_of_values_are_their_closed_forms():
    error = (OUTPUT - TARGET).astype(np.float64)
    assert value(MSE(), OUTPUT, TARGET) == pytest.approx((error**2).mean(), rel=1e-6)
    assert value(MAE(), OUTPUT, TARGET) == pytest.approx(np.abs(error).mean(), rel=1e-6)
    size = np.abs(error)
    huber = np.where(size <= 0.5, error**2 / 2, 0.5 * (size - 0.25))
    assert value(Huber(delta=0.5), OUTPUT, TARGET) == pytest.approx(huber.mean(), rel=1e-6)


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_binary_is_its_closed_form(weight):
    truth = (TARGET > 0).astype(np.float32)
    p = 1 / (1 + np.exp(-OUTPUT.astype(np.float64)))
    expected = -(weight * truth * np.log(p) + (1 - truth) * np.log(1 - p)).mean()
    assert value(Binary(positive_weight=weight), OUTPUT, truth) == pytest.approx(expected, rel=1e-6)


def test_multi_label_is_the_mean_of_binary_ones():
    truth = (SCORES[::-1].copy() > 0).astype(np.float32)
    p = 1 / (1 + np.exp(-SCORES.astype(np.float64)))
    expected = -(truth * np.log(p) + (1 - truth) * np.log(1 - p)).mean()
    assert value(MultiLabel(), SCORES, truth) == pytest.approx(expected, rel=1e-6)


def test_poisson_is_its_closed_form():
    counts = DRAW.poisson(2.0, (50, 1)).astype(np.float32)
    expected = (np.exp(OUTPUT.astype(np.float64)) - counts * OUTPUT).mean()
    assert value(Poisson(), OUTPUT, counts) == pytest.approx(expected, rel=1e-5)


def test_the_pinball_loss_is_lowest_at_the_quantiles():
    target = torch.from_numpy(DRAW.standard_normal((4001, 1)).astype(np.float32))
    loss = Quantile(levels=(0.1, 0.5, 0.9)).build()
    output = nn.Parameter(torch.zeros(1, 3))
    optimizer = torch.optim.SGD([output], lr=0.3)
    for step in range(600):
        optimizer.param_groups[0]["lr"] = 0.3 * (1 - step / 600)
        optimizer.zero_grad()
        loss(output.expand(4001, 3), target).backward()
        optimizer.step()
    assert output.detach().numpy()[0] == pytest.approx(np.quantile(target.numpy(), [0.1, 0.5, 0.9]), abs=0.02)


def test_the_pinball_loss_takes_targets_of_one_axis():
    levels = Quantile(levels=(0.2, 0.8))
    output = DRAW.standard_normal((50, 2)).astype(np.float32)
    assert value(levels, output, TARGET[:, 0]) == value(levels, output, TARGET)


def test_contrastive_is_its_closed_form_by_hand():
    unit = SCORES / np.linalg.norm(SCORES, axis=1, keepdims=True)
    scores = unit.astype(np.float64) @ unit.T / 0.5
    total = []
    for i in range(50):
        partners = [j for j in range(50) if j != i and CLASSES[j] == CLASSES[i]]
        others = np.log(sum(np.exp(scores[i, j]) for j in range(50) if j != i))
        total.append(-np.mean([scores[i, j] - others for j in partners]))
    assert value(Contrastive(temperature=0.5), SCORES, CLASSES) == pytest.approx(np.mean(total), rel=1e-5)


def test_contrastive_leaves_rows_without_a_partner_out_and_stays_finite():
    alone = torch.randn(3, 4, requires_grad=True)
    loss = Contrastive().build()(alone, torch.tensor([0, 1, 2]))
    loss.backward()
    assert loss.item() == 0.0 and torch.isfinite(alone.grad).all()
    pair = value(Contrastive(), SCORES[:2], np.array([1, 1]))
    with_a_third = value(Contrastive(temperature=10.0), SCORES[:3], np.array([1, 1, 2]))
    assert pair == pytest.approx(0.0, abs=1e-6) and with_a_third > 0.1


def test_contrastive_embeddings_bring_digits_of_one_class_together(digits, make_mlp):
    net = make_mlp(outputs=8)
    fit(net, digits[0], loss=Contrastive(), optimizer="adamw", epochs=15, batch_size=200).finish()
    (x, y), (other, truth) = digits
    with torch.no_grad():
        known = nn.functional.normalize(net(torch.from_numpy(x)))
        asked = nn.functional.normalize(net(torch.from_numpy(other)))
    nearest = (asked @ known.T).argmax(1).numpy()
    assert (y[nearest] == truth).mean() > 0.93


@pytest.mark.parametrize(
    ("loss", "output", "target"),
    [
        (Binary(positive_weight=2.0), 1, np.float32([0, 1] * 32)),
        (MultiLabel(), 3, np.float32([[0, 1, 1], [1, 0, 0]] * 32)),
        (Poisson(), 1, np.float32([0, 3] * 32)),
        (Quantile(), 3, np.float32([-1, 1] * 32)),
        (CrossEntropy(focal=2.0, weights=(1.0, 2.0)), 2, np.array([0, 1] * 32)),
    ],
    ids=["binary", "multi_label", "poisson", "quantile", "focal"],
)
def test_every_loss_is_lowered_by_training(loss, output, target):
    torch.manual_seed(0)
    x = np.tile(np.float32([[0], [1]]), (32, 1))
    history = fit(nn.Linear(1, output), (x, target), loss=loss, optimizer="adam", epochs=30, batch_size=16).finish()
    losses = [epoch["train"]["loss"] for epoch in history.epochs]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("weights", [(), (1.0, 0.0), (-1.0, 1.0)])
def test_class_weights_must_be_positive(weights):
    with pytest.raises(RecipeError, match="one number above 0 per class"):
        CrossEntropy(weights=weights)


@pytest.mark.parametrize("levels", [(), (0.0, 0.5), (0.5, 1.0)])
def test_quantile_levels_lie_within_nought_and_one(levels):
    with pytest.raises(RecipeError, match="levels above 0 and below 1"):
        Quantile(levels=levels)


def test_each_says_which_problems_it_is_for():
    assert Loss.kinds["cross_entropy"].problems == ("classification",)
    assert all(Loss.kinds[kind].problems == ("regression",) for kind in ("mse", "mae", "huber", "quantile"))
    assert all(Loss.kinds[kind].problems == () for kind in ("binary", "poisson", "contrastive"))
    assert Loss.kinds["multi_label"].problems == ("multi-label",)


def test_quantiles_take_one_output_per_level():
    loss = Quantile(levels=(0.1, 0.9)).build()
    with pytest.raises(RecipeError, match=r"levels 0.1, 0.9 and the module gives \(5, 1\); it takes one output per"):
        loss(torch.zeros(5, 1), torch.zeros(5, 1))
