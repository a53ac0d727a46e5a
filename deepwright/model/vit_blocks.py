"""Vision Transformer; imports torch. Weights are named as in timm, so that theirs can be taken over.

Shapes: B images, T tokens, D numbers of a token, H heads, E = D / H.
"""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn.functional import pad, scaled_dot_product_attention

from deepwright.model.layers import ACTIVATIONS, StochasticDepth, depth_rates
from deepwright.model.pixels import Pixels

EPS = 1e-6
POSITION_SD = 0.02


class Attention(nn.Module):
    """Each token becomes a mean of all tokens' values, weighted by how well its query fits their keys."""

    def __init__(self, dim: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        _, tokens, dim = x_BTD.shape
        query_BHTE, key_BHTE, value_BHTE = (
            part_BTD.view(-1, tokens, self.heads, dim // self.heads).transpose(1, 2)
            for part_BTD in self.qkv(x_BTD).chunk(3, dim=-1)
        )
        dropout = self.dropout if self.training else 0.0
        mixed_BHTE = scaled_dot_product_attention(query_BHTE, key_BHTE, value_BHTE, dropout_p=dropout)
        return self.proj(mixed_BHTE.transpose(1, 2).reshape(-1, tokens, dim))


class Block(nn.Module):
    """Normalise, attend, add; normalise, feed forward, add."""

    def __init__(self, dim: int, heads: int, units: int, activation: str, dropout: float, drop: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=EPS)
        self.attn = Attention(dim, heads, dropout)
        self.norm2 = nn.LayerNorm(dim, eps=EPS)
        self.mlp = nn.Sequential(
            OrderedDict(
                fc1=nn.Linear(dim, units),
                act=ACTIVATIONS[activation](),
                drop=nn.Dropout(dropout) if dropout else nn.Identity(),
                fc2=nn.Linear(units, dim),
            )
        )
        self.drop = StochasticDepth(drop) if drop else nn.Identity()

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        x_BTD = x_BTD + self.drop(self.attn(self.norm1(x_BTD)))
        return x_BTD + self.drop(self.mlp(self.norm2(x_BTD)))


class Patches(nn.Module):
    """A map [B, C, H, W] to one token [D] for each square of it; zeros fill up the last row and column of squares."""

    def __init__(self, height: int, width: int, channels: int, patch: int, dim: int) -> None:
        super().__init__()
        self.below, self.right = -height % patch, -width % patch
        self.grid = (-(-height // patch), -(-width // patch))
        self.count = self.grid[0] * self.grid[1]
        self.proj = nn.Conv2d(channels, dim, patch, stride=patch)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        if self.below or self.right:
            x_BCHW = pad(x_BCHW, (0, self.right, 0, self.below))
        return self.proj(x_BCHW).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """Pixels > patches > tokens with their positions > blocks > [B, K].

    has_token: a token of its own gathers the answer, else the mean of all tokens does.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        num_outputs: int,
        *,
        patch: int,
        dim: int,
        depth: int,
        heads: int,
        widening: float,
        has_token: bool,
        activation: str,
        inner_dropout: float,
        stochastic_depth: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.pixels = Pixels(shape[2])
        self.patch_embed = Patches(*shape, patch, dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim)) if has_token else None
        self.pos_embed = nn.Parameter(torch.empty(1, self.patch_embed.count + has_token, dim))
        nn.init.trunc_normal_(self.pos_embed, std=POSITION_SD)
        units = max(1, round(dim * widening))
        self.blocks = nn.Sequential(
            *(
                Block(dim, heads, units, activation, inner_dropout, drop)
                for drop in depth_rates(stochastic_depth, depth)
            )
        )
        self.norm = nn.LayerNorm(dim, eps=EPS)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.head = nn.Linear(dim, num_outputs)

    def forward(self, image_BHWC: torch.Tensor) -> torch.Tensor:
        x_BTD = self.patch_embed(self.pixels(image_BHWC))
        if self.cls_token is not None:
            x_BTD = torch.cat([self.cls_token.expand(x_BTD.shape[0], -1, -1), x_BTD], dim=1)
        x_BTD = self.norm(self.blocks(x_BTD + self.pos_embed))
        x_BD = x_BTD.mean(1) if self.cls_token is None else x_BTD[:, 0]
        return self.head(self.dropout(x_BD))
