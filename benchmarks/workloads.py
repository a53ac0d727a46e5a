"""The workloads that every contestant trains: made-up data from fixed seeds, and the same plain torch networks.

Shape legend: B rows, F numbers, C categories, T tokens, D width, K classes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import nn

LR = 1e-3
WEIGHT_DECAY = 0.01
"""AdamW's, everywhere."""

LEVELS = (4, 8, 16, 32, 64)
NUM_NUMBERS = 20
WIDTH = 256
EMBEDDING = 8
CHANNELS = (32, 64, 64)
VOCABULARY = 2000
MAX_TOKENS = 160
LSTM_WIDTH = 128
TRANSFORMER_TOKENS = 160
TRANSFORMER_WIDTH = 128

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Workload:
    """One job. arrays(num_rows) gives inputs by argument name, and the target; classes of the target: num_classes.

    rows, epochs: of one measured run. gpu_rows: on a GPU. quick_rows: of a smoke run. length: the input that holds
    the row's number of tokens, for contestants that batch by length; tokens behind it are padding, never looked at.
    """

    name: str
    title: str
    batch_size: int
    rows: int
    epochs: int
    gpu_rows: int
    quick_rows: int
    num_classes: int
    network: "Callable[[], nn.Module]"
    arrays: Callable[[int], tuple[Arrays, np.ndarray]]
    length: str | None = None
    images: bool = False
    has_dropout: bool = False


def table(num_rows: int) -> tuple[Arrays, np.ndarray]:
    """numbers float32 [B, 20], categories int64 [B, 5], target int64 [B] of 10 classes."""
    draw = np.random.default_rng(1)
    numbers = draw.standard_normal((num_rows, NUM_NUMBERS), dtype=np.float32)
    categories = np.stack([draw.integers(0, levels, num_rows) for levels in LEVELS], axis=1)
    effects = [draw.standard_normal((levels, 10)) for levels in LEVELS]
    scores = np.tanh(numbers) @ draw.standard_normal((NUM_NUMBERS, 10))
    scores += sum(effect[categories[:, i]] for i, effect in enumerate(effects))
    return {"numbers": numbers, "categories": categories}, _drawn(scores, draw)


def pictures(num_rows: int) -> tuple[Arrays, np.ndarray]:
    """images float32 [B, 1, 28, 28]: one of 10 coarse patterns, shifted and in noise."""
    draw = np.random.default_rng(2)
    patterns = np.kron(draw.standard_normal((10, 7, 7)), np.ones((4, 4))).astype(np.float32)
    target = draw.integers(0, 10, num_rows)
    images = draw.standard_normal((num_rows, 28, 28), dtype=np.float32)
    shifts = draw.integers(-2, 3, (num_rows, 2))
    for row in range(num_rows):
        images[row] += np.roll(patterns[target[row]], tuple(shifts[row]), (0, 1))
    return {"images": images[:, None]}, target


def sentences(num_rows: int) -> tuple[Arrays, np.ndarray]:
    """tokens int64 [B, 160], 0 behind the end; lengths int64 [B], 8 to 160 with a median of 48; 5 classes."""
    draw = np.random.default_rng(3)
    lengths = np.clip(np.exp(draw.normal(np.log(48), 0.7, num_rows)), 8, MAX_TOKENS).astype(np.int64)
    tokens, target = _tokens(num_rows, MAX_TOKENS, 5, draw)
    tokens[np.arange(MAX_TOKENS) >= lengths[:, None]] = 0
    return {"tokens": tokens, "lengths": lengths}, target


def documents(num_rows: int) -> tuple[Arrays, np.ndarray]:
    """tokens int64 [B, 160], all of one length; 5 classes."""
    tokens, target = _tokens(num_rows, TRANSFORMER_TOKENS, 5, np.random.default_rng(4))
    return {"tokens": tokens}, target


def mlp() -> "nn.Module":
    """20 numbers and 5 embedded categories through two layers of 256."""
    import torch
    from torch import nn

    class MLP(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embeddings = nn.ModuleList(nn.Embedding(levels, EMBEDDING) for levels in LEVELS)
            width = NUM_NUMBERS + EMBEDDING * len(LEVELS)
            self.layers = nn.Sequential(
                nn.Linear(width, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 10)
            )

        def forward(self, numbers: torch.Tensor, categories: torch.Tensor) -> torch.Tensor:
            embedded = [embed(categories[:, i]) for i, embed in enumerate(self.embeddings)]
            return self.layers(torch.cat([numbers, *embedded], dim=1))

    return MLP()


def cnn() -> "nn.Module":
    """Three convolutions with batch normalisation on 28 x 28 pixels."""
    from torch import nn

    layers: list[nn.Module] = []
    for narrow, wide in pairwise((1, *CHANNELS)):
        layers += [nn.Conv2d(narrow, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU(), nn.MaxPool2d(2)]
    layers[-1] = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(CHANNELS[-1], 10))


def lstm() -> "nn.Module":
    """One LSTM over embedded tokens; its state at the last token of each row decides."""
    import torch
    from torch import nn

    class LSTM(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, LSTM_WIDTH)
            self.lstm = nn.LSTM(LSTM_WIDTH, LSTM_WIDTH, batch_first=True)
            self.head = nn.Linear(LSTM_WIDTH, 5)

        def forward(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            states_BTD, _ = self.lstm(self.embedding(tokens))
            last = (lengths - 1)[:, None, None].expand(-1, 1, states_BTD.shape[2])
            return self.head(states_BTD.gather(1, last)[:, 0])

    return LSTM()


def transformer() -> "nn.Module":
    """Two encoder layers of width 128 with 4 heads and dropout; the mean over tokens decides."""
    import torch
    from torch import nn

    class Transformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, TRANSFORMER_WIDTH)
            self.places = nn.Parameter(torch.randn(TRANSFORMER_TOKENS, TRANSFORMER_WIDTH) * 0.02)
            layer = nn.TransformerEncoderLayer(
                TRANSFORMER_WIDTH, 4, 4 * TRANSFORMER_WIDTH, dropout=0.1, batch_first=True, norm_first=True
            )
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(TRANSFORMER_WIDTH, 5)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            hidden_BTD = self.encoder(self.embedding(tokens) + self.places)
            return self.head(hidden_BTD.mean(1))

    return Transformer()


WORKLOADS = {
    each.name: each
    for each in (
        Workload("mlp", "MLP, batch 256", 256, 51_200, 6, 204_800, 1024, 10, mlp, table),
        Workload("mlp-2048", "MLP, batch 2048", 2048, 61_440, 6, 409_600, 4096, 10, mlp, table),
        Workload("cnn", "CNN 28x28, batch 128", 128, 2_560, 4, 122_880, 256, 10, cnn, pictures, images=True),
        Workload(
            "lstm", "LSTM, variable lengths, batch 64", 64, 2_048, 3, 20_480, 128, 5, lstm, sentences, length="lengths"
        ),
        Workload(
            "transformer", "Transformer d128, 2 layers, batch 64", 64, 384, 3, 20_480, 128, 5, transformer, documents,
            has_dropout=True,
        ),
    )
}  # fmt: skip


def _tokens(
    num_rows: int, num_tokens: int, num_classes: int, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Each class prefers a tenth of the vocabulary of its own."""
    target = draw.integers(0, num_classes, num_rows)
    tokens = draw.integers(1, VOCABULARY, (num_rows, num_tokens))
    is_own = draw.random((num_rows, num_tokens)) < 0.15
    own = 1 + target[:, None] * (VOCABULARY // 10) + draw.integers(0, VOCABULARY // 10, (num_rows, num_tokens))
    return np.where(is_own, own, tokens), target


def _drawn(scores: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A class per row, drawn with probabilities softmax(scores): Gumbel's trick."""
    return np.argmax(scores + draw.gumbel(size=scores.shape), axis=1)
