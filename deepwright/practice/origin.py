"""Origins: the bundle or file whose weights a training begins with, and what a recipe takes from it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwright.core.bundle import Bundle, read_manifest
from deepwright.core.errors import BundleError, DataError, RecipeError, UsageError
from deepwright.core.families import Network
from deepwright.core.operations import DecodeImage, unfolded
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding, finding
from deepwright.core.schema import Problem
from deepwright.core.seal import Split
from deepwright.core.transfer import Transfer
from deepwright.model.images import ImageNetwork, Shape
from deepwright.model.key_maps import NORMALISATIONS, SIDE, published
from deepwright.model.weight_file import read_weights

if TYPE_CHECKING:
    import torch

PIXELS = ("pixels.mean", "pixels.sd")


@dataclass(frozen=True)
class Origin:
    """Weights under the names of our networks, with the mean and sd that pixels are normalised by.

    digest: of the bundle's model or the file. library: whose names the file had; None: a bundle of ours. shape: of the
    images that it learned from. levels: what its head answers, where that is known. problem: likewise. source,
    fingerprint: SHA-256 of the data that it learned from and of its test rows, where it says so. dropped: weights of
    the file that no network of ours needs.
    """

    digest: str
    library: str | None
    network: ImageNetwork
    shape: Shape
    tensors: "Mapping[str, torch.Tensor]"
    levels: tuple[str, ...] = ()
    problem: Problem | None = None
    source: str | None = None
    fingerprint: str | None = None
    dropped: tuple[str, ...] = ()
    licence: str | None = None


def open_origin(path: str, *, normalise: str | None = None) -> Origin:
    """The weights at `path`: a bundle, a run (its network's bundle), or a file.

    normalise: pixels as this in place of the network's own way. Raises UsageError where there is nothing, BundleError
    or DataError for what is damaged or holds no network on images.
    """
    folder = _bundle_at(path)
    if folder is not None:
        origin = _of_bundle(folder)
    elif Path(path).is_dir():
        raise UsageError("transfer.nothing", path=path)
    else:
        origin = _of_file(Path(path))
    return origin if normalise is None else _normalised(origin, normalise)


def options_from(path: str) -> dict[str, Any]:
    """What a recipe that begins with these weights has where it names nothing else, in plain data: the network, the
    size and the channels of its images, and which weights they are."""
    origin = open_origin(path)
    height, width, channels = origin.shape
    sides = [height] if height == width else [height, width]
    return {
        "network": origin.network.dump(),
        "prepare": {"images": {"size": sides, "channels": channels}},
        "transfer": {"path": path, "sha256": origin.digest},
    }


def begun_with(data: dict[str, Any], path: str) -> dict[str, Any]:
    """Plain data of a recipe, completed by what its first weights bring; what stands there already stays."""
    found = options_from(path)
    images = {**found["prepare"]["images"], **data.get("prepare", {}).get("images", {})}
    return {
        **found,
        **data,
        "prepare": {**data.get("prepare", {}), "images": images},
        "transfer": {**found["transfer"], **(data.get("transfer") or {})},
    }


def pinned(recipe: Recipe) -> Recipe:
    """The recipe with the digest of the weights that it begins with."""
    transfer = recipe.transfer
    if transfer is None or transfer.sha256 is not None:
        return recipe
    return recipe.replace(transfer=transfer.replace(sha256=open_origin(transfer.path).digest))


def origin_of(transfer: Transfer) -> Origin:
    """The weights that a recipe names. Raises DataError where they are others than those it was made with."""
    origin = open_origin(transfer.path, normalise=transfer.normalise)
    if transfer.sha256 not in (None, origin.digest):
        raise DataError("transfer.changed", path=transfer.path, found=origin.digest, expected=transfer.sha256)
    return origin


def overlap_findings(recipe: Recipe, source_sha256: str, split: Split) -> tuple[Finding, ...]:
    """Whether the weights were learned from rows of this very source, of which this run holds others sealed."""
    if recipe.transfer is None:
        return ()
    origin = origin_of(recipe.transfer)
    if origin.source != source_sha256 or origin.fingerprint == split.test.fingerprint:
        return ()
    return (finding("transfer_overlap", "blocking", recipe.transfer.path),)


def _bundle_at(path: str) -> Path | None:
    """The folder of a bundle, or of the bundle of a run's network."""
    for place in (Path(path), Path("runs") / path):
        if (place / "manifest.json").exists():
            return place
        shipped, network = place / "bundle", place / "members" / "network"
        if (network / "manifest.json").exists():
            is_shipped = (shipped / "manifest.json").exists() and _model(shipped) == _model(network)
            return shipped if is_shipped else network
        if (shipped / "manifest.json").exists():
            return shipped
    return None


def _model(folder: Path) -> str:
    return str(read_manifest(folder)["model"])


def _of_bundle(folder: Path) -> Origin:
    from safetensors.torch import load

    bundle = Bundle.load(folder)
    content = (folder / "weights.safetensors").read_bytes()
    due = read_manifest(folder)["files"]["weights.safetensors"]["sha256"]
    if hashlib.sha256(content).hexdigest() != due:
        raise BundleError("bundle.changed_file", folder=folder, file="weights.safetensors")
    tensors = _of_network(load(content))
    decode = next((each for each in unfolded(bundle.operations) if isinstance(each, DecodeImage)), None)
    if decode is None or PIXELS[0] not in tensors:
        chosen = bundle.report.get("chosen", "-")
        raise DataError("transfer.no_network", folder=folder, chosen=chosen)
    network = Network.parse(bundle.recipe["network"])
    if not isinstance(network, ImageNetwork):
        raise DataError("transfer.not_images", folder=folder, network=network.kind)
    data = bundle.report.get("data", {})
    return Origin(
        digest=bundle.digest,
        library=None,
        network=network.settled(decode.form.shape),
        shape=decode.form.shape,
        tensors=tensors,
        levels=bundle.levels,
        problem=bundle.problem,
        source=data.get("source_sha256"),
        fingerprint=data.get("fingerprints", {}).get("test"),
        licence=(bundle.recipe.get("transfer") or {}).get("licence"),
    )


def _of_network(tensors: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """The network's own, by its names: a bundle has them inside of what makes an answer of its output."""
    within = next((name.removesuffix(PIXELS[0]) for name in tensors if name.endswith(PIXELS[0])), None)
    if within is None:
        return {}
    return {name.removeprefix(within): tensor for name, tensor in tensors.items() if name.startswith(within)}


def _of_file(path: Path) -> Origin:
    file = read_weights(path)
    found = published(file.tensors, str(path))
    try:
        network = Network.parse(found.network)
    except RecipeError as error:
        raise DataError("transfer.unreadable", path=path, why=error) from None
    assert isinstance(network, ImageNetwork), "layouts are of networks on images"
    origin = Origin(
        digest=file.sha256,
        library=found.layout.library,
        network=network,
        shape=(SIDE, SIDE, found.channels),
        tensors=found.tensors,
        dropped=found.dropped,
        licence=file.licence,
    )
    return _normalised(origin, found.layout.normalisation)


def _normalised(origin: Origin, how: str) -> Origin:
    import torch

    means_and_sds = NORMALISATIONS[how]  # type: ignore[index]
    constants = [torch.tensor(numbers) for numbers in means_and_sds]
    if origin.shape[2] != len(constants[0]):
        constants = [each.mean().repeat(origin.shape[2]) for each in constants]
    return replace(origin, tensors={**origin.tensors, **dict(zip(PIXELS, constants, strict=True))})
