import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.train.batches import Batch
from deepwright.train.judge import evaluate
from deepwright.train.loop import fit
from deepwright.train.loss import CrossEntropy
from deepwright.train.objective import supervised
from deepwright.train.state import State
from deepwright.train.step import Steps
from deepwright.train.weighted_loss import Weighted


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


def test_what_changes_a_batch_draws_by_seed_and_step(digits, make_mlp):
    seen = {}

    def noted(name, calls):
        def change(batch, step):
            seen.setdefault(name, []).append((step, torch.rand(3).tolist()))
            torch.rand(calls)  # what it draws besides changes no later step
            return batch

        return change

    def run(name, calls, **options):
        options = {"optimizer": "sgd", "epochs": 2, "batch_size": 400, "augment": noted(name, calls), **options}
        return fit(make_mlp(dropout=0.5), digits[0], digits[1], **options).finish().digest

    first, second, other = run("first", 1), run("second", 9), run("other", 1, seed=1)
    assert seen["first"] == seen["second"] and [step for step, _ in seen["first"]] == [0, 1, 2, 3, 4, 5]
    assert len({tuple(drawn) for _, drawn in seen["first"] + seen["other"]}) == 12
    assert first == second != other
    # Layers draw what they would draw without it, too.
    assert (
        first
        == fit(make_mlp(dropout=0.5), digits[0], digits[1], optimizer="sgd", epochs=2, batch_size=400).finish().digest
    )


def test_validation_and_the_judged_sample_are_not_changed(digits, make_mlp):
    def blank(batch, step):
        return dataclasses.replace(batch, inputs=(batch.inputs[0] * 0,))

    net = make_mlp()
    history = fit(net, digits[0], digits[1], optimizer="sgd", epochs=1, augment=blank).finish()
    for part, rows in (("train", digits[0]), ("validation", digits[1])):
        assert history.epochs[0][part]["loss"] == pytest.approx(
            evaluate(net, rows, loss="cross_entropy")["loss"], rel=1e-6
        )


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda batch, step: batch.inputs[0], "the callable gave Tensor, where a batch of 400 rows went in"),
        (lambda batch, step: Batch(batch.inputs, batch.target[1:]), "the callable gave 399, where"),
    ],
)
def test_a_change_that_gives_no_batch_of_as_many_rows_is_refused(digits, make_mlp, change, found):
    with pytest.raises(RecipeError, match=found):
        fit(make_mlp(), digits[0], optimizer="sgd", epochs=1, batch_size=400, augment=change).finish()


@pytest.mark.parametrize("focal", [0.0, 2.0])
def test_a_loss_of_shares_is_the_mean_of_the_losses_of_classes(focal):
    draw = torch.Generator().manual_seed(0)
    output, first, second = torch.randn(9, 4, generator=draw), *torch.randint(0, 4, (2, 9), generator=draw)
    loss = CrossEntropy(focal=focal, smoothing=0.1).build()
    shares = nn.functional.one_hot(first, 4).float()
    torch.testing.assert_close(loss(output, shares), loss(output, first))
    if focal == 0:
        mixed = 0.3 * shares + 0.7 * nn.functional.one_hot(second, 4)
        torch.testing.assert_close(loss(output, mixed), 0.3 * loss(output, first) + 0.7 * loss(output, second))
    weighted = Weighted(CrossEntropy(focal=focal).build(), is_classes=True)
    weight = torch.arange(9.0) / 4
    rows = torch.stack([first.float(), weight, torch.ones(9)], dim=1)
    soft = torch.cat([shares, weight[:, None], torch.ones(9, 1)], dim=1)
    torch.testing.assert_close(weighted(output, soft), weighted(output, rows))
