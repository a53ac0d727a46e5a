import pytest
import torch
from torch import nn

from deepwright.core.errors import RecipeError
from deepwright.model.cnn import CNN
from tests.model.images import of_shape


def test_options_become_layers():
    net = CNN(
        widths=(4, 6), repeats=1, kernels=(5, 3), strides=(2, 1), pooling="mean", normalisation="group",
        activation="silu", dropout=0.2, dense=(7,), summary="max",
    )  # fmt: skip
    module = net.build(of_shape(16, 16, 1), 3)
    convolutions = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    found = [(c.out_channels, c.kernel_size[0], c.stride[0], c.bias is None) for c in convolutions]
    assert found == [(4, 5, 2, True), (6, 3, 1, True)]
    kinds = [type(layer) for layer in module.features]
    assert kinds == [nn.Conv2d, nn.GroupNorm, nn.SiLU, nn.AvgPool2d, nn.Conv2d, nn.GroupNorm, nn.SiLU]
    assert [type(layer) for layer in module.head] == [nn.Dropout, nn.Linear, nn.SiLU, nn.Dropout, nn.Linear]
    assert module.head[1].out_features == 7


@pytest.mark.parametrize("side", [16, 17])
@pytest.mark.parametrize(("kernels", "strides"), [((3,), (1,)), ((2,), (1,)), ((4,), (3,)), ((5,), (2,))])
def test_flattened_pixels_are_counted_at_any_kernel_and_stride(
    side: int, kernels: tuple[int, ...], strides: tuple[int, ...]
):
    net = CNN(widths=(4, 4), kernels=kernels, strides=strides, summary="flatten", pooling="none")
    assert net.build(of_shape(side, side, 1), 2)(torch.zeros(2, side, side, 1, dtype=torch.uint8)).shape == (2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": ()}, "has no stage"),
        ({"widths": (8, 0)}, r"widths.*Found 0; each takes 1 to 65536"),
        ({"kernels": (3, 5)}, r"kernels has 2 entries for 3 stages"),
        ({"strides": (1, 1, 1, 1)}, r"strides has 4 entries for 3 stages.*--network.strides"),
    ],
)
def test_stages_that_cannot_be_are_refused(options: dict[str, tuple[int, ...]], message: str):
    with pytest.raises(RecipeError, match=message):
        CNN(**options)


def test_an_image_that_is_used_up_is_refused_with_the_stage():
    with pytest.raises(RecipeError, match=r"stage 5: the image is 1 x 2 there"):
        CNN(widths=(2,) * 5).build(of_shape(8, 16, 1), 2)
