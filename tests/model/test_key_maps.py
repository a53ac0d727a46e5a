"""Key maps against generated state dicts of the published names and shapes, and against forwards written out here."""

from collections.abc import Mapping

import pytest
import torch
from torch import nn
from torch.nn.functional import gelu, layer_norm, linear, relu

import deepwright.parts  # noqa: F401 - a recipe names kinds of every family
from deepwright.core.errors import DataError
from deepwright.core.families import Network
from deepwright.model.key_maps import NORMALISATIONS, published
from deepwright.model.pretrained import take_over
from tests.model import published as names
from tests.model.images import of_shape

FILES = {
    "resnet18": (names.resnet((2, 2, 2, 2), bottleneck=False), 11_689_512),
    "resnet34": (names.resnet((3, 4, 6, 3), bottleneck=False), 21_797_672),
    "resnet50": (names.resnet((3, 4, 6, 3), bottleneck=True), 25_557_032),
    "resnet101": (names.resnet((3, 4, 23, 3), bottleneck=True), 44_549_160),
    "resnet152": (names.resnet((3, 8, 36, 3), bottleneck=True), 60_192_808),
    "densenet121": (names.densenet((6, 12, 24, 16), 32), 7_978_856),
    "densenet121 of old": (names.densenet((6, 12, 24, 16), 32, old=True), 7_978_856),
    "densenet161": (names.densenet((6, 12, 36, 24), 48), 28_681_000),
    "densenet201": (names.densenet((6, 12, 48, 32), 32), 20_013_928),
    "googlenet": (names.googlenet(), 6_624_904),
    "convnext_tiny": (names.convnext("torchvision", (3, 3, 9, 3), 96), 28_589_128),
    "convnext_small of timm": (names.convnext("timm", (3, 3, 27, 3), 96), 50_223_688),
    "convnext_atto of timm": (names.convnext("timm_conv", (2, 2, 6, 2), 40), 3_695_520),
    "convnext_tiny of its authors": (names.convnext("authors", (3, 3, 9, 3), 96), 28_589_128),
    "vit_b_16": (names.vit("torchvision", 768, 12), 86_567_656),
    "vit_b_32 of old": (names.vit("torchvision_old", 768, 12, patch=32, places=49), 88_224_232),
    "vit_tiny of timm": (names.vit("timm", 192, 12), 5_717_416),
    "vit_small of timm": (names.vit("timm", 384, 12), 22_050_664),
}
"""The numbers of weights are those that torchvision and timm print of these models (of atto: 3.70M)."""


def built(file: Mapping[str, torch.Tensor]) -> tuple[Network, nn.Module]:
    """The network that a file's shapes tell, without numbers, for 1000 classes at 224 pixels."""
    network = Network.parse(published(file, "file").network)
    with torch.device("meta"):
        return network, network.build(of_shape(224, 224, 3), 1000)


@pytest.mark.parametrize(("file", "count"), FILES.values(), ids=FILES)
def test_a_published_file_gives_every_weight_of_one_of_our_networks_its_name_and_shape(file, count: int):
    ours = published(file, "file").tensors
    _, module = built(file)
    own = {name: tuple(value.shape) for name, value in module.state_dict().items() if not name.startswith("pixels.")}
    assert {name: tuple(value.shape) for name, value in ours.items()} == own
    assert sum(parameter.numel() for parameter in module.parameters()) == count


def test_what_only_training_reads_is_left_and_named():
    assert {name.split(".")[0] for name in published(names.googlenet(), "file").dropped} == {"aux1", "aux2"}
    assert published(FILES["resnet18"][0], "file").dropped == ()


@pytest.mark.parametrize(
    ("file", "how"),
    [("resnet50", "imagenet"), ("googlenet", "half"), ("vit_b_16", "imagenet"), ("vit_tiny of timm", "half")],
)
def test_each_layout_has_the_normalisation_that_it_was_trained_with(file: str, how: str):
    assert published(FILES[file][0], "file").layout.normalisation == how
    assert NORMALISATIONS["imagenet"] == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_what_parallel_training_puts_before_each_name_is_taken_away():
    file = {f"module.{name}": tensor for name, tensor in FILES["resnet18"][0].items()}
    assert published(file, "file").tensors.keys() == FILES["resnet18"][0].keys()


def test_names_of_no_known_network_are_refused():
    with pytest.raises(DataError) as caught:
        published({"encoder.weight": torch.zeros(2)}, "x.pth")
    assert str(caught.value) == (
        "--from x.pth: the names of its weights are of no known network: encoder.weight ... Known: "
        "resnet (torchvision, timm), densenet (torchvision, timm), inception (torchvision), convnext (timm), "
        "convnext (torchvision), convnext (ConvNeXt), vit (torchvision), vit (timm). "
        "Give weights of one of these, or a bundle."
    )


def test_a_bundles_own_weights_are_to_be_given_as_the_bundle():
    with pytest.raises(DataError) as caught:
        published({"module.pixels.mean": torch.zeros(3), "module.fc.weight": torch.zeros(2, 2)}, "w.safetensors")
    assert str(caught.value) == (
        "--from w.safetensors: this file is the weights of a bundle. Give the bundle's folder: there every file is "
        "checked by its hash, and the network is named."
    )


@pytest.mark.parametrize(
    "file",
    [
        names.resnet((3, 4, 5, 3), bottleneck=True),
        {**names.densenet((6, 6), 32), "features.conv0.weight": torch.zeros(10, 3, 7, 7)},
        names.vit("timm", 40, 2),
    ],
    ids=["blocks", "stem", "heads"],
)
def test_a_size_that_we_have_not_is_refused(file: Mapping[str, torch.Tensor]):
    with pytest.raises(DataError, match=r"^--from file: the weights are named as those of \w+, but in numbers of"):
        published(file, "file")


def taken(file: Mapping[str, torch.Tensor], side: int, classes: int) -> nn.Module:
    found = published(file, "file")
    module = Network.parse(found.network).build(of_shape(side, side, 3), classes)
    numbers = {**found.tensors, "pixels.mean": torch.full((3,), 0.5), "pixels.sd": torch.full((3,), 0.25)}
    take_over(module, numbers, found.layout.kind, has_new_head=False, where="file")
    return module.eval()


def pixels(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two images as bytes [2, H, W, 3], and as the networks' first layers see them."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8, generator=generator)
    return images, (images.permute(0, 3, 1, 2) / 255 - 0.5) / 0.25


def batch_norm(x: torch.Tensor, state: names.State, name: str) -> torch.Tensor:
    numbers = (state[f"{name}.{word}"] for word in ("running_mean", "running_var", "weight", "bias"))
    return nn.functional.batch_norm(x, *numbers)


@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_resnet_answers_as_torchvisions(bottleneck: bool):
    blocks = (3, 4, 6, 3) if bottleneck else (2, 2, 2, 2)
    state = names.resnet(blocks, bottleneck=bottleneck, width=4, classes=5, make=names.drawn())
    images, x = pixels(64)

    def conv(x: torch.Tensor, name: str, stride: int = 1, padding: int = 0) -> torch.Tensor:
        return nn.functional.conv2d(x, state[f"{name}.weight"], stride=stride, padding=padding)

    x = nn.functional.max_pool2d(relu(batch_norm(conv(x, "conv1", 2, 3), state, "bn1")), 3, 2, 1)
    for stage, count in enumerate(blocks, start=1):
        for number in range(count):
            name, stride, shortcut = f"layer{stage}.{number}", 2 if stage > 1 and number == 0 else 1, x
            steps = [(1, 1, 0), (2, stride, 1), (3, 1, 0)] if bottleneck else [(1, stride, 1), (2, 1, 1)]
            for step, step_stride, padding in steps:
                x = batch_norm(conv(x, f"{name}.conv{step}", step_stride, padding), state, f"{name}.bn{step}")
                x = relu(x) if step < len(steps) else x
            if f"{name}.downsample.0.weight" in state:
                shortcut = batch_norm(conv(shortcut, f"{name}.downsample.0", stride), state, f"{name}.downsample.1")
            x = relu(x + shortcut)
    expected = linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])
    torch.testing.assert_close(taken(state, 64, 5)(images), expected, rtol=1e-4, atol=1e-4)


def test_a_googlenet_answers_as_torchvisions():
    state = {name: t for name, t in names.googlenet(names.drawn()).items() if not name.startswith("aux")}
    images, x = pixels(70)

    def unit(x: torch.Tensor, name: str, stride: int = 1, padding: int = 0) -> torch.Tensor:
        x = nn.functional.conv2d(x, state[f"{name}.conv.weight"], stride=stride, padding=padding)
        numbers = (state[f"{name}.bn.{word}"] for word in ("running_mean", "running_var", "weight", "bias"))
        return relu(nn.functional.batch_norm(x, *numbers, eps=0.001))

    def pool(x: torch.Tensor, kernel: int) -> torch.Tensor:
        return nn.functional.max_pool2d(x, kernel, 2, ceil_mode=True)

    x = pool(unit(x, "conv1", 2, 3), 3)
    x = pool(unit(unit(x, "conv2"), "conv3", padding=1), 3)
    for block in names.INCEPTION:
        x = pool(x, 3) if block == "4a" else pool(x, 2) if block == "5a" else x
        name = f"inception{block}"
        branches = [unit(x, f"{name}.branch1")]
        branches += [unit(unit(x, f"{name}.branch{n}.0"), f"{name}.branch{n}.1", padding=1) for n in (2, 3)]
        branches.append(unit(nn.functional.max_pool2d(x, 3, 1, 1), f"{name}.branch4.1"))
        x = torch.cat(branches, dim=1)
    expected = linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])
    found = taken(state, 70, 1000)(images)
    torch.testing.assert_close(found / expected.abs().max(), expected / expected.abs().max(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("library", ["torchvision", "timm", "timm_conv", "authors"])
def test_a_convnext_answers_as_its_authors(library: str):
    depths, width = (1, 2, 1), 8
    state = names.convnext(library, depths, width, classes=5, make=names.drawn())
    plain = names.convnext("authors", depths, width, classes=5, make=names.drawn())
    plain = dict(zip(plain, sorted_as(library, state, plain), strict=True))
    images, x = pixels(32)

    def over_channels(x: torch.Tensor, name: str) -> torch.Tensor:
        channels_last = x.permute(0, 2, 3, 1)
        normal = layer_norm(
            channels_last, channels_last.shape[-1:], plain[f"{name}.weight"], plain[f"{name}.bias"], 1e-6
        )
        return normal.permute(0, 3, 1, 2)

    for stage, count in enumerate(depths):
        name = f"downsample_layers.{stage}"
        order = (1, 0) if stage == 0 else (0, 1)
        x = over_channels(x, f"{name}.0") if stage else x
        conv = f"{name}.{order[1]}"
        x = nn.functional.conv2d(x, plain[f"{conv}.weight"], plain[f"{conv}.bias"], stride=2 if stage else 4)
        x = x if stage else over_channels(x, f"{name}.1")
        for number in range(count):
            name = f"stages.{stage}.{number}"
            weight = plain[f"{name}.dwconv.weight"]
            branch = nn.functional.conv2d(x, weight, plain[f"{name}.dwconv.bias"], padding=3, groups=len(weight))
            branch = over_channels(branch, f"{name}.norm").permute(0, 2, 3, 1)
            branch = gelu(linear(branch, plain[f"{name}.pwconv1.weight"], plain[f"{name}.pwconv1.bias"]))
            branch = linear(branch, plain[f"{name}.pwconv2.weight"], plain[f"{name}.pwconv2.bias"])
            x = x + (plain[f"{name}.gamma"] * branch).permute(0, 3, 1, 2)
    x = layer_norm(x.mean((2, 3)), (x.shape[1],), plain["norm.weight"], plain["norm.bias"], 1e-6)
    expected = linear(x, plain["head.weight"], plain["head.bias"])
    torch.testing.assert_close(taken(state, 32, 5)(images), expected, rtol=1e-4, atol=1e-4)


def sorted_as(library: str, state: names.State, plain: names.State) -> list[torch.Tensor]:
    """The numbers of a library's file in the order of the authors': both are drawn in the same order."""
    assert len(state) == len(plain), library
    return [tensor.reshape(plain[name].shape) for name, tensor in zip(plain, state.values(), strict=True)]


@pytest.mark.parametrize("library", ["torchvision", "torchvision_old", "timm"])
def test_a_vision_transformer_answers_as_torchs_own_layers_do(library: str):
    dim, depth, patch, side = 128, 2, 8, 32
    state = names.vit(library, dim, depth, patch=patch, places=16, classes=5, make=names.drawn())
    ours = taken(state, side, 5)
    images, x = pixels(side)
    by_number = iter(state.values())
    words = dict(zip(state, by_number, strict=True))
    timm = library == "timm"
    conv = "patch_embed.proj" if timm else "conv_proj"
    token, places = (
        (words["cls_token"], words["pos_embed"]) if timm else (words["class_token"], words["encoder.pos_embedding"])
    )
    x = nn.functional.conv2d(x, words[f"{conv}.weight"], words[f"{conv}.bias"], stride=patch).flatten(2).transpose(1, 2)
    x = torch.cat([token.expand(2, -1, -1), x], dim=1) + places
    for number in range(depth):
        block = f"blocks.{number}" if timm else f"encoder.layers.encoder_layer_{number}"
        inner = (
            ("attn.qkv.weight", "attn.qkv.bias")
            if timm
            else ("self_attention.in_proj_weight", "self_attention.in_proj_bias")
        )
        outer = "attn.proj" if timm else "self_attention.out_proj"
        norms = ("norm1", "norm2") if timm else ("ln_1", "ln_2")
        dense = (
            ("mlp.fc1", "mlp.fc2")
            if timm
            else ("mlp.0", "mlp.3")
            if library == "torchvision"
            else ("mlp.linear_1", "mlp.linear_2")
        )
        attention = nn.MultiheadAttention(dim, 2, batch_first=True)
        attention.load_state_dict({
            "in_proj_weight": words[f"{block}.{inner[0]}"], "in_proj_bias": words[f"{block}.{inner[1]}"],
            "out_proj.weight": words[f"{block}.{outer}.weight"], "out_proj.bias": words[f"{block}.{outer}.bias"],
        })  # fmt: skip
        normal = layer_norm(x, (dim,), words[f"{block}.{norms[0]}.weight"], words[f"{block}.{norms[0]}.bias"], 1e-6)
        x = x + attention(normal, normal, normal, need_weights=False)[0]
        normal = layer_norm(x, (dim,), words[f"{block}.{norms[1]}.weight"], words[f"{block}.{norms[1]}.bias"], 1e-6)
        hidden = gelu(linear(normal, words[f"{block}.{dense[0]}.weight"], words[f"{block}.{dense[0]}.bias"]))
        x = x + linear(hidden, words[f"{block}.{dense[1]}.weight"], words[f"{block}.{dense[1]}.bias"])
    last, head = ("norm", "head") if timm else ("encoder.ln", "heads.head")
    x = layer_norm(x, (dim,), words[f"{last}.weight"], words[f"{last}.bias"], 1e-6)[:, 0]
    expected = linear(x, words[f"{head}.weight"], words[f"{head}.bias"])
    with torch.no_grad():
        torch.testing.assert_close(ours(images), expected, rtol=1e-3, atol=1e-3)
