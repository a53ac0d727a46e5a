"""Images: folders, archives, manifests, Parquet files and arrays of images, each decoded in full before it counts."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import model_validator

from deepwright.core.errors import AskError, DataError, RecipeError, UsageError
from deepwright.core.image import Facts, Reading
from deepwright.core.part import option
from deepwright.core.report import Sentence
from deepwright.core.schema import Type
from deepwright.core.seal import TEST, VALIDATION
from deepwright.core.text import text
from deepwright.data.image_folders import Layout, Nested
from deepwright.data.image_listing import OPEN, Listing
from deepwright.data.interpret import Interpreted

if TYPE_CHECKING:
    from deepwright.data.image_inspect import Inspected
    from deepwright.data.raw import Asides, Raw

SNIFFED = 200
"""Files looked at to see whether a folder holds images."""


class Images(Interpreted, kind="images"):
    """Images and what stands beside them: a class per folder, a manifest, Parquet, idx or npz; also in zip and tar.

    The column `image` holds references; `label` is the folder's name, or stands in the file. Folders called train,
    validation and test (or val, dev ...) above the classes give the parts.

    >>> Images(path="photos", manifest="labels.csv").default_target
    'label'
    """

    default_target: ClassVar[str | None] = "label"
    holds: ClassVar[Type | None] = "image"

    path: str | None = option(
        None, "a folder, an archive, a Parquet or npz file; with a manifest: where its names start"
    )
    test: str | None = option(None, "images of your own test part, in the same form; none: the test part is split off")
    validation: str | None = option(None, "images of your own validation part, in the same form; none: it is split off")
    manifest: str | None = option(None, "a table with a column of file names, and labels; none: folders are labels")
    image: str | None = option(None, "the column or array with the images; none: the only one there is")
    part: str | None = option(None, "the manifest's column with words such as train, validation, test; none: no parts")
    layout: Layout = option(
        "auto", "auto: as names of folders show; classes: they are classes; parts: parts; flat: neither"
    )
    nested: Nested = option(
        "ask", "folders within a class; ask; first: the outer folder is the class; path: the whole path"
    )
    levels: tuple[float, ...] = option(
        (), "values that become black and white where a channel has more than 8 bits: 0,65535; empty: asked for"
    )
    frame: int | None = option(None, "which frame or page of several, from 0; none: asked for", low=0, high=100_000)
    background: int = option(255, "grey level behind what is transparent, 0 (black) to 255 (white)", low=0, high=255)

    @model_validator(mode="after")
    def _levels_rise(self) -> "Images":
        if self.levels and (len(self.levels) != 2 or not self.levels[0] < self.levels[1]):
            raise RecipeError("images.levels_option", found=", ".join(f"{level:g}" for level in self.levels))
        return self

    @property
    def image_reading(self) -> Reading:
        """What is said of how its images are to be taken."""
        return Reading(self.background, (self.levels[0], self.levels[1]) if self.levels else None, self.frame)

    def read(self, target: str | None) -> "Raw":
        """Every image, decoded in full once, as a row; what cannot be decoded is set aside with its reason.

        Raises DataError for what is no image data, a pipe or a link that leaves the folder; AskError where layout,
        column, frame or depth can be read in two ways.
        """
        from deepwright.data.image_inspect import inspect

        listing = self.listing()
        inspected = inspect(listing.references)
        return self._raw(listing, inspected, target or "label")

    def listing(self) -> Listing:
        """Which images there are, before any is decoded."""
        if self.path is None and self.manifest is None:
            raise UsageError("collect.no_source")
        pieces = [self._listing(self.path)]
        for place, part in ((self.validation, VALIDATION), (self.test, TEST)):
            if place is not None:
                piece = self._listing(place)
                if set(piece.columns) != set(pieces[0].columns):  # one class alone looks like a folder of all
                    piece = self._listing(place, "classes" if self.layout == "auto" else self.layout)
                pieces.append(piece.as_part(part))
        return Listing.joined(pieces[0].source, pieces)

    def _listing(self, place: str | None, layout: Layout | None = None) -> Listing:
        from deepwright.data import image_arrays, image_folders, image_tables

        if self.manifest is not None:
            manifest = Path(self.manifest)
            root = manifest.parent if place is None else Path(place)
            return image_tables.list_manifest(manifest, root, self.image, self.part)
        assert place is not None, "without a manifest there is a path"
        path = Path(place)
        if not path.exists():
            raise DataError("file.missing", path=path, hint="")
        if path.is_dir():
            tables = _parquet_files(path)
            if tables:
                return image_tables.list_parquet(tables, self.image, place)
            arrays = image_arrays.list_idx(path)
            return arrays or image_folders.list_folder(path, layout or self.layout, self.nested)
        kind = _file_kind(path)
        if kind == "parquet":
            return image_tables.list_parquet([path], self.image, place)
        if kind == "npz":
            return image_arrays.list_npz(path, self.image)
        if kind == "image":
            return image_folders.list_file(path)
        return image_folders.list_archive(path, layout or self.layout, self.nested)

    def _raw(self, listing: Listing, inspected: Sequence["Inspected"], target: str) -> "Raw":
        from deepwright.data.image_findings import conflicting, image_findings
        from deepwright.data.raw import Asides, Raw

        names = [_short(reference, listing.source) for reference in listing.references]
        self._refuse_open_questions(listing.source, names, inspected)
        asides = Asides().add_all(listing.set_aside)
        _set_bad_aside(asides, listing.origin, names, [each.fault for each in inspected])
        facts = [each.facts for each in inspected]
        labels = listing.columns.get(target)
        kept = np.array([each is not None for each in facts], bool)
        if labels is not None:
            torn = conflicting(facts, labels, listing.part) & kept
            first = ", ".join(f"{names[i]} ({labels[i]})" for i in np.flatnonzero(torn)[:4])
            asides.add(text("aside.conflicting_label", first=first), listing.origin[torn])
            kept &= ~torn
        listing = listing.with_hashes([each.sha256 for each in inspected])
        rows = np.flatnonzero(kept)
        good: list[Facts] = [each for each, keep in zip(facts, kept, strict=True) if keep and each is not None]
        part = listing.part[rows]
        findings = image_findings(listing.source, [names[i] for i in rows], good, part) if good else ()
        cells = {listing.image: np.array([*listing.references, None], dtype=object)[:-1][rows]}
        cells |= {name: column[rows] for name, column in listing.columns.items()}
        digests = np.array([*(each.pixels for each in good), None], dtype=object)[:-1]
        sha256 = listing.files[0].sha256
        if len(listing.files) > 1:
            sha256 = hashlib.sha256("".join(file.sha256 for file in listing.files).encode()).hexdigest()
        return Raw(
            names=tuple(cells),
            cells=cells,
            origin=listing.origin[rows],
            source=listing.source,
            sha256=sha256,
            options=self.reading,
            set_aside=asides.records(),
            notes=(*listing.notes, *findings),
            forms={**listing.forms, listing.image: "image"},
            files=listing.files,
            file_of=listing.file_of[rows] if len(listing.files) > 1 else None,
            part=part if (listing.part != OPEN).any() else None,
            digests={listing.image: digests},
        )

    def _refuse_open_questions(self, source: str, names: Sequence[str], inspected: Sequence["Inspected"]) -> None:
        """Raises AskError for images of several frames, or of more than 8 bits, where no option says what is meant."""
        found = [(name, each.facts) for name, each in zip(names, inspected, strict=True) if each.facts is not None]
        moving = [(name, facts) for name, facts in found if facts.frames > 1]
        if moving and self.frame is None:
            name, facts = moving[0]
            raise AskError("images.ask_frame", source=source, count=len(moving), first=name, frames=facts.frames)
        deep = [(name, facts) for name, facts in found if facts.is_deep]
        if deep and not self.levels:
            low, high = min(facts.low for _, facts in deep), max(facts.high for _, facts in deep)
            name, facts = deep[0]
            line = _usual_levels(facts, low, high)
            raise AskError(
                "images.ask_levels", source=source, count=len(deep), first=name, mode=facts.mode, low=f"{low:g}",
                high=f"{high:g}", levels=line,
            )  # fmt: skip


def claims(path: Path) -> dict[str, Any] | None:
    """The source of a path that holds images: a folder or an archive of them, Parquet with encoded images, arrays."""
    from deepwright.data import archive, image_arrays

    is_mine = False
    if path.is_dir():
        tables = _parquet_files(path)
        is_mine = bool(tables) or _has_idx(path) or _are_images(_some_files(path))
    elif path.is_file():
        kind = _file_kind(path)
        if kind == "parquet":
            is_mine = _holds_images(path)
        elif kind == "npz":
            from deepwright.data.arrays import array_heads

            is_mine = any(image_arrays.is_image_array(head) for head in array_heads(path).values())
        elif kind == "image":
            is_mine = True
        elif kind == "archive":
            with archive.open_archive(path) as opened:
                is_mine = _are_images(opened.names)
    return {"kind": "images", "path": str(path)} if is_mine else None


def _file_kind(path: Path) -> str:
    from deepwright.data.archive import is_archive
    from deepwright.data.arrays import is_array_file
    from deepwright.data.image_folders import MAGIC, SUFFIXES
    from deepwright.data.signature import regular_file

    with regular_file(path).open("rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        return "parquet"
    if path.suffix.lower() in SUFFIXES and start.startswith(MAGIC):  # a table may begin with the letters BM
        return "image"
    if is_array_file(path):
        return "npz"
    return "archive" if is_archive(path) else "other"


def _some_files(folder: Path) -> list[str]:
    """Names of the first files below a folder, in the order in which the system lists them."""
    names: list[str] = []
    for _, folders, files in os.walk(folder):
        folders.sort()
        names += files[: max(0, SNIFFED - len(names))]
        if len(names) >= SNIFFED:
            break
    return names


def _are_images(names: Sequence[str]) -> bool:
    from deepwright.data.archive import is_junk
    from deepwright.data.image_folders import SUFFIXES

    named = [name for name in names if not is_junk(name)]
    return sum(os.path.splitext(name)[1].lower() in SUFFIXES for name in named) * 2 > len(named)  # noqa: PTH122


def _has_idx(folder: Path) -> bool:
    from deepwright.data.image_arrays import IMAGES_NAME

    return any(IMAGES_NAME.fullmatch(path.name) for path in folder.iterdir())


def _parquet_files(folder: Path) -> list[Path]:
    """The folder's Parquet files, if it has some and each holds encoded images."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".parquet" and path.is_file())
    return files if files and all(map(_holds_images, files)) else []


def _holds_images(path: Path) -> bool:
    """Whether the first value of a binary column begins like an image."""
    import pyarrow.parquet as pq

    from deepwright.data.image_folders import MAGIC
    from deepwright.data.image_tables import image_columns
    from deepwright.data.media import Media, row_reference

    for column in image_columns(path):
        if pq.read_metadata(path).num_rows:
            with Media() as media:
                if media.read(row_reference(path, column, 0)).startswith(MAGIC):
                    return True
    return False


def _short(reference: str, source: str) -> str:
    """A reference as findings name it: without what all of them begin with."""
    if reference.startswith((f"{source}/", f"{source}!")):
        return reference[len(source) + 1 :]
    file, mark, rest = reference.partition("#")
    return f"{Path(file).name}#{rest.rpartition('#')[2]}" if mark else reference


def _set_bad_aside(
    asides: "Asides", origin: np.ndarray, names: Sequence[str], faults: Sequence[Sentence | None]
) -> None:
    """By fault; each names the first image that has it."""
    kinds = Counter(fault.key for fault in faults if fault is not None)
    for key in kinds:
        rows = [place for place, fault in enumerate(faults) if fault is not None and fault.key == key]
        fault = faults[rows[0]]
        assert fault is not None, "rows have faults"
        asides.add(text("aside.image", why=fault.text, first=names[rows[0]]), origin[rows])


def _usual_levels(facts: Facts, low: float, high: float) -> str:
    """The range that such numbers usually mean: all 16 bits, 0 to 1, or what was found."""
    if facts.mode.startswith("I") and low >= 0 and high <= 65535:
        return "0,65535" if high > 4095 else "0,4095"
    if low >= 0 and high <= 1:
        return "0,1"
    return f"{low:g},{high:g}"
