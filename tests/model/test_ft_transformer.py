import numpy as np
import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.core.families import Tensor
from deepwright.model.answer import answering
from deepwright.model.column_attention import Block, Tokens
from deepwright.model.export import export_network
from deepwright.model.ft_transformer import FTTransformer

INPUTS = (Tensor("numbers", 2), Tensor("categories", 2, "int64", (3, 5)))


def test_each_column_becomes_a_token_behind_the_one_that_gathers():
    tokens = Tokens(2, [3, 5], dim=4)
    with torch.no_grad():
        found = tokens(torch.tensor([[1.5, -2.0]]), torch.tensor([[2, 4]]))[0] - tokens.bias.view(5, 4)
        clipped = tokens.clip(torch.tensor([[1.5, -2.0]]))[0]
    assert (found[0].abs() < 1e-6).all()
    torch.testing.assert_close(found[1:3], clipped[:, None] * tokens.line)
    torch.testing.assert_close(found[3:], tokens.levels.weight[[2, 3 + 4]])


def test_its_attention_is_torchs():
    torch.manual_seed(0)
    block = Block(8, 2, 4, 0.0, 0.0, is_first=False)
    reference = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        reference.in_proj_weight.copy_(block.inner.weight)
        reference.in_proj_bias.copy_(block.inner.bias)
        reference.out_proj.weight.copy_(block.outer.weight)
        reference.out_proj.bias.copy_(block.outer.bias)
        x = torch.randn(3, 5, 8)
        torch.testing.assert_close(block._attended(x), reference(x, x, x, need_weights=False)[0])


def test_the_graph_answers_as_torch_does_on_scaled_numbers():
    torch.manual_seed(0)
    net = FTTransformer(dim=16, blocks=2)
    module = net.build(INPUTS, 3)
    draw = np.random.default_rng(0)
    net.adapt(module, {"numbers": draw.normal(5, 2, (50, 2)).astype(np.float32), "categories": np.zeros((50, 2), int)})
    assert module.tokens.clip.centre.min() > 3
    export_network(answering(module, "classification"), INPUTS, "classification")  # it compares


def test_a_dim_that_heads_cannot_share_is_refused_with_the_next_that_they_can():
    with pytest.raises(RecipeError, match=r"dim 30 cannot be shared out among 4 heads.*--network.dim 32"):
        FTTransformer(dim=30)
