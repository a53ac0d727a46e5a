"""Attention among the columns of a row; imports torch.

Shapes: B rows, F numbers, C categories, T tokens (1 + F + C), D numbers of a token, H heads, E = D / H, K outputs.
"""

import math

import torch
from torch import nn

from deepwright.model.number_embeddings import SmoothClip


class Tokens(nn.Module):
    """Numbers float32 [B, F] and level numbers int64 [B, C] to tokens [B, T, D]; the first one gathers the answer.

    A number's token is a learned vector times its smoothly clipped value; a level's is a learned vector; both have a
    bias per column.
    """

    starts: torch.Tensor

    def __init__(self, num_numbers: int, num_codes: list[int], dim: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(dim)
        if num_numbers:
            self.clip = SmoothClip(num_numbers)
            self.line = nn.Parameter(torch.empty(num_numbers, dim).uniform_(-bound, bound))
        if num_codes:
            starts = [sum(num_codes[:place]) for place in range(len(num_codes))]
            self.register_buffer("starts", torch.tensor(starts, dtype=torch.int64), persistent=False)
            self.levels = nn.Embedding(sum(num_codes), dim)
            nn.init.uniform_(self.levels.weight, -bound, bound)
        num_tokens = 1 + num_numbers + len(num_codes)
        self.bias = nn.Parameter(torch.empty(num_tokens * dim).uniform_(-bound, bound))
        self.dim = dim

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        pieces = [torch.zeros_like(tensors[0][:, :1, None], dtype=self.bias.dtype).expand(-1, 1, self.dim)]
        for tensor in tensors:
            if tensor.is_floating_point():
                pieces.append(self.clip(tensor)[:, :, None] * self.line)
            else:
                pieces.append(self.levels(tensor + self.starts))
        tokens_BTD = torch.cat(pieces, dim=1)
        return tokens_BTD + self.bias.view(-1, self.dim)


class Block(nn.Module):
    """Normalise, attend, add; normalise, feed forward (ReGLU), add. The first block's tokens are not normalised."""

    def __init__(
        self, dim: int, heads: int, units: int, attention_dropout: float, dropout: float, *, is_first: bool
    ) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.Identity() if is_first else nn.LayerNorm(dim)
        self.inner = nn.Linear(dim, 3 * dim)
        self.outer = nn.Linear(dim, dim)
        self.attention_dropout = nn.Dropout(attention_dropout)
        self.before_feed = nn.LayerNorm(dim)
        self.feed = nn.Linear(dim, 2 * units)
        self.back = nn.Linear(units, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        x_BTD = x_BTD + self._attended(self.before_attention(x_BTD))
        gate, value = self.feed(self.before_feed(x_BTD)).chunk(2, dim=-1)
        return x_BTD + self.back(self.dropout(gate * torch.relu(value)))

    def _attended(self, x_BTD: torch.Tensor) -> torch.Tensor:
        tokens, dim = x_BTD.shape[1:]
        split_BT3HE = self.inner(x_BTD).view(-1, tokens, 3, self.heads, dim // self.heads)
        query_BHTE, key_BHTE, value_BHTE = split_BT3HE.permute(2, 0, 3, 1, 4).unbind(0)
        scores_BHTT = query_BHTE @ key_BHTE.transpose(2, 3) / math.sqrt(dim // self.heads)
        mixed_BHTE = self.attention_dropout(torch.softmax(scores_BHTT, dim=-1)) @ value_BHTE
        return self.outer(mixed_BHTE.transpose(1, 2).reshape(-1, tokens, dim))


class ColumnTransformer(nn.Module):
    """Input tensors > tokens > blocks > the first token, normalised > [B, K]."""

    def __init__(self, tokens: Tokens, blocks: list[Block], num_outputs: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.LayerNorm(tokens.dim), nn.ReLU(), nn.Linear(tokens.dim, num_outputs))

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.tokens(*tensors))[:, 0])
