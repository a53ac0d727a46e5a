import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.model.vit import ViT
from deepwright.model.vit_blocks import Attention, Patches
from tests.model.images import of_shape


def test_its_attention_is_torchs():
    torch.manual_seed(0)
    ours = Attention(8, 2)
    reference = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        reference.in_proj_weight.copy_(ours.qkv.weight)
        reference.in_proj_bias.copy_(ours.qkv.bias)
        reference.out_proj.weight.copy_(ours.proj.weight)
        reference.out_proj.bias.copy_(ours.proj.bias)
        x = torch.randn(3, 5, 8)
        torch.testing.assert_close(ours(x), reference(x, x, x, need_weights=False)[0])


def test_every_square_becomes_a_token_and_the_last_ones_are_filled_up():
    layer = Patches(5, 9, 1, patch=4, dim=3)
    x = torch.randn(2, 1, 5, 9)
    found = layer(x)
    assert found.shape == (2, 2 * 3, 3) and layer.count == 6
    torch.testing.assert_close(found[1, 1], layer.proj(x[1:, :, :4, 4:8])[0, :, 0, 0])


@pytest.mark.parametrize(("side", "patch"), [(8, 1), (28, 3), (32, 4), (224, 16), (400, 16)])
def test_the_patch_follows_the_size_of_the_image(side: int, patch: int):
    module = ViT(dim=6, depth=1).build(of_shape(side, side, 3), 2)
    assert module.patch_embed.proj.kernel_size == (patch, patch)


def test_weights_are_named_as_timms():
    names = set(ViT(dim=6, depth=1, summary="token").build(of_shape(8, 8, 3), 2).state_dict())
    assert {"cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.bias"} <= names
    assert {"blocks.0.norm1.weight", "blocks.0.mlp.fc2.weight", "norm.weight", "head.weight"} <= names


def test_a_dim_that_heads_cannot_share_is_refused_with_the_next_that_they_can():
    with pytest.raises(RecipeError, match=r"dim 32 cannot be shared out among 3 heads.*--network.dim 33"):
        ViT(dim=32)


def test_a_patch_larger_than_the_image_is_refused():
    with pytest.raises(RecipeError, match=r"patches of 9 pixels.*8 x 20.*--network.patch 8"):
        ViT(patch=9).build(of_shape(8, 20, 3), 2)
