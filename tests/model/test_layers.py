"""Layers: known answers."""

import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.model.layers import Normalise


def test_bytes_become_standardised_numbers_per_channel():
    pixels = torch.randint(0, 256, (4, 3, 5, 7), dtype=torch.uint8)
    mean, sd = (0.1, 0.5, 0.9), (0.2, 0.3, 0.4)
    column = [torch.tensor(each).reshape(1, 3, 1, 1) for each in (mean, sd)]
    found = Normalise(mean, sd)(pixels)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, (pixels.float() / 255 - column[0]) / column[1])


def test_channels_stay_last_in_memory():
    pixels = torch.zeros((4, 3, 5, 7), dtype=torch.uint8).to(memory_format=torch.channels_last)
    assert Normalise()(pixels).is_contiguous(memory_format=torch.channels_last)


def test_the_result_has_the_dtype_of_the_network():
    assert Normalise().to(torch.bfloat16)(torch.zeros((1, 3, 2, 2), dtype=torch.uint8)).dtype == torch.bfloat16


@pytest.mark.parametrize(("mean", "sd"), [((0.5,), (0.5, 0.5)), ((0.5,), (0.0,))])
def test_numbers_that_cannot_be_are_refused(mean: tuple[float, ...], sd: tuple[float, ...]):
    with pytest.raises(RecipeError, match="every sd above 0"):
        Normalise(mean, sd)
