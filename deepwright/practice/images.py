"""Images: decoded once into maps of pixels, which learning, judging and verifying see instead of the files."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deepwright.core.dataset import Dataset, Decoded
from deepwright.core.disk import write_atomic
from deepwright.core.errors import DataError, ProofError
from deepwright.core.image import Reading
from deepwright.core.ledger import workspace
from deepwright.core.operations import DecodeImage, Operation, unfolded
from deepwright.core.recipe import Recipe
from deepwright.core.report import Finding
from deepwright.core.run import Run
from deepwright.core.schema import Schema
from deepwright.core.seal import Split
from deepwright.data.image_build import build
from deepwright.data.image_size import choose_decode
from deepwright.data.media import Media
from deepwright.practice.show import Show

COMPARED = 32
"""Images of each part that this process decodes too, as the bundle will, beside those that decoded the map."""

Say = Callable[[str], object]


def image_columns(schema: Schema) -> tuple[str, ...]:
    """Inputs that are images."""
    return tuple(feature.name for feature in schema.inputs if feature.type == "image")


def size_findings(recipe: Recipe, train: Dataset) -> tuple[Finding, ...]:
    """Which size the images get, and why; nothing where the network takes none, and the run will stop."""
    if "image" not in recipe.network.takes:
        return ()
    return tuple(finding for _, finding in _choices(recipe, train))


def decoders(recipe: Recipe, train: Dataset) -> list[DecodeImage]:
    """How each column of images is decoded, as the training part shows."""
    return [decode for decode, _ in _choices(recipe, train)]


def decode_split(run: Run, recipe: Recipe, split: Split, show: Show) -> Split:
    """The split with its images as pixels; the test part stays closed. Maps stand in the workspace, for later runs.

    Raises DataError for an image that has changed or gone since it was collected, ResourceError (disk).
    """
    by = decoders(recipe, split.train)
    if not by:
        return split
    return replace(
        split,
        train=decoded(split.train, by, store(), show.say, run),
        validation=decoded(split.validation, by, store(), show.say, run),
        calibration=None if split.calibration is None else decoded(split.calibration, by, store(), show.say, run),
    )


def decoded(data: Dataset, by: list[DecodeImage], folder: Path, say: Say | None, run: Run | None = None) -> Dataset:
    """The rows with the pixels of their images, in a map below `folder` that is built where it is not there.

    run: keeps which images these are by the map's address; where it does already, others are refused.
    Raises ProofError when this process decodes an image to other pixels.
    """
    found = {}
    for decode in by:
        references = data.columns[decode.column]
        if None in references:
            raise DataError("images.no_image", column=decode.column, row=int(data.origin[list(references).index(None)]))
        if folder == store():
            write_atomic(folder / ".gitignore", b"*\n")  # what can be made again is no business of git
        form = decode.form
        images = build(
            references.tolist(), folder, size=(form.height, form.width), channels=form.channels,
            background=form.background, fit=form.fit, levels=form.levels, frame=form.frame, max_set_aside=0.0, say=say,
        )  # fmt: skip
        if run is not None:
            _keep_address(run, f"images {data.part} {decode.column}", images.address)
        _require_same_pixels(references, decode, images.pixels)
        found[decode.column] = Decoded(decode, images.pixels)
    return data.with_decoded(found) if found else data


def decoded_again(run: Run, data: Dataset, operations: tuple[Operation, ...], folder: Path) -> Dataset:
    """Rows of a finished run with their images decoded as its bundle does. Raises DataError where images changed."""
    by = [operation for operation in unfolded(operations) if isinstance(operation, DecodeImage)]
    if not by:
        return data
    return decoded(data, list({decode.column: decode for decode in by}.values()), folder, None, run)


def decoded_here(data: Dataset, by: list[DecodeImage]) -> Dataset:
    """A few rows with the pixels of their images, decoded in this process as a server does; nothing is written."""
    found = {}
    with Media() as media:
        for decode in by:
            files = opened(data.columns, data.schema, media)
            found[decode.column] = Decoded(decode, decode.apply(files)[decode.column])
    return data.with_decoded(found)


@contextmanager
def new_store() -> Iterator[Path]:
    """A folder for maps that is gone afterwards: what is decoded into it is decoded anew."""
    with tempfile.TemporaryDirectory(prefix="deepwright-images-") as folder:
        yield Path(folder)


def store() -> Path:
    """The workspace's maps; `deepwright ls --prepared` lists them."""
    return workspace() / "prepared"


def opened(columns: Mapping[str, np.ndarray], schema: Schema, media: Media) -> dict[str, np.ndarray]:
    """The columns with the images' files, as bytes, in place of references."""
    result = dict(columns)
    for name in image_columns(schema):
        result[name] = np.array([*(None if each is None else media.read(each) for each in columns[name]), None], object)
        result[name] = result[name][:-1]
    return result


def _choices(recipe: Recipe, train: Dataset) -> list[tuple[DecodeImage, Finding]]:
    reading = _reading_of(recipe.source)
    return [choose_decode(train, name, recipe.prepare.images, reading) for name in image_columns(train.schema)]


def _reading_of(source: Any) -> Reading:
    """What the source, or the first of a merge that has images, says of them."""
    sources = getattr(source, "sources", ())
    found = next((each for each in (source, *sources) if hasattr(each, "image_reading")), None)
    return Reading() if found is None else found.image_reading


def _keep_address(run: Run, name: str, address: str) -> None:
    entry = run.entry(name)
    if entry is None:
        run.commit(name, address=address)
    elif entry["address"] != address:
        raise DataError("images.not_those", run=run.name, name=name)


def _require_same_pixels(references: np.ndarray, decode: DecodeImage, pixels: np.ndarray) -> None:
    rows = np.unique(np.linspace(0, len(references) - 1, COMPARED).astype(int))
    with Media() as media:
        encoded = np.array([*(media.read(references[row]) for row in rows), None], object)[:-1]
    ours = decode.apply({decode.column: encoded})[decode.column]
    differing = int((ours != pixels[rows]).any(axis=(1, 2, 3)).sum())
    if differing:
        raise ProofError("run.pixels", count=differing, of=len(rows), column=decode.column)
