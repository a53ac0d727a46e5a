"""Taking weights over: every name and shape is accounted for, and only a new head stays as it was drawn."""

import pytest
import torch
from torch import nn

import deepwright.parts  # noqa: F401 - the kinds of networks
from deepwright.core.errors import DataError
from deepwright.core.families import Network
from deepwright.model.pretrained import resized_places, take_over
from tests.model.images import of_shape


def built(kind: str = "resnet", side: int = 16, classes: int = 3, seed: int = 0, **options: object) -> nn.Module:
    torch.manual_seed(seed)
    defaults = {"resnet": {"depth": 8, "width": 4}, "vit": {"dim": 8, "heads": 2, "depth": 2, "patch": 4}}[kind]
    return Network.parse({"kind": kind, **defaults, **options}).build(of_shape(side, side, 3), classes)


def copy(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_all_but_a_new_head_is_taken_over():
    source, module = built(seed=1, classes=5), built()
    source.pixels.mean.fill_(0.3)
    drawn = copy(module)
    taken = take_over(module, source.state_dict(), "resnet", has_new_head=True, where="x")
    assert torch.equal(module.fc.weight, drawn["fc.weight"])
    for name, value in source.state_dict().items():
        if not name.startswith("fc."):
            assert torch.equal(module.state_dict()[name], value), name
    assert taken.count == 45 and not taken.resized


def test_a_head_of_the_same_classes_is_taken_over_too():
    source, module = built(seed=1), built()
    take_over(module, source.state_dict(), "resnet", has_new_head=False, where="x")
    assert torch.equal(module.fc.weight, source.fc.weight)
    image = torch.randint(0, 256, (2, 16, 16, 3), dtype=torch.uint8)
    assert torch.equal(module.eval()(image), source.eval()(image))


def test_missing_and_unknown_weights_are_named_with_what_was_meant():
    weights = copy(built(seed=1))
    weights["layer2.0.conv1.weigth"] = weights.pop("layer2.0.conv1.weight")
    weights["layer9.0.gate"] = torch.zeros(2)
    with pytest.raises(DataError) as caught:
        take_over(built(), weights, "resnet", has_new_head=True, where="x.pth")
    assert str(caught.value) == (
        "--from x.pth: the weights do not fit network resnet. "
        "Missing: layer2.0.conv1.weight Did you mean 'layer2.0.conv1.weigth'?. "
        "Unknown: layer2.0.conv1.weigth, layer9.0.gate. Other shapes (found, wanted): -. "
        "Leave --network and --prepare.images.size out to take those that belong to the weights, "
        "or give the weights of this network."
    )


def test_other_shapes_are_named_with_both():
    with pytest.raises(DataError) as caught:
        take_over(built(), built(stem="large").state_dict(), "resnet", has_new_head=True, where="x")
    assert "Other shapes (found, wanted): conv1.weight 4x3x7x7 4x3x3x3." in str(caught.value)


def test_weights_of_a_deeper_network_are_refused_and_all_of_them_named():
    with pytest.raises(DataError) as caught:
        take_over(built(), built(depth=20).state_dict(), "resnet", has_new_head=True, where="x")
    blocks = ", ".join(f"layer{stage}.{number}.* (10)" for stage in (1, 2, 3) for number in (1, 2))
    assert f"Missing: -. Unknown: {blocks}. Other" in str(caught.value)


def test_what_does_not_fit_changes_nothing():
    module = built()
    before = copy(module)
    with pytest.raises(DataError):
        take_over(module, built(width=6).state_dict(), "resnet", has_new_head=True, where="x")
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize("summary", ["mean", "token"])
def test_vectors_of_places_are_brought_to_another_size(summary: str):
    source, module = built("vit", side=16, seed=1, summary=summary), built("vit", side=24, summary=summary)
    taken = take_over(module, source.state_dict(), "vit", has_new_head=True, where="x")
    assert taken.resized and module.pos_embed.shape[1] == 36 + (summary == "token")
    if summary == "token":
        assert torch.equal(module.pos_embed[:, 0], source.pos_embed[:, 0])
    assert abs(module.pos_embed.mean() - source.pos_embed.mean()) < 0.01


def test_places_of_a_plane_stay_a_plane():
    """A ramp from left to right at twice the places is the same ramp, but at its ends."""
    ramp = torch.arange(8.0).repeat(8, 1).reshape(1, 64, 1)
    finer = resized_places(ramp, (8, 16), has_token=False).reshape(8, 16)
    torch.testing.assert_close(finer[:, 3:13], ((torch.arange(16.0) + 0.5) / 2 - 0.5).repeat(8, 1)[:, 3:13])
    same = resized_places(torch.cat([torch.full((1, 1, 1), 9.0), ramp], dim=1), (8, 8), has_token=True)
    torch.testing.assert_close(same[0, 1:, 0], ramp[0, :, 0])
    assert same[0, 0, 0] == 9.0
