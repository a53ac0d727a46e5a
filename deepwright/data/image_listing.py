"""Listing: which images a source holds, as references, with what is known beside them and where each came from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from deepwright.core.errors import DataError
from deepwright.core.report import Finding, SetAside
from deepwright.core.seal import TEST, TRAIN, VALIDATION
from deepwright.data.raw import SourceFile

PARTS = {
    "train": TRAIN, "training": TRAIN,
    "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION, "dev": VALIDATION,
    "test": TEST, "testing": TEST,
}  # fmt: skip
"""Names of folders and files that say which part their images are."""
OPEN = -1


@dataclass(frozen=True, eq=False)
class Listing:
    """references: [N]. columns: column > object [N] of str or None, beside the images. part: int8 [N] (-1: none given).

    origin: int64 [N], the number of each within its file. image: the column's name.
    set_aside: rows of a manifest that could not be read.
    """

    source: str
    references: list[str]
    columns: Mapping[str, np.ndarray]
    part: np.ndarray
    origin: np.ndarray
    files: tuple[SourceFile, ...]
    file_of: np.ndarray
    forms: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Finding, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    image: str = "image"

    def __len__(self) -> int:
        return len(self.references)

    @classmethod
    def of_file(
        cls,
        file: SourceFile,
        references: list[str],
        columns: Mapping[str, np.ndarray],
        part: int | np.ndarray | None = None,
    ) -> "Listing":
        """All images of one file; part: of all, or of each."""
        num = len(references)
        parts = part if isinstance(part, np.ndarray) else np.full(num, OPEN if part is None else part, np.int8)
        origin, file_of = np.arange(1, num + 1), np.zeros(num, np.int32)
        return cls(file.name, references, columns, parts, origin, (file,), file_of)

    @classmethod
    def joined(cls, source: str, pieces: Sequence["Listing"]) -> "Listing":
        """One behind the other. Raises DataError where they do not have the same columns."""
        first = pieces[0]
        for piece in pieces[1:]:
            if set(piece.columns) != set(first.columns):
                raise DataError(
                    "images.columns_differ",
                    path=piece.source,
                    found=", ".join(piece.columns) or "-",
                    first=first.source,
                    columns=", ".join(first.columns) or "-",
                )
        offsets = np.cumsum([0, *(len(piece.files) for piece in pieces)])
        return cls(
            source=source,
            references=[reference for piece in pieces for reference in piece.references],
            columns={name: np.concatenate([piece.columns[name] for piece in pieces]) for name in first.columns},
            part=np.concatenate([piece.part for piece in pieces]),
            origin=np.concatenate([piece.origin for piece in pieces]),
            files=tuple(file for piece in pieces for file in piece.files),
            file_of=np.concatenate(
                [piece.file_of + np.int32(offset) for piece, offset in zip(pieces, offsets, strict=False)]
            ),
            forms=first.forms,
            notes=tuple(note for piece in pieces for note in piece.notes),
            set_aside=tuple(entry for piece in pieces for entry in piece.set_aside),
            image=first.image,
        )

    def as_part(self, part: int) -> "Listing":
        """The same images, all of one part."""
        return replace(self, part=np.full(len(self), part, np.int8))

    def with_hashes(self, hashes: Sequence[str]) -> "Listing":
        """The same images; a file without a hash gets one of its images' places and hashes, as a folder does."""
        files = list(self.files)
        for number, file in enumerate(files):
            if not file.sha256:
                digest = hashlib.sha256()
                for place in np.flatnonzero(self.file_of == number).tolist():
                    digest.update(f"{self.references[place]}\0{hashes[place]}\n".encode())
                files[number] = replace(file, sha256=digest.hexdigest())
        return replace(self, files=tuple(files))


def part_of_name(name: str) -> int | None:
    """The part that a folder's or a file's name says, if it says one.

    >>> part_of_name("Validation"), part_of_name("train-00000-of-00002"), part_of_name("ants")
    (1, 0, None)
    """
    lower = name.lower()
    return PARTS.get(lower, PARTS.get(lower.split("-")[0].split("_")[0].split(".")[0]))
