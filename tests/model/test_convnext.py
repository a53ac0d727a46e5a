import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.model.convnext import ConvNeXt
from tests.model.images import of_shape


@pytest.mark.parametrize(("side", "patch"), [(8, 1), (15, 1), (16, 2), (31, 2), (32, 4), (224, 4)])
def test_the_patch_follows_the_size_of_the_image(side: int, patch: int):
    assert ConvNeXt(width=2, depths=(1,)).build(of_shape(side, side, 3), 2).stem[0].kernel_size == (patch, patch)


def test_each_block_begins_almost_as_what_enters_it():
    block = ConvNeXt(width=4, depths=(1, 1)).build(of_shape(16, 16, 3), 2).eval().stages[1].blocks[0]
    x = torch.randn(2, 8, 5, 5)
    torch.testing.assert_close(block(x), x, atol=1e-4, rtol=0)
    with torch.no_grad():
        block.gamma.fill_(100.0)
    assert (block(x) - x).abs().max() > 1e-3


def test_weights_are_named_as_timms():
    names = set(ConvNeXt(width=2, depths=(1, 1)).build(of_shape(16, 16, 3), 2).state_dict())
    assert {"stem.0.weight", "stem.1.bias", "stages.0.blocks.0.conv_dw.weight", "stages.0.blocks.0.gamma"} <= names
    assert {
        "stages.1.downsample.1.weight",
        "stages.0.blocks.0.mlp.fc1.bias",
        "head.norm.weight",
        "head.fc.bias",
    } <= names


@pytest.mark.parametrize(
    ("options", "message"),
    [({"depths": ()}, "One stage at least"), ({"depths": (2, 0)}, "1 to 256 blocks"), ({"kernel": 4}, "odd.*use 5")],
)
def test_stages_and_kernels_that_cannot_be_are_refused(options: dict[str, object], message: str):
    with pytest.raises(RecipeError, match=message):
        ConvNeXt(**options)


def test_stages_that_use_the_image_up_are_refused():
    with pytest.raises(RecipeError, match=r"patches of 4 and 4 stages shrink an image by 32, and it is 30 x 40"):
        ConvNeXt(patch=4).build(of_shape(30, 40, 3), 2)
