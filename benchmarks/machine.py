"""The machine a benchmark runs on: what it is, and whether others leave it alone."""

import os
import platform
import time
from pathlib import Path

MAX_ELSEWHERE = 0.5
"""Cores that others may keep busy beside a timed thread: a load of 1.5 with it. The one-minute load itself would count
our own earlier processes and tell of neighbours too late."""
LOOK_S = 2.0


def description() -> dict[str, object]:
    """What a reader of the numbers has to know about the machine."""
    return {"processor": _processor(), "cores": os.cpu_count(), "system": platform.system(), "load": load()}


def load() -> float:
    return round(os.getloadavg()[0], 2)


def wait_until_quiet(at_most_s: float, look_s: float = LOOK_S) -> bool:
    """Wait until others leave the machine alone; gives whether they did in time."""
    deadline = time.monotonic() + at_most_s
    while True:
        elsewhere = Elsewhere()
        time.sleep(look_s)
        if elsewhere.cores() <= MAX_ELSEWHERE:
            return True
        if time.monotonic() >= deadline:
            return False


class Elsewhere:
    """Cores that other processes kept busy since this was made; 0 where the system does not tell."""

    def __init__(self) -> None:
        self._busy_s, self._own_s, self._at = _busy_s(), time.process_time(), time.monotonic()

    def cores(self) -> float:
        passed_s = max(time.monotonic() - self._at, 1e-3)
        others_s = (_busy_s() - self._busy_s) - (time.process_time() - self._own_s)
        return round(max(0.0, others_s / passed_s), 2)


def _busy_s() -> float:
    """Seconds of all cores together that were not idle."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return time.process_time()
    user, nice, system, _idle, _waiting, *rest = map(int, stat.read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system + sum(rest[:2])) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
