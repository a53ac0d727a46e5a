"""Writes that are whole or not there, locks that the kernel frees, names that stay inside their folder."""

import errno
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deepwright.core.errors import ResourceError, UsageError

SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def write_atomic(path: Path, content: bytes) -> str:
    """Write a file so that a crash leaves the old one or the new one; gives the content's SHA-256.

    Raises ResourceError (path, bytes wanted, bytes free) when the disk is full or not writable; the old file stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # the first error is the one to tell
            temporary.unlink()
        raise disk_error(path, len(content), error) from None
    return hashlib.sha256(content).hexdigest()


def append_line(path: Path, line: bytes) -> None:
    """Append one line durably. Raises ResourceError when it cannot be written; the file is then as it was."""
    size = path.stat().st_size if path.exists() else 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        if path.exists() and path.stat().st_size > size:
            os.truncate(path, size)
        raise disk_error(path, len(line) + 1, error) from None


def disk_error(path: Path, wanted: int, error: OSError) -> ResourceError:
    """What the operating system said, as a ResourceError that names path, bytes wanted and bytes free."""
    folder = next((p for p in path.absolute().parents if os.path.exists(p)), Path("/"))  # noqa: PTH110 - never raises
    free = shutil.disk_usage(folder).free
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ResourceError("disk.full", path=path, wanted=wanted, free=free)
    return ResourceError("disk.not_writable", path=path, why=error.strerror or str(error))


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock; the kernel frees it when the process ends.

    Raises ResourceError naming the holder's process when it is taken and `wait` is false.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise disk_error(path, 0, error) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "?"
            raise ResourceError("disk.locked", path=path, pid=holder) from None
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        except OSError as error:
            raise disk_error(path, 32, error) from None
        yield
    finally:
        os.close(handle)


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def safe_name(name: str, what: str) -> str:
    """The name itself when it is one plain file name. Raises UsageError else."""
    if not SAFE_NAME.fullmatch(name):
        raise UsageError("disk.unsafe_name", what=what, name=repr(name))
    return name
