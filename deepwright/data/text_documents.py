"""Documents: files, lines and paragraphs as rows, decoded strictly; what is no text is set aside with its place."""

import codecs
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepwright.core.disk import sha256_file
from deepwright.core.errors import AskError, DataError
from deepwright.core.report import Finding, finding
from deepwright.core.text import text
from deepwright.data.archive import gunzipped, is_junk, open_archive
from deepwright.data.encoding import does_not_fit, errors_of, find_encoding, guess_encoding
from deepwright.data.image_folders import arrange, walk
from deepwright.data.image_listing import OPEN
from deepwright.data.media import escaped
from deepwright.data.raw import Asides, Raw, SourceFile
from deepwright.data.signature import format_of, require_memory
from deepwright.data.tidy import CONTROL, Tidied, one_form

if TYPE_CHECKING:
    from deepwright.data.texts import Texts

MAX_CHARACTERS = 1_000_000
"""Of a document, where no option says it; one that is a whole file alone is kept whole."""

LINE_END = re.compile(r"\r\n|\n|\r")
BLANK_LINES = re.compile(r"(?:\r\n|\n|\r(?!\n))[^\S\r\n]*(?:\r\n|\n|\r(?!\n))\s*")
FIELD = re.compile(r"\{(\w*)\}")
PREVIEW_CHARACTERS = 40
MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def documents_of_file(path: Path, options: "Texts") -> Raw:
    """One file as a document, or its lines or paragraphs as documents."""
    require_memory(path, path.stat().st_size)
    data = gunzipped(path.read_bytes(), str(path))
    require_memory(path, len(data))
    format_of(data[: 1 << 20], path)  # refuses what is no text at all
    encoding = find_encoding(data, path, options.encoding, is_whole=True)
    try:
        whole = data.decode(encoding, errors_of(encoding))
    except UnicodeDecodeError as error:
        raise does_not_fit(path, encoding, error.start, bytes(error.object)) from None
    unit = "line" if options.unit == "auto" else options.unit
    limit = options.max_characters or (len(whole) if unit == "file" else MAX_CHARACTERS)
    rows = Rows(options, str(path), limit, offset_of=lambda place: _offset(whole, place, encoding))
    pieces = [(0, whole)] if unit == "file" else _lines(whole) if unit == "line" else _paragraphs(whole)
    blank = 0
    for place, piece in pieces:
        if unit != "file" and not piece.strip():
            blank += 1  # what separates documents is none
        else:
            rows.add(piece, place)
    notes = (finding("blank_lines", "note", str(path), count=blank),) if blank and unit == "line" else ()
    return rows.raw(sha256_file(path), {}, None, notes)


def documents_of_folder(root: Path, options: "Texts") -> Raw:
    """The files of a folder, each a document; the folder that holds it is its label."""
    names = walk(root)
    return _of_files(names, lambda name: (root / name).read_bytes(), str(root), options)


def documents_of_archive(path: Path, options: "Texts") -> Raw:
    """The members of a zip or tar archive, as the files of a folder."""
    with open_archive(path) as archive:
        return _of_files(archive.names, archive.read, str(path), options)


def _of_files(names: Sequence[str], read: Callable[[str], bytes], source: str, options: "Texts") -> Raw:
    """Rows in the order of the names. sha256: over every file's name and content."""
    hidden = [name for name in names if any(part.startswith(".") for part in name.split("/")) or is_junk(name)]
    shown = sorted(set(names) - set(hidden))
    if not shown:
        raise DataError("documents.none", source=source)
    labels, parts, notes = arrange(shown, source, options.layout, options.nested)
    if hidden:
        notes = (*notes, finding("texts_ignored", "note", source, count=len(hidden), first=escaped(hidden[0])))
    rows, digest = Rows(options, source, options.max_characters or MAX_CHARACTERS), hashlib.sha256()
    undecoded: list[tuple[str, bytes]] = []
    beyond_ascii = 0
    kept: list[int] = []
    for place, name in enumerate(shown):
        data = read(name)
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(data).digest())
        data = gunzipped(data, escaped(name))
        beyond_ascii += not data.isascii()
        document, fault = _decoded(data, options.encoding, escaped(name))
        if fault is not None:
            undecoded.append((name, data))
            rows.set_aside(text("aside.document_bytes", first=escaped(name), offset=fault))
            continue
        before = len(rows)
        for piece in _units(document, options):
            rows.add(piece)
        kept += [place] * (len(rows) - before)
    if options.encoding is None and len(undecoded) * 2 > beyond_ascii:
        _ask_encoding(source, undecoded)
    columns = {}
    if any(label is not None for label in labels):
        columns["label"] = [labels[place] for place in kept]
    part = np.array([parts[place] for place in kept], np.int8) if set(parts) != {OPEN} else None
    return rows.raw(digest.hexdigest(), columns, part, notes)


def _units(document: str, options: "Texts") -> Iterator[str]:
    if options.unit == "line":
        yield from (line for _, line in _lines(document) if line.strip())
    elif options.unit == "paragraph":
        yield from (paragraph for _, paragraph in _paragraphs(document) if paragraph.strip())
    else:
        yield document


def _decoded(data: bytes, asked: str | None, name: str) -> tuple[str, int | None]:
    """A file's text, and where its bytes stop being of the encoding, if they do. A mark at its start says which."""
    encoding = asked or "utf-8"
    if data.startswith(MARKS):
        encoding = find_encoding(data, name, None, is_whole=True)
    elif asked is not None:
        encoding = find_encoding(b"", name, asked, is_whole=True)
    try:
        return data.decode(encoding), None
    except UnicodeDecodeError as error:
        return "", error.start


def _ask_encoding(source: str, undecoded: Sequence[tuple[str, bytes]]) -> None:
    name, data = undecoded[0]
    guess = guess_encoding(b"\n".join(data[:4096] for _, data in undecoded[:50]))
    line = next(line for line in data.splitlines() if not line.isascii())
    preview = line.decode(guess, "replace").strip()[:PREVIEW_CHARACTERS]
    raise AskError("encoding.ask", path=f"{source}/{escaped(name)}", row=1, guess=guess, preview=preview)


@dataclass
class Rows:
    """Documents taken one after the other; what is none is set aside with its reason.

    limit: characters of a document, at most. offset_of: from a place in the text to the byte in the file.
    """

    options: "Texts"
    source: str
    limit: int
    offset_of: Callable[[int], int] | None = None
    columns: dict[str, list[str | None]] = field(default_factory=dict)
    origin: list[int] = field(default_factory=list)
    asides: Asides = field(default_factory=Asides)
    tidied: Tidied = field(default_factory=Tidied)
    number: int = 0
    cut: int = 0
    _faulty: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.columns = {name: [] for name in self.options.fields}
        self._form = None if self.options.form is None else compiled(self.options.form)

    def __len__(self) -> int:
        return len(self.origin)

    def set_aside(self, reason: str) -> None:
        self.number += 1
        self.asides.add(reason, [self.number])

    def add(self, piece: str, place: int = 0) -> None:
        """One document. place: where it begins in the file's text."""
        self.number += 1
        if bad := _surrogate(piece):
            self._faulty.append((self.number, place + bad.start()))
            return
        document = self._one_form(piece)
        cells = [document] if self._form is None else _cells(self._form, document)
        if cells is None:
            self.asides.add(text("aside.document_form", form=self.options.form, first=piece[:60]), [self.number])
            return
        named = dict(zip(self.options.fields, cells, strict=True))
        if not named["text"].strip():
            self.asides.add(text("aside.document_empty"), [self.number])
            return
        for key, cell in named.items():
            self.columns[key].append((cell if key == "text" else cell.strip()) or None)
        self.origin.append(self.number)

    def raw(
        self,
        sha256: str,
        further: dict[str, list[str | None]],
        part: np.ndarray | None,
        notes: Iterable[Finding],
    ) -> Raw:
        """The rows. further: columns beside those of the form."""
        if self._faulty and self.offset_of is not None:
            reason = text("aside.document_line", offset=self.offset_of(self._faulty[0][1]))
            self.asides.add(reason, [number for number, _ in self._faulty])
        notes = list(notes)
        if self.cut:
            notes.append(finding("text_cut", "warning", self.source, count=self.cut, limit=self.limit))
        columns = {**further, **self.columns}
        cells = {name: np.array([*column, None], dtype=object)[:-1] for name, column in columns.items()}
        types = self.options.types
        if "label" in further and not any(entry.startswith("label=") for entry in types):
            types = (*types, "label=category")  # folders called 1, 2, 3 are classes and no values
        reading = self.options.reading.replace(types=types)
        return Raw(
            names=tuple(cells),
            cells=cells,
            origin=np.array(self.origin, np.int64),
            source=self.source,
            sha256=sha256,
            options=reading,
            set_aside=self.asides.records(),
            tidied=self.tidied,
            notes=tuple(notes),
            forms={"text": "document"},
            files=(SourceFile(self.source, sha256, self.number),),
            part=part,
        )

    def _one_form(self, piece: str) -> str:
        document = LINE_END.sub("\n", piece)
        if len(document) > self.limit:
            document, self.cut = document[: self.limit], self.cut + 1
        if document.isascii() and not any(map(document.__contains__, _ASCII_CONTROL)):
            return document
        changed = one_form(document)
        if changed != document:
            self.tidied.unicode += 1
            self.tidied.columns["text"] = None
        return changed


_ASCII_CONTROL = tuple(chr(code) for code in CONTROL if code < 128)
_SURROGATE = re.compile("[\ud800-\udfff]")


def _surrogate(piece: str) -> re.Match[str] | None:
    return None if piece.isascii() else _SURROGATE.search(piece)


def _lines(whole: str) -> Iterator[tuple[int, str]]:
    start = 0
    for end in LINE_END.finditer(whole):
        yield start, whole[start : end.start()]
        start = end.end()
    if start < len(whole):
        yield start, whole[start:]


def _paragraphs(whole: str) -> Iterator[tuple[int, str]]:
    start = 0
    for end in BLANK_LINES.finditer(whole):
        yield start, whole[start : end.start()]
        start = end.end()
    yield start, whole[start:].rstrip("\r\n")


def _offset(whole: str, place: int, encoding: str) -> int:
    """The byte at which a character of the text stands."""
    mark = len(codecs.BOM_UTF8) if encoding == "utf-8-sig" else 0
    return mark + len(whole[:place].encode("utf-8", "surrogateescape"))


def compiled(form: str) -> re.Pattern[str]:
    """A form as a pattern: `text` takes as much as it can, others reach up to the first of what follows in the form.

    >>> compiled("{label}:{} {text}").fullmatch("DESC:manner How did it?").groups()
    ('DESC', 'How did it?')
    """
    pieces = FIELD.split(form)  # literal, name, literal, name, ..., literal
    pattern = re.escape(pieces[0])
    for name, following in zip(pieces[1::2], pieces[2::2], strict=True):
        inner = ".*" if not following else f"[^{re.escape(following[0])}]*" if name != "text" else ".*"
        pattern += (f"({inner})" if name else inner) + re.escape(following)
    return re.compile(pattern, re.DOTALL)


def _cells(form: re.Pattern[str], document: str) -> tuple[str, ...] | None:
    found = form.fullmatch(document)
    return None if found is None else found.groups()
