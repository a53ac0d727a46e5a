import numpy as np
import pytest
import torch

from deepwright.core.families import Loss
from deepwright.train.loss import MAE, MSE, CrossEntropy, Huber

DRAW = np.random.default_rng(0)
SCORES = DRAW.standard_normal((50, 4))
CLASSES = DRAW.integers(0, 4, 50)
OUTPUT, TARGET = DRAW.standard_normal((50, 1)) * 2, DRAW.standard_normal((50, 1))


def value(loss, output, target):
    return loss.build()(torch.from_numpy(output), torch.from_numpy(target)).item()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_minus_the_log_probability_of_the_smoothed_truth(smoothing):
    log_p = SCORES - np.log(np.exp(SCORES).sum(1, keepdims=True))
    truth = np.eye(4)[CLASSES] * (1 - smoothing) + smoothing / 4
    assert value(CrossEntropy(smoothing=smoothing), SCORES, CLASSES) == pytest.approx(-(truth * log_p).sum(1).mean())


def test_losses_of_values_are_their_closed_forms():
    error = OUTPUT - TARGET
    assert value(MSE(), OUTPUT, TARGET) == pytest.approx((error**2).mean())
    assert value(MAE(), OUTPUT, TARGET) == pytest.approx(np.abs(error).mean())
    size = np.abs(error)
    huber = np.where(size <= 0.5, error**2 / 2, 0.5 * (size - 0.25))
    assert value(Huber(delta=0.5), OUTPUT, TARGET) == pytest.approx(huber.mean())


def test_each_says_which_problems_it_is_for():
    assert Loss.kinds["cross_entropy"].problems == ("classification",)
    assert all(Loss.kinds[kind].problems == ("regression",) for kind in ("mse", "mae", "huber"))
