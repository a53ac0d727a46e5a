import numpy as np
import pytest
import torch
from torch import nn

import deepwright
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


def test_metrics_by_name_see_the_softmax_of_the_scores(digits, make_mlp, accuracy):
    net = make_mlp()
    x, y = digits[1]
    scores = deepwright.evaluate(net, (x, y), loss="cross_entropy", metrics=["log_loss", "accuracy", "f1"])
    assert list(scores) == ["loss", "log_loss", "accuracy", "f1"]
    assert scores["log_loss"] == pytest.approx(scores["loss"], rel=1e-5)
    assert scores["accuracy"] == evaluate(net, (x, y), metrics=accuracy)["accuracy"]


def test_parts_stand_under_their_name_with_options_and_values_are_judged_in_one_axis(digits):
    f1 = deepwright.Metric.parse({"kind": "f1", "average": "macro"})
    x, y = digits[1]
    net = nn.Linear(64, 10)
    by_list, by_name = (deepwright.evaluate(net, (x, y), metrics=m) for m in ([f1], {"mine": f1}))
    assert by_list["f1(average=macro)"] == by_name["mine"]

    values = x[:, 0]
    found = deepwright.evaluate(nn.Linear(64, 1), (x, values), loss="mse", metrics=["rmse", "mse"])
    assert found["mse"] == pytest.approx(found["loss"], rel=1e-5)
    assert found["rmse"] == pytest.approx(found["loss"] ** 0.5, rel=1e-5)


def test_an_answer_of_ones_own_is_what_parts_see(digits):
    x, y = digits[1]
    net, certain = nn.Linear(64, 10), lambda output: nn.functional.one_hot(torch.full((len(output),), 3), 10)
    scores = deepwright.evaluate(net, (x, y), metrics=["accuracy"], answer=certain)
    assert scores["accuracy"] == (y == 3).mean()


def test_metrics_of_labels_see_a_probability_for_each_label():
    x, y = np.eye(4, dtype=np.float32)[:3], np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], np.float32)
    net = nn.Linear(4, 4)
    with torch.no_grad():
        net.weight.copy_(torch.from_numpy(8 * y.T @ x + 0 * net.weight.numpy()) - 4 * torch.ones(4, 4))
        net.bias.zero_()
    scores = deepwright.evaluate(net, (x, y), metrics=["subset_accuracy", "f1", "auc", "log_loss"])
    assert (scores["subset_accuracy"], scores["f1"], scores["auc"]) == (1.0, 1.0, 1.0)
    assert scores["log_loss"] == pytest.approx(np.log1p(np.exp(-4.0)), rel=1e-5)
    with pytest.raises(RecipeError, match=r"'subset_accuracy' judges labels, a target .* of zeros and ones"):
        deepwright.evaluate(net, (x, y[:, 0]), metrics=["subset_accuracy"])


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (["accuracy"], r"'accuracy' judges class numbers .* gives \(597, 1\) and the target is float32 \(597,\)"),
        (["acuracy"], "acuracy.*accuracy"),
        (["rmse", "rmse"], "'rmse' is given twice"),
        ([lambda target, answer: 0.0], "found a function in a list"),
        ({"mine": 3}, "found a int in a list"),
    ],
)
def test_metrics_that_cannot_be_are_refused(digits, metrics, message):
    x, _ = digits[1]
    with pytest.raises(RecipeError, match=message):
        deepwright.evaluate(nn.Linear(64, 1), (x, x[:, 0]), metrics=metrics)
    with pytest.raises(RecipeError, match="'rmse' judges numbers by one value per row"):
        deepwright.evaluate(nn.Linear(64, 3), (x, x[:, 0]), metrics=["rmse"])


def test_the_best_epoch_is_the_one_that_the_watched_part_calls_better(digits, make_mlp):
    def best(watch):
        options = {"metrics": ["accuracy", "log_loss"], "watch": watch, "epochs": 4, "optimizer": "adamw"}
        history = deepwright.fit(make_mlp(), *digits, **options).finish()
        return history.best_epoch, [epoch["validation"][watch] for epoch in history.epochs]

    for watch, choose in (("accuracy", max), ("log_loss", min)):
        epoch, values = best(watch)
        assert values[epoch - 1] == choose(values) and len(set(values)) > 1
