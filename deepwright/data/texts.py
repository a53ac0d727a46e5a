"""Texts: documents of a folder or an archive, of a file's lines or paragraphs, with labels from folders or a form."""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import model_validator

from deepwright.core.errors import DataError, RecipeError, UsageError
from deepwright.core.part import option
from deepwright.core.seal import TEST, VALIDATION
from deepwright.data.image_folders import Layout, Nested
from deepwright.data.interpret import Interpreted

if TYPE_CHECKING:
    from deepwright.data.raw import Raw

Unit = Literal["auto", "file", "line", "paragraph"]
SUFFIXES = frozenset({".txt", ".text", ".md"})
FIELD = re.compile(r"\{(\w*)\}")
SAMPLE_LINES = 200
SAMPLE_FILES = 200
SEPARATORS = (b"\t", b",", b";", b"|")


class Texts(Interpreted, kind="texts"):
    """Texts as documents: files in a folder per class, one file as a whole, its lines, or paragraphs between blanks.

    The column `text` holds them; `label` is the folder's name, or what the form of a line names so. Folders called
    train, validation and test (or val, dev ...) above the classes give the parts. A document is kept as it stands, but
    for line ends, the Unicode form, and control characters, which are taken out and counted.

    >>> Texts(path="TREC.train", form="{label}:{} {text}").default_target
    'label'
    """

    default_target: ClassVar[str | None] = "label"

    path: str | None = option(None, "a folder, an archive, or a file of text (also gzipped)")
    validation: str | None = option(None, "texts of your own validation part, alike; none: it is split off")
    test: str | None = option(None, "texts of your own test part, in the same form; none: the test part is split off")
    unit: Unit = option(
        "auto", "what a document is; auto: each file of a folder or archive, each line of a file; paragraph: up to a "
        "blank line"
    )  # fmt: skip
    form: str | None = option(
        None, "how a document reads, such as '{label}:{} {text}': what stands in braces is a column, {} is left out"
    )
    encoding: str | None = option(None, "of the texts; none: utf-8 (utf-16 by its mark), and asked for when it is not")
    layout: Layout = option(
        "auto", "auto: as names of folders show; classes: they are classes; parts: parts; flat: neither"
    )
    nested: Nested = option(
        "ask", "folders within a class; ask; first: the outer folder is the class; path: the whole path"
    )
    max_characters: int | None = option(
        None,
        "characters of a document that are kept, the rest is cut off; none: 1,000,000, or all of a file that is one",
        low=1,
        high=2**31 - 1,
    )

    @model_validator(mode="after")
    def _form_has_a_text(self) -> "Texts":
        names = self.fields
        if self.form is not None and (names.count("text") != 1 or len({*names}) < len(names)):
            raise RecipeError("documents.form", form=self.form, found=", ".join(names))
        return self

    @property
    def fields(self) -> list[str]:
        """The columns that the form names, in its order."""
        return [name for name in FIELD.findall(self.form or "{text}") if name]

    def read(self, target: str | None) -> "Raw":
        """Every document as a row.

        Raises DataError for what holds no text, a pipe or a link that leaves the folder; AskError where encoding or
        folders can be read in two ways.
        """
        from deepwright.data.append import append

        if self.path is None:
            raise UsageError("collect.no_source")
        raws = [self._read(self.path)]
        for path, part in ((self.validation, VALIDATION), (self.test, TEST)):
            if path is not None:
                raws.append(_of_part(self._read(path), part))
        return raws[0] if len(raws) == 1 else append(raws, raws[0].source)

    def _read(self, place: str) -> "Raw":
        from deepwright.data.archive import is_archive
        from deepwright.data.signature import regular_file
        from deepwright.data.text_documents import documents_of_archive, documents_of_file, documents_of_folder

        path = Path(place)
        if path.is_dir():
            found = documents_of_folder(path, self)
        elif is_archive(regular_file(path)):
            found = documents_of_archive(path, self)
        else:
            found = documents_of_file(path, self)
        if not found.rows_in:
            raise DataError("documents.none", source=place)
        return found


def _of_part(raw: "Raw", part: int) -> "Raw":
    import numpy as np

    return replace(raw, part=np.full(len(raw), part, np.int8))


def claims(path: Path) -> dict[str, Any] | None:
    """The source of a folder of text files, or of a text whose lines are no rows of a table."""
    if path.is_dir():
        names = _some_names(path)
        named = [name for name in names if _is_text_name(name.name)]
        is_mine = len(named) * 2 > len(names) and not any(map(_is_table, named[:3]))
    else:
        is_mine = path.is_file() and _is_text_name(path.name) and not _is_table(path)
    return {"kind": "texts", "path": str(path)} if is_mine else None


def _some_names(folder: Path) -> list[Path]:
    """The first regular files below a folder."""
    names: list[Path] = []
    for root, folders, files in os.walk(folder):
        folders.sort()
        names += [path for name in sorted(files) if not name.startswith(".") and (path := Path(root) / name).is_file()]
        if len(names) >= SAMPLE_FILES:
            break
    return names


def _is_text_name(name: str) -> bool:
    return Path(name.removesuffix(".gz")).suffix.lower() in SUFFIXES


def _is_table(path: Path) -> bool:
    """Whether some separator stands equally often, and at least once, in each of the first lines."""
    from deepwright.data.signature import read_head

    lines = [line for line in read_head(path).splitlines()[:-1] if line.strip()][:SAMPLE_LINES]
    return any(
        lines and len(counts := {line.count(mark) for line in lines}) == 1 and min(counts) for mark in SEPARATORS
    )
