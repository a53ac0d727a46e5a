import pytest
import torch
from torch import nn

from deepwright.model.convolution import ChannelNorm, SqueezeExcite, Summary, convolve, normalise


def test_channel_norm_is_layer_norm_of_each_place():
    torch.manual_seed(0)
    x = torch.randn(2, 5, 3, 4)
    found = ChannelNorm(5)(x)
    torch.testing.assert_close(found[1, :, 2, 3], nn.functional.layer_norm(x[1, :, 2, 3], (5,)))


def test_squeeze_excite_weighs_each_channel_by_what_all_say():
    layer = SqueezeExcite(4, reduction=2)
    x = torch.rand(3, 4, 5, 5)
    hidden = torch.relu(x.mean((2, 3)) @ layer.fc1.weight[:, :, 0, 0].T + layer.fc1.bias)
    gate = torch.sigmoid(hidden @ layer.fc2.weight[:, :, 0, 0].T + layer.fc2.bias)
    torch.testing.assert_close(layer(x), x * gate[:, :, None, None])


@pytest.mark.parametrize(("how", "width"), [("mean", 2), ("max", 2), ("flatten", 18)])
def test_a_summary_is_a_row_of_numbers(how: str, width: int):
    x = torch.arange(18.0).reshape(1, 2, 3, 3)
    found = Summary(how)(x)
    assert found.shape == (1, width)
    if how != "flatten":
        assert found.tolist() == [[4.0, 13.0]] if how == "mean" else found.tolist() == [[8.0, 17.0]]


@pytest.mark.parametrize(("channels", "groups"), [(64, 32), (24, 8), (7, 1)])
def test_groups_divide_the_channels(channels: int, groups: int):
    assert normalise("group", channels).num_groups == groups


def test_a_convolution_has_a_bias_only_where_no_normalisation_follows():
    assert convolve(2, 3).bias is None and convolve(2, 3, normalisation="none").bias is not None
