"""Weighted: rows count by their weight, whatever the loss."""

import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.train.loss import MAE, MSE, Contrastive, CrossEntropy, Huber, Poisson, Quantile
from deepwright.train.loss_modules import PerMember
from deepwright.train.weighted_loss import Weighted

CLASSES = [CrossEntropy(), CrossEntropy(smoothing=0.1), CrossEntropy(focal=2.0), CrossEntropy(smoothing=0.1, focal=1.0)]
VALUES = [MSE(), MAE(), Huber(), Quantile(levels=(0.7,)), Poisson()]


def rows(is_classes: bool, size: int = 12):
    generator = torch.Generator().manual_seed(0)
    output = torch.randn(size, 3 if is_classes else 1, generator=generator)
    target = torch.randint(0, 3, (size,), generator=generator) if is_classes else torch.rand(size, generator=generator)
    return output, target


@pytest.mark.parametrize("part", CLASSES + VALUES, ids=str)
def test_a_weight_of_two_is_the_row_twice(part):
    is_classes = part in CLASSES
    output, target = rows(is_classes)
    counts = torch.tensor([0, 1, 2, 3] * 3)
    twice = target.repeat_interleave(counts)
    repeated = part.build()(output.repeat_interleave(counts, dim=0), twice if is_classes else twice[:, None])
    weighted = Weighted(part.build(), is_classes=is_classes)
    found = weighted(output, torch.stack([target, counts / counts.float().mean(), torch.ones(12)], dim=1))
    torch.testing.assert_close(found, repeated)


def test_the_members_of_an_ensemble_are_weighted_alike():
    output, target = rows(True)
    weight = torch.arange(12.0) / 5.5
    together = Weighted(PerMember(CrossEntropy().build()), is_classes=True)
    found = together(torch.stack([output, 2 * output], dim=1), torch.stack([target, weight], dim=1))
    alone = [
        Weighted(CrossEntropy().build(), is_classes=True)(o, torch.stack([target, weight], dim=1))
        for o in (output, 2 * output)
    ]
    torch.testing.assert_close(found, (alone[0] + alone[1]) / 2)


def test_the_given_loss_stays_a_mean():
    loss = CrossEntropy().build()
    Weighted(loss, is_classes=True)
    assert loss.reduction == "mean"


def test_a_loss_of_pairs_of_rows_is_refused():
    with pytest.raises(RecipeError, match=r"SupervisedContrastive: this loss has no value for single rows"):
        Weighted(Contrastive().build(), is_classes=True)
