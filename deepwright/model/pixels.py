"""The first layer of a network on images; imports torch.

Shapes: B images, H height, W width, C channels.
"""

import numpy as np
import torch
from torch import nn

IMAGES = 4096
"""Training images whose pixels are counted at most, evenly spread: their mean is known to a thousandth."""
BLOCK = 256
SMALLEST_SD = 1 / 255
"""A channel that spreads less than one step of a byte has no spread; it is divided by 1."""


class Pixels(nn.Module):
    """Pixels uint8 [B, H, W, C] to float32 [B, C, H, W], (x / 255 - mean) / sd per channel, channels last in memory.

    Images travel to the device as bytes, a quarter of what floats take. The result has the buffers' dtype, so that of
    the network under `.half()` and the like.

    >>> pixels = Pixels(1)
    >>> pixels.adapt(np.array([0, 100, 200], np.uint8).reshape(3, 1, 1, 1))
    >>> pixels(torch.full((1, 1, 1, 1), 200, dtype=torch.uint8)).item()  # 100 above the mean, sd is 81.65
    1.2247449159622192
    """

    mean: torch.Tensor
    sd: torch.Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((channels,), 0.5))
        self.register_buffer("sd", torch.full((channels,), 0.25))

    def forward(self, pixels_BHWC: torch.Tensor) -> torch.Tensor:
        x_BCHW = pixels_BHWC.permute(0, 3, 1, 2).to(self.sd.dtype)
        shift, scale = (each.reshape(1, -1, 1, 1) for each in (-self.mean / self.sd, 1 / (255 * self.sd)))
        return torch.addcmul(shift, x_BCHW, scale)

    def adapt(self, images: np.ndarray) -> None:
        """Take each channel's mean and sd from the training images, uint8 [N, H, W, C]."""
        picked = np.unique(np.linspace(0, len(images) - 1, IMAGES).round().astype(np.int64))
        counts = np.zeros((images.shape[-1], 256), np.int64)
        for start in range(0, len(picked), BLOCK):
            block = np.asarray(images[picked[start : start + BLOCK]])
            for channel, count in enumerate(counts):
                count += np.bincount(block[..., channel].ravel(), minlength=256)
        values = np.arange(256) / 255
        mean = counts @ values / counts.sum(axis=1)
        sd = np.sqrt(np.maximum(counts @ values**2 / counts.sum(axis=1) - mean**2, 0))
        self.mean.copy_(torch.from_numpy(mean))
        self.sd.copy_(torch.from_numpy(np.where(sd < SMALLEST_SD, 1.0, sd)))
