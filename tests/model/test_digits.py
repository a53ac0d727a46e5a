"""Every network on images learns handwritten digits by the training options that suit it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import deepwright.parts  # noqa: F401 - defines every kind
from deepwright.core.families import Network
from deepwright.core.recipe import Train
from deepwright.model.cnn import CNN
from deepwright.model.convnext import ConvNeXt
from deepwright.model.custom import Custom
from deepwright.model.densenet import DenseNet
from deepwright.model.inception import Inception
from deepwright.model.resnet import ResNet
from deepwright.model.vit import ViT
from deepwright.train.loop import fit
from deepwright.train.regularize import Regularize
from tests.model.images import of_shape

CONV: Mapping[str, Any] = {"kind": "conv", "width": 16, "bias": False}
WIDE: Mapping[str, Any] = {**CONV, "width": 32}
LAYERS = (
    CONV, "norm", "activation", CONV, "norm", "activation", "pool",
    {"kind": "residual", "layers": [WIDE, "norm", "activation", {"kind": "squeeze_excite", "reduction": 4}]},
    "norm", "activation", "pool", {"kind": "residual", "layers": [WIDE, "norm", "activation"]}, "norm", "activation",
)  # fmt: skip


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 digits as images uint8 [N, 16, 16, 1] and their classes; each of 8 x 8 pixels is four."""
    data = load_digits()
    images = np.kron(data.images * (255 / 16), np.ones((1, 2, 2))).round().astype(np.uint8)
    return images[..., None], data.target.astype(np.int64)


def accuracy(net: Network, *, epochs: int) -> float:
    """On the last 450 digits, which others wrote than the first 1,347."""
    images, classes = digits()
    train = Train(**{**net.suited, "epochs": epochs})
    torch.manual_seed(0)
    module = net.build(of_shape(16, 16, 1), 10)
    net.adapt(module, {"image": images[:1347]})
    fit(
        module,
        train=({"image": images[:1347]}, classes[:1347]),
        validation=({"image": images[1347:]}, classes[1347:]),
        loss="cross_entropy",
        optimizer=train.optimizer,
        schedule=train.schedule,
        epochs=epochs,
        batch_size=64,
        patience=None,
        threads=1,
        regularize=Regularize.of(train),
    ).finish()
    with torch.no_grad():
        scores = module.eval()(torch.from_numpy(images[1347:]))
    return float((scores.argmax(1).numpy() == classes[1347:]).mean())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("net", "epochs", "floor"),
    [
        (CNN(widths=(16, 32)), 10, 0.93),
        (ResNet(depth=8), 10, 0.93),
        (Inception(width=8, blocks=(1, 1, 1)), 10, 0.93),
        (DenseNet(blocks=(2, 2, 2)), 10, 0.93),
        (ConvNeXt(depths=(1, 1, 2), width=32), 20, 0.9),
        (ViT(dim=48, depth=2, heads=3, patch=4), 20, 0.85),
        (Custom(layers=LAYERS), 10, 0.9),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_it_learns_digits(net: Network, epochs: int, floor: float):
    assert accuracy(net, epochs=epochs) >= floor
