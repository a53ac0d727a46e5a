import pytest

from deepwright.core.errors import RecipeError
from deepwright.model.densenet import DenseNet
from tests.model.images import of_shape


def test_each_layer_adds_its_channels_and_a_transition_halves_them():
    module = DenseNet(blocks=(2, 3), growth=4).build(of_shape(16, 16, 1), 2)
    assert module.features.conv0.out_channels == 8
    assert module.features.denseblock1.denselayer2.conv1.in_channels == 12
    assert module.features.transition1.conv.weight.shape[:2] == (8, 16)
    assert module.classifier.in_features == 8 + 3 * 4


def test_weights_are_named_as_torchvisions():
    names = set(DenseNet(blocks=(1, 1), growth=4, stem="large").build(of_shape(64, 64, 3), 2).state_dict())
    assert {"features.conv0.weight", "features.norm0.bias", "features.denseblock1.denselayer1.norm1.weight"} <= names
    assert {"features.transition1.norm.weight", "features.norm3.weight", "classifier.weight"} <= names


@pytest.mark.parametrize("blocks", [(), (0, 2)])
def test_blocks_without_layers_are_refused(blocks: tuple[int, ...]):
    with pytest.raises(RecipeError, match=r"One block at least.*--network.blocks 6,12,24,16"):
        DenseNet(blocks=blocks)


def test_blocks_that_use_the_image_up_are_refused():
    with pytest.raises(RecipeError, match=r"5 blocks shrink an image by 16, and it is 8 x 30"):
        DenseNet(blocks=(1,) * 5).build(of_shape(8, 30, 1), 2)
