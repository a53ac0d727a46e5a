"""Key maps: published weights by the names that torchvision, timm and the papers' authors gave them, as ours.

Two files never look alike to a map: each layout is known by a few of its names. Normalisations are those that the
published weights were trained with; torchvision's GoogLeNet brings ImageNet's back to .5 and .5 inside the network, and
timm's ViT (augreg) was trained with these.

References: the model files of torchvision (models/{resnet,densenet,googlenet,convnext,vision_transformer}.py), timm
(models/{resnet,densenet,convnext,vision_transformer}.py) and facebookresearch/ConvNeXt (models/convnext.py).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from deepwright.core.errors import DataError
from deepwright.model.resnet import LARGE, SMALL

if TYPE_CHECKING:
    import torch

Shapes = Mapping[str, tuple[int, ...]]
Normalisation = Literal["imagenet", "half"]

NORMALISATIONS: Mapping[Normalisation, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
"""Mean and sd of the channels of pixels in 0 to 1."""
SIDE = 224
"""Pixels of the images that published weights were mostly trained on."""
HEADS = {192: 3, 384: 6, 768: 12, 1024: 16, 1280: 16}
"""Attention heads of published ViT, by the numbers of a token; no weight's shape tells them."""
STAGES = range(8)
FIRST = {
    "resnet": "conv1.weight", "densenet": "features.conv0.weight", "inception": "conv1.conv.weight",
    "convnext": "stem.0.weight", "vit": "patch_embed.proj.weight",
}  # fmt: skip
"""The weight that pixels meet first, [D, channels, H, W]."""


@dataclass(frozen=True)
class Layout:
    """How one library names the weights of one kind of network.

    signs: names by which it is known. rules: (pattern, replacement) tried in order on the start of a name. dropped:
    names that our network has no use for, such as heads that only training reads.
    """

    library: str
    kind: str
    signs: tuple[str, ...]
    rules: tuple[tuple[str, str], ...] = ()
    dropped: str = r"(?!)"
    normalisation: Normalisation = "imagenet"

    def renamed(self, name: str) -> str | None:
        """Our name of a weight; None: it is not needed.

        >>> LAYOUTS[4].renamed("features.3.2.block.5.weight"), LAYOUTS[2].renamed("aux1.fc1.bias")
        ('stages.1.blocks.2.mlp.fc2.weight', None)
        """
        if re.match(self.dropped, name):
            return None
        for pattern, replacement in self.rules:
            new, count = re.subn(rf"^{pattern}", replacement, name)
            if count:
                return new
        return name


_OLD_DENSE = (r"(features\.denseblock\d+\.denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.")
"""torchvision's oldest files have a point before the number."""
_TORCHVISION_CONVNEXT = (
    (r"features\.0\.", "stem."),
    *(
        rule
        for stage in STAGES
        for rule in (
            (rf"features\.{2 * stage + 1}\.(\d+)\.block\.0\.", rf"stages.{stage}.blocks.\1.conv_dw."),
            (rf"features\.{2 * stage + 1}\.(\d+)\.block\.2\.", rf"stages.{stage}.blocks.\1.norm."),
            (rf"features\.{2 * stage + 1}\.(\d+)\.block\.3\.", rf"stages.{stage}.blocks.\1.mlp.fc1."),
            (rf"features\.{2 * stage + 1}\.(\d+)\.block\.5\.", rf"stages.{stage}.blocks.\1.mlp.fc2."),
            (rf"features\.{2 * stage + 1}\.(\d+)\.layer_scale$", rf"stages.{stage}.blocks.\1.gamma"),
            (rf"features\.{2 * stage + 2}\.([01])\.", rf"stages.{stage + 1}.downsample.\1."),
        )
    ),
    (r"classifier\.0\.", "head.norm."),
    (r"classifier\.2\.", "head.fc."),
)
_AUTHORS_CONVNEXT = (
    (r"downsample_layers\.0\.", "stem."),
    (r"downsample_layers\.(\d+)\.", r"stages.\1.downsample."),
    (r"stages\.(\d+)\.(\d+)\.dwconv\.", r"stages.\1.blocks.\2.conv_dw."),
    (r"stages\.(\d+)\.(\d+)\.pwconv([12])\.", r"stages.\1.blocks.\2.mlp.fc\3."),
    (r"stages\.(\d+)\.(\d+)\.", r"stages.\1.blocks.\2."),
    (r"norm\.", "head.norm."),
    (r"head\.", "head.fc."),
)
_TORCHVISION_VIT = (
    (r"class_token$", "cls_token"),
    (r"encoder\.pos_embedding$", "pos_embed"),
    (r"conv_proj\.", "patch_embed.proj."),
    (r"encoder\.layers\.encoder_layer_(\d+)\.ln_([12])\.", r"blocks.\1.norm\2."),
    (r"encoder\.layers\.encoder_layer_(\d+)\.self_attention\.in_proj_", r"blocks.\1.attn.qkv."),
    (r"encoder\.layers\.encoder_layer_(\d+)\.self_attention\.out_proj\.", r"blocks.\1.attn.proj."),
    (r"encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:0|linear_1)\.", r"blocks.\1.mlp.fc1."),
    (r"encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:3|linear_2)\.", r"blocks.\1.mlp.fc2."),
    (r"encoder\.ln\.", "norm."),
    (r"heads\.head\.", "head."),
)
LAYOUTS = (
    Layout("torchvision, timm", "resnet", ("conv1.weight", "bn1.weight", "layer1.0.conv1.weight")),
    Layout("torchvision, timm", "densenet", ("features.conv0.weight", "features.norm0.weight"), (_OLD_DENSE,)),
    Layout(
        "torchvision",
        "inception",
        ("conv1.conv.weight", "inception3a.branch1.conv.weight"),
        dropped=r"aux[12]\.",
        normalisation="half",
    ),
    Layout("timm", "convnext", ("stem.0.weight", "stages.0.blocks.0.conv_dw.weight")),
    Layout("torchvision", "convnext", ("features.0.0.weight", "features.1.0.block.0.weight"), _TORCHVISION_CONVNEXT),
    Layout("ConvNeXt", "convnext", ("downsample_layers.0.0.weight", "stages.0.0.dwconv.weight"), _AUTHORS_CONVNEXT),
    Layout("torchvision", "vit", ("class_token", "conv_proj.weight"), _TORCHVISION_VIT),
    Layout("timm", "vit", ("patch_embed.proj.weight", "blocks.0.attn.qkv.weight"), normalisation="half"),
)
KNOWN = ", ".join(f"{layout.kind} ({layout.library})" for layout in LAYOUTS)


@dataclass(frozen=True)
class Published:
    """Weights under our names. network: the kind and its options as the shapes tell them, in plain data. channels: of
    the images that it takes. dropped: names that were not needed."""

    layout: Layout
    channels: int
    network: dict[str, Any]
    tensors: "dict[str, torch.Tensor]"
    dropped: tuple[str, ...]


def published(tensors: "Mapping[str, torch.Tensor]", where: str) -> Published:
    """Weights of a file as ours. where: the file, for errors.

    Raises DataError where the names are of no known layout, or the shapes of a network that we do not have.
    """
    if all(name.startswith("module.") for name in tensors):  # what torch's DataParallel puts before every name
        tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    if "pixels.mean" in tensors:
        raise DataError("transfer.weights_of_bundle", where=where)
    layout = next((each for each in LAYOUTS if all(sign in tensors for sign in each.signs)), None)
    if layout is None:
        raise DataError(
            "transfer.unknown_layout", where=where, found=", ".join(sorted(tensors)[:5]) or "-", known=KNOWN
        )
    ours, dropped = {}, []
    for name, tensor in tensors.items():
        new = layout.renamed(name)
        if new is None:
            dropped.append(name)
        else:
            ours[new] = _plain_matrix(new, tensor)
    network = _READERS[layout.kind]({name: tuple(tensor.shape) for name, tensor in ours.items()})
    if network is None:
        raise DataError("transfer.no_such_network", where=where, kind=layout.kind)
    channels = int(ours[FIRST[layout.kind]].shape[1])
    return Published(layout, channels, {"kind": layout.kind, **network}, ours, tuple(sorted(dropped)))


def _plain_matrix(name: str, tensor: "torch.Tensor") -> "torch.Tensor":
    """A dense layer that was written as a 1x1 convolution, and a factor [C, 1, 1], as ours: the same numbers."""
    is_factor = name.endswith(".gamma")
    is_dense = ".mlp.fc" in name and tensor.ndim == 4 and tuple(tensor.shape[2:]) == (1, 1)
    return tensor.flatten() if is_factor else tensor.flatten(1) if is_dense else tensor


def _count(shapes: Shapes, pattern: str) -> int:
    """How many different numbers stand in names at the pattern's group: 0, 1, 2, ... or 1, 2, 3, ..."""
    return len({found[1] for name in shapes if (found := re.match(pattern, name)) is not None})


def _resnet(shapes: Shapes) -> dict[str, Any] | None:
    stages = _count(shapes, r"layer(\d+)\.")
    blocks = tuple(_count(shapes, rf"layer{stage}\.(\d+)\.") for stage in range(1, stages + 1))
    is_bottleneck = "layer1.0.conv3.weight" in shapes
    known = {(found, depth >= 50): depth for depth, found in LARGE.items()}
    known |= {((found,) * 3, False): depth for depth, found in SMALL.items()}
    depth = known.get((blocks, is_bottleneck))
    first = shapes["conv1.weight"]
    return None if depth is None else {"depth": depth, "width": first[0], "stem": _stem(first)}


def _densenet(shapes: Shapes) -> dict[str, Any] | None:
    stages = _count(shapes, r"features\.denseblock(\d+)\.")
    blocks = [_count(shapes, rf"features\.denseblock{stage}\.denselayer(\d+)\.") for stage in range(1, stages + 1)]
    growth = shapes.get("features.denseblock1.denselayer1.conv2.weight", (0,))[0]
    first = shapes["features.conv0.weight"]
    if not growth or first[0] != 2 * growth:
        return None
    return {"blocks": blocks, "growth": growth, "stem": _stem(first)}


def _inception(shapes: Shapes) -> dict[str, Any] | None:
    blocks = [_count(shapes, rf"inception{stage}([a-z])\.") for stage in (3, 4, 5)]
    first = shapes["conv1.conv.weight"]
    return {"blocks": blocks, "width": first[0], "stem": _stem(first)} if all(blocks) else None


def _convnext(shapes: Shapes) -> dict[str, Any] | None:
    stages = _count(shapes, r"stages\.(\d+)\.")
    depths = [_count(shapes, rf"stages\.{stage}\.blocks\.(\d+)\.") for stage in range(stages)]
    stem, kernel = shapes["stem.0.weight"], shapes.get("stages.0.blocks.0.conv_dw.weight", (0,))
    return {"depths": depths, "width": stem[0], "patch": stem[-1], "kernel": kernel[-1]} if all(depths) else None


def _vit(shapes: Shapes) -> dict[str, Any] | None:
    patch, units = shapes["patch_embed.proj.weight"], shapes.get("blocks.0.mlp.fc1.weight", (0,))
    dim = patch[0]
    heads = HEADS.get(dim, dim // 64)
    if not heads or dim % heads or not units[0]:
        return None
    return {
        "dim": dim, "patch": patch[-1], "depth": _count(shapes, r"blocks\.(\d+)\."), "heads": heads,
        "widening": units[0] / dim, "summary": "token" if "cls_token" in shapes else "mean",
    }  # fmt: skip


def _stem(first: tuple[int, ...]) -> str:
    return "small" if first[-1] == 3 else "large"


_READERS = {"resnet": _resnet, "densenet": _densenet, "inception": _inception, "convnext": _convnext, "vit": _vit}
"""A network's options by the shapes of its weights; None: no network of ours has them."""
