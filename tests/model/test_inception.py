import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.model.inception import Inception
from deepwright.model.inception_blocks import Mixed
from tests.model.images import of_shape


def test_four_branches_stand_side_by_side():
    block = Mixed(6, (1, 2, 3, 4, 5, 6), "batch", "relu").eval()
    x = torch.randn(2, 6, 7, 7)
    found = block(x)
    assert found.shape == (2, 1 + 3 + 5 + 6, 7, 7)
    torch.testing.assert_close(found[:, 4:9], block.branch3(x))


def test_weights_are_named_as_torchvisions():
    names = set(Inception(width=4).build(of_shape(64, 64, 3), 2).state_dict())
    assert {"conv1.conv.weight", "conv3.bn.running_mean", "inception3a.branch1.conv.weight", "fc.bias"} <= names
    assert {"inception4e.branch2.1.bn.weight", "inception5b.branch4.1.conv.weight"} <= names


def test_fewer_blocks_are_the_first_of_each_stage():
    module = Inception(width=4, blocks=(1, 2, 1)).build(of_shape(16, 16, 3), 2)
    found = sorted({name.split(".")[0] for name, _ in module.named_parameters() if name.startswith("inception")})
    assert found == ["inception3a", "inception4a", "inception4b", "inception5a"]


@pytest.mark.parametrize("blocks", [(2, 5), (3, 5, 2), (0, 5, 2)])
def test_blocks_that_are_not_there_are_refused(blocks: tuple[int, ...]):
    with pytest.raises(RecipeError, match=r"1 to 2, 1 to 5 and 1 to 2; write for example --network.blocks 2,5,2"):
        Inception(blocks=blocks)
