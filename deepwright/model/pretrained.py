"""Taking weights over: another training's tensors into a network, each name and shape accounted for; imports torch."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from deepwright.core.errors import DataError
from deepwright.core.text import text
from deepwright.model.stages import stages_of

NAMED = 24
"""Names that stand in an error one by one; where there are more, those of one block stand together."""
COUNTER = ".num_batches_tracked"
POSITIONS = "pos_embed"
FIRST = "pixels."


@dataclass(frozen=True)
class Taken:
    """count: tensors taken over. resized: whether the vectors of places were brought to another number of them."""

    count: int
    resized: bool


def take_over(
    module: nn.Module, tensors: Mapping[str, torch.Tensor], kind: str, *, has_new_head: bool, where: str
) -> Taken:
    """Copy weights into a network of this kind, built and on the host; only a new head stays as it was drawn.

    Learned vectors of the places of a ViT are interpolated to as many places as the network has.
    Raises DataError naming every weight that is missing, unknown or of another shape.
    """
    own = module.state_dict()
    head = set(stages_of(kind, module).head) if has_new_head else set()
    wanted = {name for name in own if name not in head and not name.endswith(COUNTER)}
    given = {name: tensor for name, tensor in tensors.items() if name not in head and not name.endswith(COUNTER)}
    resized = _with_places(module, given)
    missing = [name for name in own if name in wanted and name not in given]
    unknown = [name for name in given if name not in wanted]
    differing = [name for name in own if name in wanted & given.keys() and own[name].shape != given[name].shape]
    if missing or unknown or differing:
        shapes = [f"{name} {_shown(given[name])} {_shown(own[name])}" for name in differing]
        raise DataError(
            "transfer.other_network", where=where, network=kind, missing=_listed(_beside(missing, unknown)),
            unknown=_listed(unknown), shapes=_listed(shapes),
        )  # fmt: skip
    with torch.no_grad():
        for name in wanted:
            own[name].copy_(given[name])
        for name in own.keys() & tensors.keys():
            if name.endswith(COUNTER) and tensors[name].numel() == 1:  # in a bundle it has one dim
                own[name].copy_(tensors[name].reshape(()))
    return Taken(sum(not name.startswith(FIRST) for name in wanted), resized)


def resized_places(positions: torch.Tensor, grid: tuple[int, int], *, has_token: bool) -> torch.Tensor:
    """Vectors of places [1, T, D], of a square grid, at as many places as `grid` (rows, columns) has; a token's own
    vector before them stays.

    >>> ramp = torch.tensor([0.0, 1.0, 0.0, 1.0]).reshape(1, 4, 1)
    >>> resized_places(ramp, (2, 3), has_token=False)[0, :3, 0].tolist()[1]
    0.5
    """
    token, places = positions[:, : int(has_token)], positions[:, int(has_token) :]
    side = round(places.shape[1] ** 0.5)
    map_1DHW = places.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    larger = nn.functional.interpolate(map_1DHW, size=grid, mode="bicubic", antialias=True, align_corners=False)
    return torch.cat([token, larger.permute(0, 2, 3, 1).reshape(1, grid[0] * grid[1], -1)], dim=1)


def _with_places(module: nn.Module, given: dict[str, torch.Tensor]) -> bool:
    """Bring the places in `given` to those of a ViT, where theirs are a square."""
    own, found = getattr(module, POSITIONS, None), given.get(POSITIONS)
    if own is None or found is None or own.shape == found.shape or found.ndim != 3 or own.shape[2] != found.shape[2]:
        return False
    has_token = module.cls_token is not None
    if round((found.shape[1] - has_token) ** 0.5) ** 2 != found.shape[1] - has_token:
        return False
    given[POSITIONS] = resized_places(found, module.patch_embed.grid, has_token=has_token)
    return True


def _beside(missing: list[str], unknown: list[str]) -> list[str]:
    """Missing names, each with the unknown one that it may be."""
    if len(missing) > NAMED or len(unknown) > 10 * NAMED:
        return missing
    near = {name: difflib.get_close_matches(name, unknown, n=1, cutoff=0.8) for name in missing}
    return [f"{name}{text('core.did_you_mean', word=found[0]) if found else ''}" for name, found in near.items()]


def _listed(names: Iterable[str]) -> str:
    """Every name; of very many those of one block together: `layer1.0.* (6)`."""
    whole = list(names)
    if len(whole) <= NAMED:
        return ", ".join(whole) or "-"
    blocks: dict[str, int] = {}
    for name in whole:
        words = name.split(" ")[0].split(".")
        block = ".".join(words[: max(1, len(words) - 2)])
        blocks[block] = blocks.get(block, 0) + 1
    return ", ".join(f"{block}.* ({count})" if count > 1 else block for block, count in blocks.items())


def _shown(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "1"
