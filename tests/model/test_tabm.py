import numpy as np
import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.core.families import Tensor
from deepwright.model.answer import answering
from deepwright.model.export import export_network
from deepwright.model.tabm import TabM
from deepwright.train.loop import fit
from deepwright.train.loss import CrossEntropy
from deepwright.train.loss_modules import PerMember

INPUTS = (Tensor("numbers", 2), Tensor("categories", 2, "int64", (3, 80)))


@pytest.fixture(scope="module")
def rows() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A class that is told by an interval of a number and by a level together."""
    draw = np.random.default_rng(0)
    numbers = draw.normal(size=(600, 2)).astype(np.float32)
    categories = np.stack([draw.integers(0, 3, 600), draw.integers(0, 80, 600)], axis=1)
    return {"numbers": numbers, "categories": categories}, (abs(numbers[:, 0]) < 0.7) ^ (categories[:, 0] == 1)


def test_it_learns_what_numbers_and_levels_say_together(rows):
    tensors, target = rows
    torch.manual_seed(0)
    net = TabM(members=4, widths=(32,))
    module = net.build(INPUTS, 2)
    net.adapt(module, tensors)
    accuracy = {"accuracy": lambda target, answer: float((answer.argmax(axis=1) == target).mean())}
    answer = answering(module, "classification").answer
    history = fit(
        module, (tensors, target.astype(np.int64)), loss=PerMember(CrossEntropy().build()), optimizer="adamw",
        epochs=60, batch_size=64, metrics=accuracy, answer=answer, threads=1,
    ).finish()  # fmt: skip
    assert history.epochs[-1]["train"]["accuracy"] > 0.95
    assert module.training is False and module(*map(torch.from_numpy, tensors.values())).shape == (600, 4, 2)


def test_the_graph_with_the_training_rows_bins_answers_as_torch_does(rows):
    torch.manual_seed(0)
    net = TabM(members=3, widths=(8, 8), normalisation="rms")
    module = net.build(INPUTS, 1)
    net.adapt(module, rows[0])
    with torch.no_grad():
        module.entry.embeddings[0].pieces.normal_()
    export_network(answering(module, "regression", mean=4.0, sd=3.0), INPUTS, "regression")  # it compares


def test_columns_with_few_codes_enter_as_one_hot_and_the_others_by_an_embedding():
    module = TabM(one_hot=64, embedding_dim=5).build(INPUTS, 2)
    categories = module.entry.embeddings[1]
    assert categories.widths == [3, 5]
    with torch.no_grad():
        found = categories(torch.tensor([[2, 7]]))
    assert found[0, :3].tolist() == [0.0, 0.0, 1.0]
    assert torch.equal(found[0, 3:], categories.tables.tables[0].weight[7])


def test_members_begin_apart():
    torch.manual_seed(0)
    with torch.no_grad():
        output = TabM(members=4).build(INPUTS, 2).eval()(torch.randn(5, 2), torch.zeros(5, 2, dtype=torch.int64))
    assert output.std(dim=1).min() > 1e-3


def test_an_ensemble_without_a_hidden_layer_is_refused():
    with pytest.raises(RecipeError, match=r"widths.*share hidden layers.*widths \[128, 128\]"):
        TabM(widths=())
