"""The clock of a contestant: seconds between the ends of two epochs, whatever the framework does in them."""

import threading
import time
from dataclasses import asdict, dataclass, field

from benchmarks.machine import Elsewhere


@dataclass(frozen=True)
class Lap:
    """One epoch. busy: share of the time in which a GPU had work, where one was watched."""

    steps: int
    cpu_s: float
    wall_s: float
    elsewhere: float
    busy: float | None


@dataclass
class Clock:
    """Call `lap` at the end of every epoch; the first one is the warm-up and its lap is dropped by the reader."""

    device: str = "cpu"
    laps: list[Lap] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._gpu = Gpu() if self.device == "cuda" else None
        self._mark()

    def lap(self, steps: int) -> None:
        """An epoch of so many steps has just ended."""
        if self.device == "cuda":
            import torch

            torch.cuda.synchronize()
        cpu_s, wall_s = time.process_time() - self._cpu, time.perf_counter() - self._wall
        busy = self._gpu.busy() if self._gpu is not None else None
        self.laps.append(Lap(steps, cpu_s, wall_s, self._elsewhere.cores(), busy))
        self._mark()

    def records(self) -> list[dict[str, float | None]]:
        return [asdict(each) for each in self.laps]

    def _mark(self) -> None:
        self._elsewhere = Elsewhere()
        self._cpu, self._wall = time.process_time(), time.perf_counter()


class Gpu:
    """Share of time in which kernels ran, as NVML says it, sampled by a thread every 50 ms."""

    def __init__(self) -> None:
        import pynvml
        import torch

        pynvml.nvmlInit()
        identity = str(torch.cuda.get_device_properties(0).uuid)
        self._handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{identity}")
        self._shares: list[float] = []
        threading.Thread(target=self._watch, daemon=True).start()

    def busy(self) -> float | None:
        """Mean share since the last call."""
        shares, self._shares = self._shares, []
        return sum(shares) / len(shares) if shares else None

    def _watch(self) -> None:
        import pynvml

        while True:
            self._shares.append(pynvml.nvmlDeviceGetUtilizationRates(self._handle).gpu / 100)
            time.sleep(0.05)
