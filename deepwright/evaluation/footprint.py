"""Footprint: what a bundle costs to hold and to ask, measured on the machine that made the report.

These are times, so they differ from run to run; neither `rerun` nor `report --verify` compares them.
"""

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from deepwright.core.bundle import Bundle
from deepwright.core.report import Footprint, Latency

BATCHES = (1, 256)
"""Rows of one call: of a person who waits, and of a server that answers many at once."""
LEAST_CALLS, MOST_CALLS = 5, 200
BUDGET_S = 0.05
"""Seconds that the calls of one batch may take; a slow bundle is called LEAST_CALLS times all the same."""


def footprint(bundle: Bundle, columns: Mapping[str, np.ndarray], *, threads: int | None = None) -> Footprint:
    """Size on disk, memory once loaded and time per call of a bundle. columns: typed input columns, at least one row.

    A call is `Bundle.answer`, the one that the server makes once it has read a request; its median is told, since a
    machine that does other things too only ever adds to it.
    """
    return Footprint(
        disk_bytes=sum(path.stat().st_size for path in bundle.folder.iterdir()),
        memory_bytes=memory_of(bundle.folder, columns),
        latency=tuple(latency(bundle, columns, rows) for rows in BATCHES),
        machine=machine(),
    )


def latency(
    bundle: Bundle, columns: Mapping[str, np.ndarray], rows: int, *, clock: Callable[[], float] = time.perf_counter
) -> Latency:
    """The median time of one call with so many rows, taken from the columns in turn."""
    size = len(next(iter(columns.values())))
    places = np.arange(rows) % size
    batch = {name: column[places] for name, column in columns.items()}
    bundle.answer(batch)  # the first call also lays out memory
    seconds: list[float] = []
    while len(seconds) < LEAST_CALLS or (len(seconds) < MOST_CALLS and sum(seconds) < BUDGET_S):
        started = clock()
        bundle.answer(batch)
        seconds.append(clock() - started)
    return Latency(rows=rows, median_s=statistics.median(seconds), calls=len(seconds))


def memory_of(folder: Path, columns: Mapping[str, np.ndarray]) -> int | None:
    """Bytes by which this process grows when it loads the bundle once more and answers; None where it cannot be told.

    What other work has freed is handed back to the system first, or loading would quietly use it again.
    """
    if not _hand_back():
        return None
    before = _resident_bytes()
    again = Bundle.load(folder)
    again.answer({name: column[: BATCHES[-1]] for name, column in columns.items()})
    return max(0, _resident_bytes() - before)


def machine() -> str:
    """The processor by name, its cores and the system."""
    import psutil

    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    return f"{processor}, {psutil.cpu_count()} × {platform.machine()}, {platform.system()}"


def _hand_back() -> bool:
    """Give freed memory back to the system; False where only the system knows how."""
    import ctypes
    import gc
    import sys

    gc.collect()
    if not sys.platform.startswith("linux"):
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl has not
    if trim is None:
        return False
    trim(0)
    return True


def _resident_bytes() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)
