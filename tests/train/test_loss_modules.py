import pytest
import torch

from deepwright.train.loss import MSE, CrossEntropy
from deepwright.train.loss_modules import PerMember


def test_the_loss_of_members_is_the_mean_of_each_ones_own():
    torch.manual_seed(0)
    output, target = torch.randn(5, 3, 4), torch.tensor([0, 3, 1, 1, 2])
    loss = CrossEntropy(smoothing=0.1).build()
    own = [loss(output[:, member], target) for member in range(3)]
    assert PerMember(loss)(output, target).item() == pytest.approx(sum(own).item() / 3)


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_values_stand_beside_each_members_own(shape: tuple[int, ...]):
    torch.manual_seed(0)
    output, target = torch.randn(5, 3, 1), torch.randn(shape)
    expected = (output[:, :, 0] - target.view(5, 1)).square().mean()
    torch.testing.assert_close(PerMember(MSE().build())(output, target), expected)


def test_without_reduction_it_gives_each_rows_mean_over_members():
    torch.manual_seed(0)
    output, target = torch.randn(5, 3, 4), torch.tensor([0, 3, 1, 1, 2])
    loss = PerMember(CrossEntropy().build())
    whole = loss(output, target)
    loss.reduction = "none"
    each = loss(output, target)
    assert each.shape == (5,)
    torch.testing.assert_close(each.mean(), whole)


def test_a_members_gradient_is_that_of_its_own_loss_alone():
    output = torch.randn(5, 3, 4, requires_grad=True)
    target = torch.tensor([0, 3, 1, 1, 2])
    PerMember(CrossEntropy().build())(output, target).backward()
    alone = output.detach()[:, 1].requires_grad_()
    (CrossEntropy().build()(alone, target) / 3).backward()
    torch.testing.assert_close(output.grad[:, 1], alone.grad)
