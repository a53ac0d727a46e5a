"""What the tests of this folder share: digits, split once, and a small network."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from deepwright.core.families import Tensor
from deepwright.model.tabular import MLP


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def digits():
    """((x, y) train, (x, y) validation): 1,200 and 597 rows of 64 standardised numbers, 10 classes."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    x, y = x[order].astype(np.float32), y[order].astype(np.int64)
    x = (x - x[:1200].mean(0)) / (x[:1200].std(0) + 1e-6)
    return (x[:1200], y[:1200]), (x[1200:], y[1200:])


@pytest.fixture
def make_mlp():
    def make(seed: int = 0, outputs: int = 10, inputs: int = 64, **options):
        torch.manual_seed(seed)
        return MLP(**{"widths": (32,), **options}).build((Tensor("x", inputs),), outputs)

    return make


@pytest.fixture
def accuracy():
    return {"accuracy": lambda target, answer: float((answer.argmax(1) == target).mean())}
