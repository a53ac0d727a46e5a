import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.train.batches import Batch
from deepwright.train.loop import fit
from deepwright.train.objective import supervised
from deepwright.train.state import State
from deepwright.train.step import Steps


def gradients(net, rows, pieces, loss=None):
    """Of one batch of digits, in so many pieces."""
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.1)]
    steps = Steps(
        net, supervised(net, loss or nn.CrossEntropyLoss()), optimizers, State(net, optimizers), torch.device("cpu"),
        seed=0, regularize=None, num_batches=1, num_epochs=1, micro_batches=pieces,
    )  # fmt: skip
    x, y = (torch.from_numpy(array) for array in rows)
    value = steps.backward(0, Batch((x,), y))
    return value, torch.cat([p.grad.flatten() for p in net.parameters()]).double()


@pytest.mark.parametrize("pieces", [2, 3, 7, 100, 1000])
def test_pieces_of_a_batch_give_the_gradients_of_the_whole(digits, make_mlp, pieces):
    rows = tuple(array[:101] for array in digits[0])
    value, whole = gradients(make_mlp(), rows, 1)
    value_pieces, found = gradients(make_mlp(), rows, pieces)
    assert ((found - whole).norm() / whole.norm()).item() < 1e-6
    assert value_pieces == pytest.approx(value, rel=1e-6)


def test_pieces_go_through_one_after_the_other_and_are_weighted_by_their_rows(digits, make_mlp):
    sizes = []

    def loss(output, target):
        sizes.append(len(target))
        return output.mean()

    gradients(make_mlp(), tuple(array[:10] for array in digits[0]), 4, loss)
    assert sizes == [3, 3, 3, 1]


def test_pieces_see_each_batch_once_so_training_ends_where_the_whole_does(digits, make_mlp):
    def run(pieces):
        net = make_mlp()
        fit(net, digits[0], optimizer="sgd", epochs=2, batch_size=100, micro_batches=pieces).finish()
        return torch.cat([p.detach().flatten() for p in net.parameters()])

    assert torch.allclose(run(1), run(3), atol=1e-5)


def test_less_than_one_piece_is_refused(make_mlp):
    with pytest.raises(RecipeError, match="micro_batches: found 0"):
        fit(make_mlp(), (np.zeros((4, 64)), np.zeros(4, int)), optimizer="sgd", micro_batches=0)
