"""What tests of networks on images share."""

import numpy as np
import torch

from deepwright.core.families import Network, Tensor


def of_shape(height: int, width: int, channels: int) -> tuple[Tensor, ...]:
    """The inputs of a network on one image."""
    return (Tensor("image", channels, "uint8", shape=(height, width, channels)),)


def num_weights(net: Network, side: int, num_outputs: int) -> int:
    """How many weights a network for square images in colour has."""
    return sum(weight.numel() for weight in net.build(of_shape(side, side, 3), num_outputs).parameters())


def shapes(rows: int, side: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images uint8 [N, side, side, 1] of three classes [N]: a bar that lies, one that stands, a cross."""
    draw = np.random.default_rng(seed)
    classes = np.arange(rows) % 3
    images = draw.integers(0, 100, (rows, side, side, 1))
    for image, kind, place in zip(images, classes, draw.integers(side // 4, 3 * side // 4, (rows, 2)), strict=True):
        if kind != 1:
            image[place[0] - 1 : place[0] + 1] += 120
        if kind != 0:
            image[:, place[1] - 1 : place[1] + 1] += 120
    return images.clip(0, 255).astype(np.uint8), classes


def loss_of_one_batch(net: Network, *, steps: int, lr: float = 3e-3) -> tuple[float, float]:
    """The cross-entropy of twelve images before and after training on them alone, without anything random."""
    images, classes = shapes(12)
    torch.manual_seed(0)
    module = net.build(of_shape(16, 16, 1), 3)
    net.adapt(module, {"image": images})
    optimizer = torch.optim.Adam(module.parameters(), lr=lr)
    x, y = torch.from_numpy(images), torch.from_numpy(classes)
    losses = []
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(module(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[0], losses[-1]
