"""Keep freed memory in the process: a step that gives its large tensors back to the system pays for every page anew."""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Numbers of mallopt's settings in glibc's malloc.h."""
_PAD_BYTES = 256 * 1024 * 1024


def keep_memory() -> bool:
    """Let glibc's malloc take no memory by mmap and give none back; gives whether this C library knows how."""
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, _PAD_BYTES))
    return all(library.mallopt(setting, value) == 1 for setting, value in settings)
