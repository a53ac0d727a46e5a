"""The same training twice ends in the same bits: four networks, rows in memory and loaders of 0, 1 and 2 workers."""

import numpy as np
import pytest
import torch

from deepwright.train.loop import fit
from deepwright.train.step import Steps
from tests.train.kill_trials import Attention, Recurrent, convolution, dense

NETWORKS = {"mlp": dense, "cnn with batch norm": convolution, "lstm": Recurrent, "transformer": Attention}
ROWS, BATCH = 48, 16


class Shifted(torch.utils.data.Dataset):
    """Rows with noise that is drawn as each is read, in the worker that reads it."""

    def __init__(self) -> None:
        draw = np.random.default_rng(0)
        self.x = draw.standard_normal((ROWS, 16)).astype(np.float32)
        self.y = draw.integers(0, 3, ROWS)

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(self.x[place]) + 0.1 * torch.randn(16), int(self.y[place])


def trained(network: str, workers: int | None, *, is_disturbed: bool) -> str:
    """The digest after two epochs. is_disturbed: whoever reads the events draws random numbers meanwhile."""
    torch.manual_seed(1)
    module, data = NETWORKS[network](), Shifted()
    train = (data.x, data.y)
    if workers is not None:
        train = torch.utils.data.DataLoader(data, BATCH, shuffle=True, num_workers=workers)
    batch_size = BATCH if workers is None else None
    training = fit(module, train, loss="cross_entropy", optimizer="adamw", epochs=2, batch_size=batch_size)
    for _ in training:
        if is_disturbed:
            torch.rand(3), np.random.rand()
    return training.finish().digest


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("workers", [None, 0, 1, 2], ids=["rows", "0 workers", "1 worker", "2 workers"])
def test_the_same_training_twice_ends_in_the_same_bits(network: str, workers: int | None):
    assert trained(network, workers, is_disturbed=False) == trained(network, workers, is_disturbed=True)


def test_without_seeding_each_step_the_bits_would_differ(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Steps, "reseed", lambda self, purpose, *place: None)
    assert trained("mlp", None, is_disturbed=False) != trained("mlp", None, is_disturbed=True)
    assert trained("transformer", None, is_disturbed=False) != trained("transformer", None, is_disturbed=True)
