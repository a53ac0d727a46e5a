import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.core.flags import apply_flags
from deepwright.model.convolution import SqueezeExcite
from deepwright.model.layers import StochasticDepth
from deepwright.model.resnet import ResNet
from deepwright.model.resnet_blocks import Block
from tests.model.images import of_shape, shapes


def images(side: int = 16) -> torch.Tensor:
    return torch.from_numpy(shapes(6, side)[0])


@pytest.mark.parametrize("options", [{}, {"pre_activation": True}, {"normalisation": "none"}])
def test_every_block_begins_as_what_enters_it(options: dict[str, object]):
    module = ResNet(depth=20, width=4, **options).build(of_shape(16, 16, 1), 2)
    for block in module.modules():
        if isinstance(block, Block) and block.downsample is None:
            x = torch.rand(2, block.conv1.in_channels, 5, 5)
            torch.testing.assert_close(block(x), x)


def test_without_the_zero_a_block_changes_what_enters_it():
    module = ResNet(depth=8, width=4, zero_last=False).build(of_shape(16, 16, 1), 2)
    x = torch.rand(2, 4, 5, 5)
    assert (module.layer1[0](x) - x).abs().max() > 0.1


def test_weights_are_named_as_torchvisions():
    names = set(ResNet(depth=18, width=4).build(of_shape(64, 64, 3), 5).state_dict())
    assert {"conv1.weight", "bn1.running_var", "layer1.0.conv1.weight", "layer4.1.bn2.bias", "fc.weight"} <= names
    assert {"layer2.0.downsample.0.weight", "layer2.0.downsample.1.running_mean"} <= names
    assert not any(name.startswith("layer1.0.downsample") for name in names)
    assert {name for name in names if name.startswith("pixels")} == {"pixels.mean", "pixels.sd"}
    assert "layer1.0.downsample.0.weight" in ResNet(depth=50, width=4).build(of_shape(64, 64, 3), 5).state_dict()


@pytest.mark.parametrize(("side", "kernel", "pools"), [(63, 3, False), (64, 7, True)])
def test_the_stem_follows_the_size_of_the_image(side: int, kernel: int, pools: bool):
    module = ResNet(depth=18, width=4).build(of_shape(side, side, 3), 2)
    assert module.conv1.kernel_size == (kernel, kernel)
    assert isinstance(module.maxpool, nn.MaxPool2d) == pools
    forced = ResNet(depth=18, width=4, stem="large").build(of_shape(16, 16, 3), 2)
    assert forced.conv1.kernel_size == (7, 7)


@pytest.mark.parametrize(("side", "stages"), [(32, 3), (64, 4)])
def test_the_depth_follows_the_size_of_the_image(side: int, stages: int):
    assert ResNet(width=4).build(of_shape(side, side, 3), 2).stages == stages


def test_attention_and_stochastic_depth_stand_in_each_block():
    module = ResNet(depth=8, width=8, attention="squeeze_excite", stochastic_depth=0.3).build(of_shape(16, 16, 1), 2)
    blocks = [block for block in module.modules() if isinstance(block, Block)]
    assert all(isinstance(block.se, SqueezeExcite) for block in blocks)
    rates = [block.drop.probability for block in blocks if isinstance(block.drop, StochasticDepth)]
    assert rates == pytest.approx([0.1, 0.2, 0.3])


def test_a_residual_network_of_110_layers_is_trained_from_its_first_step():
    torch.manual_seed(0)
    module = ResNet(depth=110, width=4).build(of_shape(8, 8, 1), 2)
    module(images(8)).square().mean().backward()
    assert module.conv1.weight.grad.abs().max() > 1e-4


def test_its_options_are_read_from_flags():
    flags = [("network", "resnet"), ("network.depth", "34"), ("network.stem", "small"), ("network.width", "none")]
    data = apply_flags({"source": {"kind": "table", "path": "x.csv"}}, flags)
    assert ResNet.parse(data["network"]) == ResNet(depth=34, stem="small")
    with pytest.raises(RecipeError, match=r"depth: 19 is not allowed. .*8 \| 18 \| 20"):
        ResNet(depth=19)
