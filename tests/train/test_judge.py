import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import DataError, RecipeError
from deepwright.train.judge import evaluate
from deepwright.train.loop import fit


def test_it_gives_the_scores_that_the_training_gave(digits, make_mlp, accuracy):
    net = make_mlp(dropout=0.5)
    best = fit(net, *digits, optimizer="adamw", epochs=3, metrics=accuracy).finish().best()
    assert evaluate(net, digits[1], loss="cross_entropy", metrics=accuracy) == pytest.approx(best, rel=1e-6)


def test_a_loader_gives_the_same_scores_as_its_rows(digits, make_mlp, accuracy):
    net = make_mlp()
    data = torch.utils.data.TensorDataset(*(torch.from_numpy(a) for a in digits[1]))
    loader = torch.utils.data.DataLoader(data, batch_size=100)
    rows = evaluate(net, digits[1], loss=nn.CrossEntropyLoss(), metrics=accuracy)
    assert evaluate(net, loader, loss=nn.CrossEntropyLoss(), metrics=accuracy) == pytest.approx(rows, rel=1e-6)


def test_the_loss_is_the_mean_over_rows_also_with_a_small_last_batch(digits, make_mlp):
    net = make_mlp().eval()
    x, y = (torch.from_numpy(a) for a in digits[1])
    with torch.no_grad():
        expected = nn.functional.cross_entropy(net(x), y).item()
    for batch_size in (1, 37, 10_000):
        assert evaluate(net, digits[1], loss="cross_entropy", batch_size=batch_size)["loss"] == pytest.approx(expected)


def test_every_layers_mode_is_put_back(digits, make_mlp):
    net = make_mlp(normalisation="batch", dropout=0.5)
    net.stack[1].eval()  # frozen by its owner
    before = [layer.training for layer in net.modules()]
    evaluate(net, digits[1], loss="cross_entropy")
    assert [layer.training for layer in net.modules()] == before


def test_metrics_alone_suffice(digits, make_mlp, accuracy):
    assert list(evaluate(make_mlp(), digits[1], metrics=accuracy)) == ["accuracy"]


def test_with_nothing_to_judge_by_it_is_refused(digits, make_mlp):
    with pytest.raises(RecipeError, match="neither loss= nor metrics= is given"):
        evaluate(make_mlp(), digits[1])


def test_what_is_no_data_is_refused(make_mlp):
    with pytest.raises(DataError, match="found ndarray"):
        evaluate(make_mlp(), np.zeros((3, 64)), loss="mse")
