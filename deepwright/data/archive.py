"""Archive: the members of a zip or tar file as bytes, checked before anything is unpacked; nothing is written to disk.

What an archive says of itself is not believed: names may not leave it, two members may not share a name, what it
expands to is bounded by its own size, and a member must be as long as its entry says.
"""

import gzip
import io
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from deepwright.core.errors import DataError, ResourceError, did_you_mean
from deepwright.data.signature import EXPANSION_FREE_BYTES, EXPANSION_LIMIT, GZIP, regular_file

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257
MAX_MEMBERS = 1_000_000
MAX_HEADER_BYTES = 1 << 20
"""A longer header (of a long name, say) is no honest one; it would be read into memory while listing."""
JUNK_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
JUNK_FOLDERS = ("__macosx/",)
BROKEN = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, OSError, NotImplementedError)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1


@dataclass(frozen=True)
class Member:
    """A file within an archive. size: bytes when unpacked; it is what was read, or reading it fails."""

    name: str
    size: int


def is_archive(path: Path) -> bool:
    """Whether the first bytes say zip or tar (gzipped too); a gzipped table is none."""
    with path.open("rb") as file:
        head = file.read(TAR_MAGIC_AT + len(TAR_MAGIC))
    if head.startswith(ZIP):
        return True
    if head.startswith(GZIP):
        try:
            with gzip.open(path) as stream:
                head = stream.read(TAR_MAGIC_AT + len(TAR_MAGIC))
        except (OSError, EOFError, zlib.error):
            return False
    return head[TAR_MAGIC_AT:] == TAR_MAGIC


def open_archive(path: str | Path) -> "Archive":
    """The archive, its entries checked; a context manager.

    Raises DataError for an archive that is broken, holds an unsafe name, a link, an encrypted or a double member,
    or expands as no honest archive does.
    """
    path = regular_file(path)
    with path.open("rb") as file:
        is_zip = file.read(4) in ZIP
    try:
        return _Zip(path) if is_zip else _Tar(path)
    except BROKEN as error:
        raise DataError("archive.broken", path=path, why=_first_line(error)) from None


def is_junk(name: str) -> bool:
    """Whether a member is what a system leaves behind: .DS_Store, Thumbs.db, __MACOSX/ and their like."""
    lower = name.lower()
    last = lower.rpartition("/")[2]
    return last in JUNK_NAMES or last.startswith("._") or lower.startswith(JUNK_FOLDERS)


class Archive:
    """Members by name, in the archive's order; folders are left out."""

    path: Path
    members: tuple[Member, ...]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(member.name for member in self.members)

    def close(self) -> None:
        raise NotImplementedError

    def read(self, name: str) -> bytes:
        """One member's bytes. Members of a gzipped tar are read fastest in the archive's order.

        Raises DataError for a name that is not there or a member that is broken, ResourceError when it does not fit.
        """
        import psutil

        size = self._sizes.get(name)
        if size is None:
            raise DataError("archive.no_member", path=self.path, name=name, hint=did_you_mean(name, self.names))
        free = psutil.virtual_memory().available
        if size > free:
            raise ResourceError("file.memory", path=f"{self.path}!{name}", free=free >> 20, wanted=size >> 20)
        try:
            data = self._read(name)
        except BROKEN as error:
            raise DataError("archive.broken_member", path=self.path, name=name, why=_first_line(error)) from None
        if len(data) != size:
            why = f"{len(data)} != {size}"
            raise DataError("archive.broken_member", path=self.path, name=name, why=why)
        return data

    def _read(self, name: str) -> bytes:
        raise NotImplementedError

    def _take(self, members: list[Member]) -> None:
        """Keep the members once their names and sizes are in order."""
        seen: dict[str, str] = {}
        for member in members:
            _require_safe(self.path, member.name)
            key = unicodedata.normalize("NFC", member.name.removeprefix("./")).casefold()
            if key in seen:
                raise DataError("archive.twins", path=self.path, first=seen[key], second=member.name)
            seen[key] = member.name
        _require_honest(self.path, sum(member.size for member in members))
        self.members = tuple(members)
        self._sizes = {member.name: member.size for member in members}


class _Zip(Archive):
    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = zipfile.ZipFile(path)
        try:
            self._take([Member(info.filename, info.file_size) for info in self._checked()])
        except BaseException:
            self._file.close()
            raise

    def _checked(self) -> Iterator[zipfile.ZipInfo]:
        infos = self._file.infolist()
        _require_few(self.path, len(infos))
        packed = self.path.stat().st_size
        if sum(info.compress_size for info in infos) > packed:
            raise DataError("archive.overlap", path=self.path, size=packed)
        for info in infos:
            _require_safe(self.path, info.orig_filename)  # `filename` ends at a NUL
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise DataError("archive.no_file", path=self.path, name=info.filename)
            if info.flag_bits & ENCRYPTED:
                raise DataError("archive.encrypted", path=self.path, name=info.filename)
            if info.compress_type not in METHODS:
                raise DataError("archive.method", path=self.path, name=info.filename, method=info.compress_type)
            if not info.is_dir():
                yield info

    def close(self) -> None:
        self._file.close()

    def _read(self, name: str) -> bytes:
        with self._file.open(name) as stream:
            return stream.read()  # at most the declared size; the checksum is compared at the end


class _Tar(Archive):
    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = _Capped(path)
        try:
            self._file = tarfile.TarFile(fileobj=self._stream, mode="r", errorlevel=2)  # type: ignore[arg-type]
            self._infos = {info.name: info for info in self._checked()}
        except BaseException:
            self._stream.close()
            raise
        self._stream.max_read = None

    def _checked(self) -> list[tarfile.TarInfo]:
        infos: list[tarfile.TarInfo] = []
        for number, info in enumerate(self._file, 1):
            _require_few(self.path, number)
            _require_safe(self.path, info.name)
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                raise DataError("archive.no_file", path=self.path, name=info.name)
            infos.append(info)
        self._require_end()
        self._take([Member(info.name, info.size) for info in infos])
        return infos

    def _require_end(self) -> None:
        """A header that is broken ends the listing as the end does; only zeros may follow the end."""
        self._stream.seek(self._file.offset)
        size, rest = 0, self._stream.read(tarfile.RECORDSIZE)
        while rest:
            size += len(rest)
            if rest.strip(b"\0"):
                raise DataError("archive.behind_end", path=self.path, offset=self._file.offset)
            rest = self._stream.read(tarfile.RECORDSIZE)
        if size < tarfile.BLOCKSIZE:
            raise tarfile.ReadError("unexpected end of data")

    def close(self) -> None:
        self._file.close()
        self._stream.close()

    def _read(self, name: str) -> bytes:
        info = self._infos[name]
        self._stream.seek(info.offset_data)
        return self._stream.read(info.size)


class _Capped:
    """A tar file's plain bytes, which stop where no honest gzip goes on.

    max_read: bytes read at once at most, while the headers are listed; None: any number.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.max_read: int | None = MAX_HEADER_BYTES
        self._file = path.open("rb")
        self._is_packed = self._file.read(2) == GZIP
        self._file.seek(0)
        self._stream: Any = gzip.GzipFile(fileobj=self._file) if self._is_packed else self._file
        self._limit = _limit(path) if self._is_packed else path.stat().st_size

    def read(self, size: int) -> bytes:
        if self.max_read is not None and size > self.max_read:
            raise DataError("archive.header", path=self.path, size=size, limit=self.max_read)
        self._require(self._stream.tell())
        return bytes(self._stream.read(size))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        assert whence == io.SEEK_SET, f"tarfile seeks from the start, and asked for whence={whence}"
        self._require(offset)
        return int(self._stream.seek(offset))

    def tell(self) -> int:
        return int(self._stream.tell())

    def close(self) -> None:
        self._stream.close()
        self._file.close()

    def _require(self, end: int) -> None:
        if end > self._limit and not self._is_packed:
            raise tarfile.ReadError("unexpected end of data")
        if end > self._limit:
            raise DataError("archive.expands", path=self.path, packed=self.path.stat().st_size, limit=self._limit)


def gunzipped(data: bytes, name: str) -> bytes:
    """A gzipped member's plain bytes, within what an honest gzip expands to; other bytes as they are."""
    if not data.startswith(GZIP):
        return data
    limit = max(len(data) * EXPANSION_LIMIT, EXPANSION_FREE_BYTES)
    stream: BinaryIO = gzip.GzipFile(fileobj=io.BytesIO(data))  # type: ignore[assignment]
    try:
        plain = stream.read(limit + 1)
    except BROKEN as error:
        raise DataError("file.broken_gzip", path=name, why=error) from None
    if len(plain) > limit:
        raise DataError("file.expands", path=name, packed=len(data), limit=limit)
    return plain


def _limit(path: Path) -> int:
    return max(path.stat().st_size * EXPANSION_LIMIT, EXPANSION_FREE_BYTES)


def _require_honest(path: Path, size: int) -> None:
    if size > _limit(path):
        raise DataError("archive.expands", path=path, packed=path.stat().st_size, limit=_limit(path))


def _require_few(path: Path, count: int) -> None:
    if count > MAX_MEMBERS:
        raise DataError("archive.too_many", path=path, limit=MAX_MEMBERS)


def _require_safe(path: Path, name: str) -> None:
    """Raises DataError for a name that could stand for a place outside of the archive, or for no name."""
    if name.rstrip("/") == ".":
        return  # the folder itself, as `tar -C folder .` writes it
    is_drive = name[1:2] == ":"
    has_control = any(ord(c) < 32 or ord(c) == 127 for c in name)
    steps = set(name.removeprefix("./").removesuffix("/").split("/"))
    if is_drive or has_control or "\\" in name or steps & {"", ".", ".."}:
        raise DataError("archive.unsafe_name", path=path, name=repr(name))


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
