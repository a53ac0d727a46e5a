"""Reading tables: how fast beside polars' own `read_csv`, and how much memory for a table larger than memory.

    python benchmarks/reading.py                       1 GB for speed, then 10 GB through check, run and predict
    python benchmarks/reading.py --speed-only          the 1 GB file alone
    python benchmarks/reading.py --gb 2 --only check   a smaller table through one command
    python benchmarks/reading.py --quick               20 MB, a smoke run without a claim

The table is made here from a seed: 18 columns of numbers, categories (3 to 5,000 levels), a day, a truth value and two
classes, with missing cells. Speed: strict reading (every cell checked, typed columns) against polars with its own
inference, each in processes of its own in turn, wall time, the better of two rounds. Memory: the peak of RssAnon +
RssShmem of the command's process, looked at every 50 ms in /proc (pages of files are the kernel's to drop; VmHWM, which
counts them, is told beside it). Everything is written below --folder and deleted at the end.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.claims import Claim, at_most, finish, unmeasured

BAR_SPEED = 3.0
BAR_BYTES = 2e9
BLOCK_ROWS = 200_000
LEVELS = (3, 12, 50, 1000, 5000)
LOOK_S = 0.05

POLARS = "import sys, polars; polars.read_csv(sys.argv[1])"
OURS = """
import sys
from deepwright.data.read import read
from deepwright.data.table import Table
from deepwright.data.types import infer
infer(read(sys.argv[1], Table(memory="hold")), target="y")
"""
IMPORTS = "import sys, polars, pyarrow.csv, deepwright.data.read, deepwright.data.types"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gb", type=float, default=10.0, help="size of the table that is larger than memory")
    parser.add_argument("--only", choices=("check", "run", "predict"), help="one command; predict needs a run before")
    parser.add_argument("--speed-only", action="store_true", help="the 1 GB file alone")
    parser.add_argument("--memory-only", action="store_true", help="the large table alone")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "deepwright-reading")
    parser.add_argument("--keep", action="store_true", help="leave the files there")
    parser.add_argument("--quick", action="store_true", help="20 MB, no claim")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    claims: list[Claim] = []
    if not given.memory_only:
        claims.append(speed(given.folder, 0.02 if given.quick else 1.0))
    if not given.speed_only:
        claims += memory(given.folder, 0.02 if given.quick else given.gb, given.only)
    if not given.keep:
        for path in sorted(given.folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        given.folder.rmdir()
    if given.quick:
        claims = [unmeasured(claim, "a smoke run") for claim in claims]
    return finish(claims)


def speed(folder: Path, gb: float) -> Claim:
    path = folder / f"speed-{gb:g}.csv"
    generate(path, gb)
    best = {"polars": np.inf, "ours": np.inf, "imports": np.inf}
    for _ in range(2):
        for name, script in (("imports", IMPORTS), ("polars", POLARS), ("ours", OURS)):
            best[name] = min(best[name], seconds(script, path))
    ratio = (best["ours"] - best["imports"]) / (best["polars"] - best["imports"])
    print(f"{path.stat().st_size / 1e9:.2f} GB: {best} s of wall time, with imports")
    return at_most("strict reading of 1 GB, wall time beside polars' read_csv", ratio, BAR_SPEED)


def memory(folder: Path, gb: float, only: str | None) -> list[Claim]:
    path, runs = folder / f"table-{gb:g}.csv", folder / "runs"
    if not path.exists():
        print(f"{generate(path, gb)} rows, {path.stat().st_size / 1e9:.2f} GB")
    quick = ["--network", "mlp", "--train.epochs", "1", "--train.batch_size", "4096", "--budget", "60s"]
    stream = ["--source.memory", "stream", "--target", "y"]
    commands = {
        "check": ["check", str(path), *stream],
        "run": ["run", str(path), *stream, *quick, "--runs", str(runs), "--name", "large"],
        "predict": ["predict", str(runs / "large"), str(path), "-o", str(folder / "answers.csv"), "--overwrite"],
    }
    claims = []
    for name, command in commands.items():
        if only in (None, name):
            peak, high, spent = watched(command, folder)
            print(f"{name}: peak {peak / 1e6:.0f} MB anonymous and shared, VmHWM {high / 1e6:.0f} MB, {spent:.0f} s")
            claims.append(at_most(f"memory of `{name}` on {gb:g} GB", peak / 1e6, BAR_BYTES / 1e6, "MB"))
    return claims


def generate(path: Path, gb: float) -> int:
    """Write the table; gives its rows."""
    block = 0
    with path.open("wb") as file:
        while file.tell() < gb * 1e9:
            columns(block, BLOCK_ROWS if gb >= 0.1 else 20_000).write_csv(file, include_header=block == 0)
            block += 1
    return block * BLOCK_ROWS


def columns(block: int, rows: int):  # type: ignore[no-untyped-def]
    """The rows of one block as a polars frame: a function of its number alone."""
    import polars as pl

    draw = np.random.Generator(np.random.Philox(key=block))
    numbers = {
        "age": draw.integers(18, 90, rows),
        "hours": draw.integers(0, 168, rows),
        "x0": draw.normal(0, 1, rows).round(4),
        "x1": draw.lognormal(3, 1, rows).round(2),
        "x2": draw.uniform(-1e3, 1e3, rows).round(3),
        "x3": draw.normal(50, 10, rows).round(1),
        "x4": draw.exponential(1, rows).round(6),
        "x5": draw.uniform(0, 1, rows).round(5),
        "amount": draw.integers(0, 10_000_000, rows),
        "count": draw.poisson(3, rows),
    }
    score = numbers["age"] / 50 + numbers["x0"] + (numbers["x1"] > 20) + draw.normal(0, 1, rows)
    frame = pl.DataFrame(numbers)
    for name in ("x0", "x3", "amount"):
        gone = pl.Series(draw.random(rows) < 0.05)
        frame = frame.with_columns(pl.when(gone).then(None).otherwise(pl.col(name)).alias(name))
    for size in LEVELS:
        levels = np.array([f"{'é' if level % 7 == 0 else ''}level {level}" for level in range(size)], dtype=object)
        frame = frame.with_columns(pl.Series(f"c{size}", levels[draw.integers(0, size, rows)]))
    days = np.datetime64("2015-01-01") + draw.integers(0, 3650, rows)
    truth = np.array(["true", "false"], dtype=object)[draw.integers(0, 2, rows)]
    answer = np.array(["no", "yes"], dtype=object)[(score > 2.8).astype(int)]
    day = pl.Series("day", days.astype("datetime64[D]")).cast(pl.Date)
    return frame.with_columns(day, pl.Series("member", truth), pl.Series("y", answer))


def seconds(script: str, path: Path) -> float:
    """Wall time of a script in a process of its own; the file is in the page cache."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    return time.monotonic() - started


def watched(command: list[str], folder: Path) -> tuple[float, float, float]:
    """Bytes at the peak of RssAnon + RssShmem, bytes of VmHWM, seconds of a command."""
    started = time.monotonic()
    environment = {**os.environ, "DEEPWRIGHT_HOME": str(folder / "home")}
    script = "from deepwright.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", script, *command], cwd=folder, env=environment)
    peak = high = 0.0
    while process.poll() is None:
        found = status(process.pid)
        peak = max(peak, found.get("RssAnon", 0.0) + found.get("RssShmem", 0.0))
        high = max(high, found.get("VmHWM", 0.0))
        time.sleep(LOOK_S)
    if process.returncode:
        raise SystemExit(f"{json.dumps(command)} ended with {process.returncode}")
    return peak, high, time.monotonic() - started


def status(pid: int) -> dict[str, float]:
    """The sizes in /proc/PID/status, bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}  # it has ended
    pairs = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): float(size) * 1024 for name, size, _ in pairs}


if __name__ == "__main__":
    sys.exit(main())
