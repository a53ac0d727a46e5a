import numpy as np
import pytest
import torch

from deepwright.model import pixels
from deepwright.model.pixels import Pixels


def test_pixels_of_the_training_images_have_mean_0_and_sd_1_per_channel():
    draw = np.random.default_rng(0)
    images = np.stack([draw.integers(0, high, (20, 6, 7)) for high in (256, 40, 12)], axis=-1).astype(np.uint8)
    layer = Pixels(3)
    layer.adapt(images)
    x = layer(torch.from_numpy(images))
    assert x.shape == (20, 3, 6, 7) and x.dtype == torch.float32
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(x.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4, rtol=0)


def test_an_image_keeps_its_places_and_channels():
    image = torch.arange(2 * 3 * 2, dtype=torch.uint8).reshape(1, 2, 3, 2)
    layer = Pixels(2)
    x = layer(image) * layer.sd.reshape(1, 2, 1, 1) + layer.mean.reshape(1, 2, 1, 1)
    torch.testing.assert_close((x * 255).round().to(torch.uint8)[0, 1], image[0, :, :, 1])


def test_channels_stay_last_in_memory():
    assert Pixels(3)(torch.zeros(4, 5, 7, 3, dtype=torch.uint8)).is_contiguous(memory_format=torch.channels_last)


def test_the_result_has_the_dtype_of_the_network():
    assert Pixels(1).to(torch.bfloat16)(torch.zeros(1, 2, 2, 1, dtype=torch.uint8)).dtype == torch.bfloat16


def test_of_many_images_evenly_spread_ones_are_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pixels, "IMAGES", 3)
    monkeypatch.setattr(pixels, "BLOCK", 2)
    images = np.zeros((101, 8, 8, 1), np.uint8)
    images[50], images[100], images[7] = 30, 60, 255
    layer = Pixels(1)
    layer.adapt(images)
    assert layer.mean.item() * 255 == pytest.approx(30) and layer.sd.item() * 255 == pytest.approx(600**0.5)


def test_a_channel_without_spread_is_divided_by_1():
    layer = Pixels(1)
    layer.adapt(np.full((5, 8, 8, 1), 7, np.uint8))
    assert layer.sd.item() == 1 and layer.mean.item() * 255 == pytest.approx(7)
