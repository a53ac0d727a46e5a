"""Names and shapes of published weights, written down from the model files of their libraries, as state dicts.

torchvision: resnet.py, densenet.py, googlenet.py, convnext.py, vision_transformer.py; timm: convnext.py,
vision_transformer.py; facebookresearch/ConvNeXt: convnext.py. Nothing here knows our own networks or maps.
"""

from collections.abc import Callable, Sequence

import torch

Make = Callable[..., torch.Tensor]
State = dict[str, torch.Tensor]


def shapes_alone(*shape: int) -> torch.Tensor:
    """A tensor without numbers: large networks cost nothing."""
    return torch.empty(shape, device="meta")


def drawn(seed: int = 0) -> Make:
    """Small numbers, drawn in the order of the calls; variances and the like must be above 0."""
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: (
        0.1 + 0.2 * torch.rand(shape, generator=generator) * (1 - 2 * torch.rand(shape, generator=generator).round())
    )


def norm(make: Make, name: str, width: int) -> State:
    found = {f"{name}.{word}": make(width) for word in ("weight", "bias", "running_mean")}
    return found | {f"{name}.running_var": make(width).abs() + 0.1, f"{name}.num_batches_tracked": torch.tensor(7)}


def layer(make: Make, name: str, *shape: int) -> State:
    return {f"{name}.weight": make(*shape), f"{name}.bias": make(shape[0])}


def resnet(
    blocks: Sequence[int], *, bottleneck: bool, width: int = 64, classes: int = 1000, make: Make = shapes_alone
) -> State:
    found = {"conv1.weight": make(width, 3, 7, 7)} | norm(make, "bn1", width)
    inner, expansion = width, 4 if bottleneck else 1
    for stage, count in enumerate(blocks):
        middle = width * 2**stage
        for number in range(count):
            name = f"layer{stage + 1}.{number}"
            sizes = (
                [(inner, middle, 1), (middle, middle, 3), (middle, 4 * middle, 1)]
                if bottleneck
                else [(inner, middle, 3), (middle, middle, 3)]
            )
            for step, (before, after, kernel) in enumerate(sizes, start=1):
                found[f"{name}.conv{step}.weight"] = make(after, before, kernel, kernel)
                found |= norm(make, f"{name}.bn{step}", after)
            if number == 0 and (stage or bottleneck):
                found[f"{name}.downsample.0.weight"] = make(middle * expansion, inner, 1, 1)
                found |= norm(make, f"{name}.downsample.1", middle * expansion)
            inner = middle * expansion
    return found | layer(make, "fc", classes, inner)


def densenet(
    blocks: Sequence[int], growth: int, *, old: bool = False, classes: int = 1000, make: Make = shapes_alone
) -> State:
    """old: as in torchvision's oldest files, `norm.1` for `norm1`."""
    point = "." if old else ""
    inner = 2 * growth
    found = {"features.conv0.weight": make(inner, 3, 7, 7)} | norm(make, "features.norm0", inner)
    for block, count in enumerate(blocks, start=1):
        for number in range(1, count + 1):
            name = f"features.denseblock{block}.denselayer{number}"
            found |= norm(make, f"{name}.norm{point}1", inner)
            found[f"{name}.conv{point}1.weight"] = make(4 * growth, inner, 1, 1)
            found |= norm(make, f"{name}.norm{point}2", 4 * growth)
            found[f"{name}.conv{point}2.weight"] = make(growth, 4 * growth, 3, 3)
            inner += growth
        if block < len(blocks):
            found |= norm(make, f"features.transition{block}.norm", inner)
            found[f"features.transition{block}.conv.weight"] = make(inner // 2, inner, 1, 1)
            inner //= 2
    return found | norm(make, f"features.norm{len(blocks) + 1}", inner) | layer(make, "classifier", classes, inner)


INCEPTION = {
    "3a": (192, 64, 96, 128, 16, 32, 32), "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64), "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64), "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128), "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}  # fmt: skip


def googlenet(make: Make = shapes_alone) -> State:
    """With the two heads that only training reads, as the file has them."""

    def unit(name: str, before: int, after: int, kernel: int) -> State:
        return {f"{name}.conv.weight": make(after, before, kernel, kernel)} | norm(make, f"{name}.bn", after)

    found = unit("conv1", 3, 64, 7) | unit("conv2", 64, 64, 1) | unit("conv3", 64, 192, 3)
    for block, (inner, first, second_in, second, third_in, third, fourth) in INCEPTION.items():
        name = f"inception{block}"
        found |= unit(f"{name}.branch1", inner, first, 1)
        found |= unit(f"{name}.branch2.0", inner, second_in, 1) | unit(f"{name}.branch2.1", second_in, second, 3)
        found |= unit(f"{name}.branch3.0", inner, third_in, 1) | unit(f"{name}.branch3.1", third_in, third, 3)
        found |= unit(f"{name}.branch4.1", inner, fourth, 1)
    for name, inner in (("aux1", 512), ("aux2", 528)):
        found |= (
            unit(f"{name}.conv", inner, 128, 1)
            | layer(make, f"{name}.fc1", 1024, 2048)
            | layer(make, f"{name}.fc2", 1000, 1024)
        )
    return found | layer(make, "fc", 1000, 1024)


def convnext(
    library: str, depths: Sequence[int], width: int, *, classes: int = 1000, make: Make = shapes_alone
) -> State:
    """library: torchvision, timm, timm's sizes whose dense layers are 1x1 convolutions (timm_conv), or authors."""
    one = (1, 1) if library == "timm_conv" else ()
    library = library.removesuffix("_conv")
    stem = {"torchvision": ("features.0.0", "features.0.1"), "timm": ("stem.0", "stem.1")}
    conv, after = stem.get(library, ("downsample_layers.0.0", "downsample_layers.0.1"))
    found = layer(make, conv, width, 3, 4, 4) | layer(make, after, width)
    inner = width
    for stage, count in enumerate(depths):
        outer = width * 2**stage
        if stage:
            name = {"torchvision": f"features.{2 * stage}", "timm": f"stages.{stage}.downsample"}.get(
                library, f"downsample_layers.{stage}"
            )
            found |= layer(make, f"{name}.0", inner) | layer(make, f"{name}.1", outer, inner, 2, 2)
        for number in range(count):
            if library == "torchvision":
                name = f"features.{2 * stage + 1}.{number}"
                found[f"{name}.layer_scale"] = make(outer, 1, 1)
                words = ("block.0", "block.2", "block.3", "block.5")
            elif library == "timm":
                name, words = f"stages.{stage}.blocks.{number}", ("conv_dw", "norm", "mlp.fc1", "mlp.fc2")
                found[f"{name}.gamma"] = make(outer)
            else:
                name, words = f"stages.{stage}.{number}", ("dwconv", "norm", "pwconv1", "pwconv2")
                found[f"{name}.gamma"] = make(outer)
            shapes = ((outer, 1, 7, 7), (outer,), (4 * outer, outer, *one), (outer, 4 * outer, *one))
            for word, shape in zip(words, shapes, strict=True):
                found |= layer(make, f"{name}.{word}", *shape)
        inner = outer
    last, head = {"torchvision": ("classifier.0", "classifier.2"), "timm": ("head.norm", "head.fc")}.get(
        library, ("norm", "head")
    )
    return found | layer(make, last, inner) | layer(make, head, classes, inner)


def vit(
    library: str,
    dim: int,
    depth: int,
    *,
    patch: int = 16,
    places: int = 196,
    classes: int = 1000,
    make: Make = shapes_alone,
) -> State:
    """library: torchvision, its older files (torchvision_old), or timm."""
    if library == "timm":
        found = {"cls_token": make(1, 1, dim), "pos_embed": make(1, places + 1, dim)}
        found |= layer(make, "patch_embed.proj", dim, 3, patch, patch)
        for number in range(depth):
            name = f"blocks.{number}"
            found |= layer(make, f"{name}.norm1", dim) | layer(make, f"{name}.attn.qkv", 3 * dim, dim)
            found |= layer(make, f"{name}.attn.proj", dim, dim) | layer(make, f"{name}.norm2", dim)
            found |= layer(make, f"{name}.mlp.fc1", 4 * dim, dim) | layer(make, f"{name}.mlp.fc2", dim, 4 * dim)
        return found | layer(make, "norm", dim) | layer(make, "head", classes, dim)
    first, second = ("mlp.linear_1", "mlp.linear_2") if library == "torchvision_old" else ("mlp.0", "mlp.3")
    found = {"class_token": make(1, 1, dim)} | layer(make, "conv_proj", dim, 3, patch, patch)
    found["encoder.pos_embedding"] = make(1, places + 1, dim)
    for number in range(depth):
        name = f"encoder.layers.encoder_layer_{number}"
        found |= layer(make, f"{name}.ln_1", dim)
        found[f"{name}.self_attention.in_proj_weight"] = make(3 * dim, dim)
        found[f"{name}.self_attention.in_proj_bias"] = make(3 * dim)
        found |= layer(make, f"{name}.self_attention.out_proj", dim, dim) | layer(make, f"{name}.ln_2", dim)
        found |= layer(make, f"{name}.{first}", 4 * dim, dim) | layer(make, f"{name}.{second}", dim, 4 * dim)
    return found | layer(make, "encoder.ln", dim) | layer(make, "heads.head", classes, dim)
