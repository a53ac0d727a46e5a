"""Layers that networks are built of; imports torch, so it is loaded only when a network is built.

Shapes: B rows, F numbers, C categories, D width of a layer, K outputs.
"""

from collections.abc import Sequence

import torch
from torch import nn

from deepwright.core.errors import RecipeError

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "relu6": nn.ReLU6,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
NORMALISATIONS: dict[str, type[nn.Module]] = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm, "rms": nn.RMSNorm}


class Embeddings(nn.Module):
    """Level numbers int64 [B, C] to one row of numbers [B, sum of dims], one table per column."""

    def __init__(self, num_codes: list[int], dims: list[int]) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(codes, dim) for codes, dim in zip(num_codes, dims, strict=True))

    def forward(self, categories_BC: torch.Tensor) -> torch.Tensor:
        return torch.cat([table(categories_BC[:, place]) for place, table in enumerate(self.tables)], dim=1)


class OneHots(nn.Module):
    """Level numbers int64 [B, C] to zeros and ones float32 [B, sum of codes], one for each code of each column."""

    column: torch.Tensor
    code: torch.Tensor

    def __init__(self, num_codes: list[int]) -> None:
        super().__init__()
        columns = [place for place, codes in enumerate(num_codes) for _ in range(codes)]
        self.register_buffer("column", torch.tensor(columns, dtype=torch.int64), persistent=False)
        codes = [code for codes in num_codes for code in range(codes)]
        self.register_buffer("code", torch.tensor(codes, dtype=torch.int64), persistent=False)

    def forward(self, categories_BC: torch.Tensor) -> torch.Tensor:
        return (categories_BC.index_select(1, self.column) == self.code).float()


class Categories(nn.Module):
    """Level numbers int64 [B, C] to one row of numbers: first the one-hot columns, then those with an embedding.

    dims: one entry per column, None for one-hot. widths: how many numbers stand for each column, in the output's order.
    """

    order: torch.Tensor

    def __init__(self, num_codes: list[int], dims: list[int | None]) -> None:
        super().__init__()
        plain = [place for place, dim in enumerate(dims) if dim is None]
        embedded = {place: dim for place, dim in enumerate(dims) if dim is not None}
        self.register_buffer("order", torch.tensor([*plain, *embedded]), persistent=False)
        self.sizes = (len(plain), len(embedded))
        self.widths = [num_codes[place] for place in plain] + list(embedded.values())
        self.one_hots = OneHots([num_codes[place] for place in plain])
        self.tables = Embeddings([num_codes[place] for place in embedded], list(embedded.values()))

    def forward(self, categories_BC: torch.Tensor) -> torch.Tensor:
        if self.sizes[1] == 0:
            return self.one_hots(categories_BC)
        if self.sizes[0] == 0:
            return self.tables(categories_BC)
        plain, embedded = categories_BC.index_select(1, self.order).split(self.sizes, dim=1)
        return torch.cat([self.one_hots(plain), self.tables(embedded)], dim=1)


class TabularInput(nn.Module):
    """The tensors of a table side by side as float32 [B, D]; numbers and level numbers pass through their embeddings.

    embeddings: one entry per input tensor, None for a tensor that is numbers already.
    """

    def __init__(self, embeddings: Sequence[nn.Module | None]) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Identity() if each is None else each for each in embeddings)

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        pieces = [embed(tensor) for embed, tensor in zip(self.embeddings, tensors, strict=True)]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=1)


class Normalise(nn.Module):
    """Pixels uint8 [B, C, H, W] to float32, (x / 255 - mean) / sd per channel: a network's first layer.

    The pixels travel to the device as bytes, a quarter of what floats take. mean, sd: in the unit of x / 255; the
    defaults are ImageNet's. The result has the weights' dtype under `.half()` and the like.
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(
        self,
        mean: tuple[float, ...] = (0.485, 0.456, 0.406),
        sd: tuple[float, ...] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        mean_C, sd_C = torch.tensor(mean, dtype=torch.float64), torch.tensor(sd, dtype=torch.float64)
        if mean_C.shape != sd_C.shape or not bool((sd_C > 0).all()):
            raise RecipeError("images.normalise_option", mean=mean, sd=sd)
        self.register_buffer("scale", (1 / (255 * sd_C)).float().reshape(1, -1, 1, 1))
        self.register_buffer("shift", (-mean_C / sd_C).float().reshape(1, -1, 1, 1))

    def forward(self, pixels_BCHW: torch.Tensor) -> torch.Tensor:
        return torch.addcmul(self.shift, pixels_BCHW.to(self.scale.dtype), self.scale)


class StochasticDepth(nn.Module):
    """What a residual branch adds, [B, ...]: in training dropped for each row by chance, else scaled to the same mean.

    `x + StochasticDepth(p)(branch(x))`; with the rates of `depth_rates` the last blocks are dropped most. Nothing
    happens in evaluation and in an exported graph. Draws come from torch's global generator.

    probability: that a row's branch is dropped, from 0 up and below 1.

    >>> _ = torch.manual_seed(0)
    >>> StochasticDepth(0.5)(torch.ones(5, 2))[:, 0].tolist()  # rows that stay count twice
    [2.0, 0.0, 2.0, 2.0, 2.0]

    Reference: Huang et al. 2016, arXiv 1603.09382.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise RecipeError("model.depth_probability", found=probability)
        self.probability = probability

    def forward(self, branch: torch.Tensor) -> torch.Tensor:
        if not self.training or self.probability == 0:
            return branch
        keep = 1 - self.probability
        stays = torch.rand((len(branch), *(1 for _ in branch.shape[1:])), device=branch.device) < keep
        return branch * stays.to(branch.dtype).div_(keep)

    def extra_repr(self) -> str:
        return f"probability={self.probability}"


def depth_rates(last: float, num_blocks: int) -> list[float]:
    """The probability for each of `num_blocks` residual branches: growing evenly with depth, up to `last`.

    >>> depth_rates(0.2, 4)
    [0.05, 0.1, 0.15000000000000002, 0.2]
    """
    return [last * (number + 1) / num_blocks for number in range(num_blocks)]


class Tabular(nn.Module):
    """Input tensors > one row of numbers > a stack of layers > [B, K]."""

    def __init__(self, entry: TabularInput, stack: nn.Sequential) -> None:
        super().__init__()
        self.entry = entry
        self.stack = stack

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        return self.stack(self.entry(*tensors))


class Scale(nn.Module):
    """A learned factor for each number of [B, D], 1 at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(width))

    def forward(self, x_BD: torch.Tensor) -> torch.Tensor:
        return x_BD * self.factor


def dense_stack(
    width: int, widths: tuple[int, ...], num_outputs: int, *, activation: str, normalisation: str, dropout: float
) -> nn.Sequential:
    """[B, width] to [B, num_outputs] through hidden layers: linear, normalisation, activation, dropout."""
    layers: list[nn.Module] = []
    for size in widths:
        layers += [nn.Linear(width, size), *behind_linear(size, activation, normalisation, dropout)]
        width = size
    layers.append(nn.Linear(width, num_outputs))
    return nn.Sequential(*layers)


def behind_linear(size: int, activation: str, normalisation: str, dropout: float) -> list[nn.Module]:
    """What follows a hidden layer of `size` units: normalisation, activation, dropout."""
    normalise = [] if normalisation == "none" else [NORMALISATIONS[normalisation](size)]
    return [*normalise, ACTIVATIONS[activation](), *([nn.Dropout(dropout)] if dropout > 0 else [])]


class ProbabilityAnswer(nn.Module):
    """Scores [B, K] of a network as class probabilities [B, K]; of members' scores [B, M, K], their mean."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        return self.answer(self.module(*tensors))

    def answer(self, output: torch.Tensor) -> torch.Tensor:
        probability = self.shares(output)
        return probability.mean(dim=1) if output.ndim == 3 else probability

    def shares(self, output: torch.Tensor) -> torch.Tensor:
        return torch.softmax(output, dim=-1)


class LabelAnswer(ProbabilityAnswer):
    """Scores [B, L] of a network as the probability of each label alone; of members' scores [B, M, L], their mean."""

    def shares(self, output: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(output)


class ValueAnswer(nn.Module):
    """Standardised outputs [B, 1] of a network as values [B] in the target's unit; of [B, M, 1], their mean."""

    mean: torch.Tensor
    sd: torch.Tensor

    def __init__(self, module: nn.Module, mean: float, sd: float) -> None:
        super().__init__()
        self.module = module
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("sd", torch.tensor(sd, dtype=torch.float32))

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        return self.answer(self.module(*tensors))

    def answer(self, output: torch.Tensor) -> torch.Tensor:
        value = output[..., 0]
        return (value.mean(dim=1) if output.ndim == 3 else value) * self.sd + self.mean
