"""Keep freed memory in the process while it trains: a step that gives its tensors back pays for each page anew."""

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
"""Numbers of mallopt's settings in glibc's malloc.h."""
_PAD_BYTES = 256 * 1024 * 1024
_KEPT = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, _PAD_BYTES))
_USUAL = ((_MMAP_MAX, 65536), (_TRIM_THRESHOLD, 64 * 1024 * 1024), (_TOP_PAD, 128 * 1024), (_MMAP_THRESHOLD, 2**25))
"""glibc's own, with both thresholds where its adjustment ends after tensors of 32 MiB; setting one stops adjusting."""

_lock = threading.Lock()
_holders: list[object] = []
"""The trainings of this process that are under way; the last one to end puts the settings back."""


@contextmanager
def kept_memory() -> Iterator[bool]:
    """Within it glibc's malloc takes no memory by mmap and gives none back; then what is free goes to the system.

    Gives whether this C library knows how; with another one nothing happens. No number changes by it.
    """
    library = _glibc()
    if library is None:
        yield False
        return
    token = object()
    with _lock:
        if not _holders:
            _set(library, _KEPT)
        _holders.append(token)
    try:
        yield True
    finally:
        with _lock:
            _holders.remove(token)
            if not _holders:
                _set(library, _USUAL)
                library.malloc_trim(0)


@cache
def _glibc() -> "ctypes.CDLL | None":
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None


def _set(library: ctypes.CDLL, settings: tuple[tuple[int, int], ...]) -> None:
    for setting, value in settings:
        done = library.mallopt(setting, value)
        assert done == 1, f"glibc takes setting {setting}"
