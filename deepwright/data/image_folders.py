"""Images in folders and archives: a class per folder, parts above the classes, or no labels at all."""

import os
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from deepwright.core.disk import sha256_file
from deepwright.core.errors import AskError, DataError
from deepwright.core.report import Finding, finding
from deepwright.data.archive import is_junk, open_archive
from deepwright.data.image_listing import OPEN, PARTS, Listing
from deepwright.data.media import escaped, member_reference
from deepwright.data.raw import SourceFile

Layout = Literal["auto", "classes", "parts", "flat"]
Nested = Literal["ask", "first", "path"]

SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".mpo",
    ".ppm", ".pgm", ".pbm", ".pnm",
})  # fmt: skip
MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*", b"P4", b"P5", b"P6")
SHOWN = 5


@dataclass(frozen=True)
class Found:
    """images: paths below the root with `/`. ignored: what else lies there."""

    images: tuple[str, ...]
    ignored: tuple[str, ...]


def list_folder(root: Path, layout: Layout, nested: Nested) -> Listing:
    """The images of a folder. Raises DataError for a pipe, a device or a link that leaves it, AskError as `arrange`."""
    found = _found(walk(root), lambda name: _start(root / name))
    references = [escaped(str(root / name)) for name in found.images]
    return _listing(str(root), "", references, found, layout, nested)


def list_file(path: Path) -> Listing:
    """One image by itself."""
    return Listing.of_file(SourceFile(str(path), sha256_file(path), 1), [escaped(str(path))], {})


def list_archive(path: Path, layout: Layout, nested: Nested) -> Listing:
    """The images of a zip or tar archive, as for a folder, in its own order: a gzipped tar is read only forwards."""
    with open_archive(path) as archive:
        found = _found(archive.names, lambda name: archive.read(name)[:8])
    references = [member_reference(path, name) for name in found.images]
    return _listing(str(path), sha256_file(path), references, found, layout, nested)


def walk(root: Path) -> list[str]:
    """Every file below a folder, by its path with `/`, sorted; hidden folders too.

    Raises DataError for what is no regular file (opening a pipe would hang) and for a link that leaves the folder.
    """
    names: list[str] = []
    inside = os.path.realpath(root)
    for folder, folders, files in os.walk(root, onerror=_refuse_unreadable):
        for name in (*folders, *files):
            path = os.path.join(folder, name)  # noqa: PTH118 - a name may hold bytes that are no text
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                target = os.path.realpath(path)
                if not os.path.exists(target) or os.path.commonpath([inside, target]) != inside:  # noqa: PTH110
                    raise DataError("images.link", path=escaped(path), target=escaped(target))
                mode = os.stat(path).st_mode  # noqa: PTH116
            if stat.S_ISREG(mode):
                names.append(os.path.relpath(path, root).replace(os.sep, "/"))
            elif not stat.S_ISDIR(mode):
                raise DataError("images.not_regular", path=escaped(path))
    return sorted(names)


def arrange(
    names: Sequence[str], source: str, layout: Layout, nested: Nested
) -> tuple[list[str | None], list[int], tuple[Finding, ...]]:
    """Label and part of each path: by the folder that holds it, and by the folder above.

    A folder that holds everything else is passed over. Raises AskError where folders can be read in two ways: some are
    named like parts and some not, or there are folders within a class.
    """
    paths = [PurePosixPath(name).parts for name in names]
    if layout == "auto":
        while len({path[0] for path in paths}) == 1 and all(len(path) > 1 for path in paths):
            paths = [path[1:] for path in paths]
        layout = _layout(paths, source)
    parts = [OPEN] * len(paths)
    if layout == "parts":
        unknown = sorted({path[0] for path in paths if len(path) == 1 or path[0].lower() not in PARTS})
        if unknown:
            raise DataError("images.no_part", source=source, found=escaped(unknown[0]), known=", ".join(PARTS))
        parts = [PARTS[path[0].lower()] for path in paths]
        paths = [path[1:] for path in paths]
    if layout == "flat":
        return [None] * len(paths), parts, ()
    deep = [path for path in paths if len(path) > 2]
    if deep and nested == "ask":
        raise AskError("images.ask_nested", source=source, count=len(deep), path=escaped("/".join(deep[0])))
    labels: list[str | None] = []
    for path in paths:
        folders = path[:1] if nested == "first" else path[:-1]
        labels.append(_name("/".join(folders)) if len(path) > 1 else None)
    return labels, parts, ()


def _layout(paths: Sequence[tuple[str, ...]], source: str) -> Layout:
    tops = {path[0] for path in paths if len(path) > 1}
    if not tops:
        return "flat"
    like_parts = sorted(top for top in tops if top.lower() in PARTS)
    if not like_parts:
        return "classes"
    others = sorted({path[0] for path in paths} - set(like_parts))
    if others:
        raise AskError("images.ask_layout", source=source, parts=", ".join(like_parts), other=escaped(others[0]))
    return "parts"


def _name(label: str) -> str:
    """A folder's name as a class: one Unicode form, no blanks around it."""
    return escaped(unicodedata.normalize("NFC", label).strip())


def _found(names: Sequence[str], start: Callable[[str], bytes]) -> Found:
    images, ignored = [], []
    for name in names:
        hidden = any(piece.startswith(".") for piece in PurePosixPath(name).parts)
        if hidden or is_junk(name) or not _is_image(name, start):
            ignored.append(name)
        else:
            images.append(name)
    return Found(tuple(images), tuple(ignored))


def _is_image(name: str, start: Callable[[str], bytes]) -> bool:
    """By its ending, so that a bad image is told and not passed over; other files by their first bytes."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES or start(name).startswith(MAGIC)


def _listing(source: str, sha256: str, references: list[str], found: Found, layout: Layout, nested: Nested) -> Listing:
    if not found.images:
        raise DataError("images.none_found", source=source, ignored=len(found.ignored))
    labels, parts, notes = arrange(found.images, source, layout, nested)
    columns = {}
    if any(label is not None for label in labels):
        columns["label"] = np.array([*labels, None], dtype=object)[:-1]
    if found.ignored:
        shown = ", ".join(escaped(name) for name in found.ignored[:SHOWN])
        kinds = Counter(PurePosixPath(name).suffix.lower() or "-" for name in found.ignored)
        endings = ", ".join(f"{ending} ({count})" for ending, count in kinds.most_common(SHOWN))
        notes = (
            *notes,
            finding("images_ignored", "note", source, count=len(found.ignored), kinds=endings, first=shown),
        )
    file = SourceFile(source, sha256, len(references))
    listing = Listing.of_file(file, references, columns, np.array(parts, np.int8))
    return replace(listing, notes=notes)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _refuse_unreadable(error: OSError) -> None:
    raise DataError("images.unreadable", path=error.filename, why=error.strerror or str(error)) from None
