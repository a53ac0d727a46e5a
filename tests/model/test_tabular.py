from typing import get_args

import numpy as np
import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.core.families import Network, Tensor
from deepwright.model.answer import answering
from deepwright.model.export import export_network
from deepwright.model.layers import ACTIVATIONS, NORMALISATIONS, Scale
from deepwright.model.number_embeddings import PiecewiseLinear, SmoothClip
from deepwright.model.options import Activation
from deepwright.model.tabular import MLP, embedding_dim

NUMBERS = Tensor("numbers", 3)
CATEGORIES = Tensor("categories", 2, "int64", (5, 10))


@pytest.mark.parametrize("inputs", [(NUMBERS,), (CATEGORIES,), (NUMBERS, CATEGORIES)])
def test_it_takes_numbers_categories_or_both(inputs):
    tensors = {"numbers": torch.randn(5, 3), "categories": torch.tensor([[4, 9]] * 5)}
    net = MLP(widths=(8,)).build(inputs, num_outputs=4)
    assert net(*(tensors[t.name] for t in inputs)).shape == (5, 4)


def test_each_category_column_has_a_code_for_missing_and_never_seen_levels():
    net = MLP(widths=(8,)).build((CATEGORIES,), 2)
    assert [table.num_embeddings for table in net.entry.embeddings[0].tables.tables] == [5, 10]
    with pytest.raises(IndexError):
        net(torch.tensor([[5, 0]]))


def test_a_given_embedding_dim_holds_for_every_column():
    net = MLP(widths=(8,), embedding_dim=3).build((CATEGORIES,), 2)
    assert [table.embedding_dim for table in net.entry.embeddings[0].tables.tables] == [3, 3]


def test_the_embedding_rule_grows_with_the_codes_and_ends_at_fifty():
    assert embedding_dim(2) == 2
    assert embedding_dim(100) == round(1.6 * 100**0.56)
    assert embedding_dim(10**6) == 50


def test_no_widths_give_a_linear_model():
    net = MLP(widths=()).build((NUMBERS,), 2)
    assert sum(p.numel() for p in net.parameters()) == 3 * 2 + 2


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalisation", ["none", *NORMALISATIONS])
def test_every_activation_and_normalisation_builds(activation, normalisation):
    net = MLP(widths=(8,), activation=activation, normalisation=normalisation).build((NUMBERS,), 2)
    assert torch.isfinite(net(torch.randn(4, 3))).all()
    assert len(net.stack) == (4 if normalisation == "none" else 5)


def test_the_same_seed_gives_the_same_weights():
    def weights():
        torch.manual_seed(7)
        return torch.cat([p.flatten() for p in MLP().build((NUMBERS, CATEGORIES), 2).parameters()])

    assert torch.equal(weights(), weights())


def test_a_width_of_nought_is_refused_with_its_value():
    with pytest.raises(RecipeError, match=r"widths.*A hidden layer of 0 units; each takes 1 to 65536"):
        MLP(widths=(64, 0))


def test_it_reads_plain_data_as_yaml_has_them():
    assert Network.parse({"kind": "mlp", "widths": [64, 32], "dropout": 0.2}) == MLP(widths=(64, 32), dropout=0.2)


def test_the_options_name_every_activation_and_every_one_exports():
    assert set(get_args(Activation)) == set(ACTIVATIONS)
    torch.manual_seed(0)
    stack = torch.nn.Sequential(torch.nn.Linear(3, 2), *(make() for make in ACTIVATIONS.values()))
    export_network(answering(stack, "classification"), (NUMBERS,), "classification")  # it compares


@pytest.mark.parametrize(("kind", "layer"), [("smooth_clip", SmoothClip), ("piecewise_linear", PiecewiseLinear)])
def test_what_numbers_pass_through_takes_its_scale_from_the_training_rows(kind, layer):
    net = MLP(number_embedding=kind, widths=(8,))
    module = net.build((NUMBERS, CATEGORIES), 2)
    numbers = np.random.default_rng(0).normal(50, 3, (100, 3)).astype(np.float32)
    net.adapt(module, {"numbers": numbers, "categories": np.zeros((100, 2), np.int64)})
    embed = module.entry.embeddings[0]
    assert isinstance(embed, layer)
    clip = embed if kind == "smooth_clip" else embed.clip
    assert clip.centre.tolist() == pytest.approx(np.median(numbers, axis=0).tolist())


def test_a_scaling_layer_stands_first_and_begins_at_one():
    net = MLP(scaling_layer=True, widths=(8,)).build((NUMBERS,), 2)
    assert isinstance(net.stack[0], Scale) and net.stack[0].factor.tolist() == [1.0] * 3


@pytest.mark.parametrize(("columns", "given", "dim"), [(64, None, 16), (128, None, 8), (3000, None, 1), (128, 20, 20)])
def test_a_wide_table_gets_narrower_embeddings_of_numbers_unless_told(columns, given, dim):
    net = MLP(number_embedding="piecewise_linear", bins=2, number_dim=given, widths=())
    module = net.build((Tensor("numbers", columns),), 2)
    assert module.entry.embeddings[0].pieces.shape == (columns, 2, dim)
    assert module.stack[0].in_features == columns * dim
